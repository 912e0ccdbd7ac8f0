package amaan.docstore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.BsonRegularExpression;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.MaxKey;
import de.bwaldvogel.mongo.bson.MinKey;

/**
 * What a filter says of each field, as far as an index can use it.
 *
 * <p>Every document that the filter matches fulfils these; the library's matcher decides the rest. So whatever is not
 * understood here costs time and never an answer.
 */
final class Conditions {

    private final Map<String, Condition> byField = new HashMap<>();

    /** One field: one of these values (null: no such condition), and bounds (null: none). */
    static final class Condition {
        List<Object> values;
        Object lower;
        Object upper;
        private boolean exists;

        boolean isRange() {
            return lower != null || upper != null;
        }

        private Condition copy() {
            Condition copy = new Condition();
            copy.values = values;
            copy.lower = lower;
            copy.upper = upper;
            copy.exists = exists;
            return copy;
        }

        /** Whether only a document with the field can match. */
        boolean impliesPresence() {
            return exists || isRange() || values != null && !values.contains(null);
        }
    }

    static Conditions of(Document filter) {
        Conditions conditions = new Conditions();
        conditions.all(filter, "");
        return conditions;
    }

    /** These and those of one more filter. */
    Conditions and(Document filter) {
        Conditions conditions = new Conditions();
        byField.forEach((field, condition) -> conditions.byField.put(field, condition.copy()));
        conditions.all(filter, "");
        return conditions;
    }

    /** Null when the filter says nothing useful of the field. */
    Condition of(String field) {
        return byField.get(field);
    }

    private void all(Document filter, String prefix) {
        for (Map.Entry<String, Object> entry : filter.entrySet()) {
            String name = entry.getKey();
            if (name.equals("$and") && entry.getValue() instanceof List<?> parts) {
                parts.stream().filter(Document.class::isInstance).forEach(part -> all((Document) part, prefix));
            } else if (!name.startsWith("$")) {
                one(prefix + name, entry.getValue());
            }
        }
    }

    private void one(String field, Object wanted) {
        if (wanted instanceof Document operators && startsWithOperator(operators)) {
            if (!BsonRegularExpression.isRegularExpression(operators)) {
                operators.forEach((operator, value) -> operator(field, operator, value));
            }
        } else if (isPoint(wanted) || field.equals("_id") && wanted instanceof Document) {
            values(field, Collections.singletonList(wanted));
        }
    }

    private void operator(String field, String operator, Object value) {
        switch (operator) {
            case "$eq" -> {
                if (isPoint(value)) {
                    values(field, Collections.singletonList(value));
                }
            }
            case "$in" -> {
                if (value instanceof Collection<?> list && list.stream().allMatch(Conditions::isPoint)) {
                    values(field, new ArrayList<>(list));
                }
            }
            case "$all" -> {
                if (value instanceof List<?> list && !list.isEmpty() && list.get(0) != null && isPoint(list.get(0))) {
                    values(field, Collections.singletonList(list.get(0)));
                }
            }
            case "$gt", "$gte" -> {
                if (value != null && isPoint(value)) {
                    condition(field).lower = value;
                }
            }
            case "$lt", "$lte" -> {
                if (value != null && isPoint(value)) {
                    condition(field).upper = value;
                }
            }
            case "$exists" -> {
                if (Utils.isTrue(value)) {
                    condition(field).exists = true;
                }
            }
            case "$elemMatch" -> {
                if (value instanceof Document element && !startsWithOperator(element)) {
                    all(element, field + ".");
                } else if (value instanceof Document operators) {
                    operators.forEach((inner, bound) -> operator(field, inner, bound));
                }
            }
            default -> {
                // $ne, $nin, $not, $regex, $size, $type, $mod: no index helps.
            }
        }
    }

    private void values(String field, List<Object> values) {
        Condition condition = condition(field);
        if (condition.values == null || values.size() < condition.values.size()) {
            condition.values = values;
        }
    }

    private Condition condition(String field) {
        return byField.computeIfAbsent(field, name -> new Condition());
    }

    private static boolean startsWithOperator(Document document) {
        return !document.isEmpty() && document.keySet().iterator().next().startsWith("$");
    }

    /** Whether equality with it is one place in an index. */
    private static boolean isPoint(Object value) {
        return !(value instanceof Collection || value instanceof Document || value instanceof BsonRegularExpression
            || value instanceof MinKey || value instanceof MaxKey);
    }
}
