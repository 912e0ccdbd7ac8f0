package amaan.docstore;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

import de.bwaldvogel.mongo.bson.Document;

/**
 * Which part of which index a query reads: the one with the fewest keys, counted rather than guessed.
 *
 * <p>Of an index it takes equality (also {@code $in}) on the first fields, then a range, then the sort. It finds all
 * documents that match and maybe more; the caller matches each.
 */
final class Plan {

    /** More combinations of {@code $in} values than this are no longer looked up one by one. */
    private static final int MAX_STRETCHES = 2_000;
    /** Stretches that are counted; the others are taken to be like them. */
    private static final int COUNTED = 16;

    private final List<Reading> readings;
    private final long cost;
    private final boolean sorted;

    /** Stretches of one index. */
    private record Reading(OrderedIndex index, List<OrderedIndex.Stretch> stretches, boolean reverse, int sortFrom) {
    }

    private Plan(List<Reading> readings, long cost, boolean sorted) {
        this.readings = readings;
        this.cost = cost;
        this.sorted = sorted;
    }

    /** Null when reading all documents is the best there is. */
    static Plan choose(List<OrderedIndex> indexes, Document filter, Document orderBy, int limit, long documents) {
        Plan best = best(indexes, Conditions.of(filter), orderBy, limit);
        if (filter.get("$or") instanceof List<?> branches && (best == null || best.cost > 2L * branches.size())) {
            Plan union = union(indexes, Conditions.of(filter), branches, orderBy);
            if (union != null && (best == null || union.cost < best.cost)) {
                best = union;
            }
        }
        long scan = orderBy == null || orderBy.isEmpty() ? documents : 2 * documents;
        return best == null || best.cost > scan ? null : best;
    }

    private static Plan best(List<OrderedIndex> indexes, Conditions conditions, Document orderBy, int limit) {
        Plan best = null;
        for (OrderedIndex index : indexes) {
            Plan plan = of(index, conditions, orderBy, limit);
            if (plan != null && (best == null || plan.cost < best.cost)) {
                best = plan;
            }
            if (best != null && best.cost <= 1) {
                break;
            }
        }
        return best;
    }

    /** Each branch of an {@code $or} by its own best index; null when one has none. */
    private static Plan union(List<OrderedIndex> indexes, Conditions all, List<?> branches, Document orderBy) {
        List<Reading> readings = new ArrayList<>();
        long cost = 0;
        for (Object branch : branches) {
            Plan plan = branch instanceof Document filter ? best(indexes, all.and(filter), null, 0) : null;
            if (plan == null) {
                return null;
            }
            readings.addAll(plan.readings);
            cost += plan.cost;
        }
        boolean sorted = orderBy == null || orderBy.isEmpty();
        return new Plan(readings, sorted ? cost : 2 * cost, sorted);
    }

    private static Plan of(OrderedIndex index, Conditions conditions, Document orderBy, int limit) {
        List<String> fields = index.getKeys().stream().map(key -> key.getKey()).toList();
        if (index.leavesOutMissing() && fields.stream().map(conditions::of).noneMatch(c -> c != null && c.impliesPresence())) {
            return null;
        }
        List<List<Object>> prefixes = List.of(List.of());
        boolean arrayUsed = false;
        int depth = 0;
        for (; depth < fields.size(); depth++) {
            Conditions.Condition condition = conditions.of(fields.get(depth));
            if (condition == null || condition.values == null || index.isMultikey(depth) && arrayUsed
                || (long) prefixes.size() * condition.values.size() > MAX_STRETCHES) {
                break;
            }
            arrayUsed |= index.isMultikey(depth);
            prefixes = extend(prefixes, condition.values);
        }
        Object lower = null;
        Object upper = null;
        Conditions.Condition range = depth < fields.size() ? conditions.of(fields.get(depth)) : null;
        if (range != null && range.isRange() && !(index.isMultikey(depth) && arrayUsed)) {
            lower = range.lower;
            // Of an array, one element may be above the lower bound and another below the upper.
            upper = index.isMultikey(depth) && lower != null ? null : range.upper;
        }
        List<OrderedIndex.Stretch> stretches = new ArrayList<>(prefixes.size());
        for (List<Object> prefix : prefixes) {
            stretches.add(new OrderedIndex.Stretch(prefix, lower, upper));
        }
        int direction = sortDirection(index, fields, depth, conditions, orderBy);
        if (depth == 0 && lower == null && upper == null && direction == 0 && !index.leavesOutMissing()) {
            return null;
        }
        boolean wantsOrder = orderBy != null && !orderBy.isEmpty();
        boolean sorted = !wantsOrder || direction != 0;
        long keys = count(index, stretches);
        long cost = keys;
        if (wantsOrder) {
            cost = !sorted ? 2 * keys : limit > 0 ? Math.min(keys, 20L * limit + keys / 8) : keys;
        }
        return new Plan(List.of(new Reading(index, stretches, direction < 0, depth)), cost, sorted);
    }

    private static List<List<Object>> extend(List<List<Object>> prefixes, List<Object> values) {
        List<List<Object>> longer = new ArrayList<>(prefixes.size() * values.size());
        for (List<Object> prefix : prefixes) {
            for (Object value : values) {
                List<Object> next = new ArrayList<>(prefix);
                next.add(value);
                longer.add(next);
            }
        }
        return longer;
    }

    /**
     * 1 when reading the index gives the order, -1 when reading it backwards does, 0 when neither.
     *
     * <p>Fields with one value need no order. Entries that are equal in all fields follow each other by id.
     */
    private static int sortDirection(OrderedIndex index, List<String> fields, int depth, Conditions conditions,
                                     Document orderBy) {
        if (orderBy == null || orderBy.isEmpty()) {
            return 0;
        }
        int direction = 0;
        int next = depth;
        for (Map.Entry<String, Object> wanted : orderBy.entrySet()) {
            int place = fields.indexOf(wanted.getKey());
            Conditions.Condition condition = conditions.of(wanted.getKey());
            if (place >= 0 && place < depth && condition.values.size() == 1 && !index.isMultikey(place)) {
                continue;
            }
            if (!(wanted.getValue() instanceof Number number)) {
                return 0;
            }
            boolean ascending;
            if (next < fields.size() && place == next && !index.isMultikey(next)) {
                ascending = index.getKeys().get(next).isAscending();
            } else if (next == fields.size() && wanted.getKey().equals("_id")) {
                ascending = true;
            } else {
                return 0;
            }
            int needed = number.intValue() > 0 == ascending ? 1 : -1;
            if (direction != 0 && direction != needed) {
                return 0;
            }
            direction = needed;
            next++;
        }
        return direction == 0 ? 1 : direction;
    }

    private static long count(OrderedIndex index, List<OrderedIndex.Stretch> stretches) {
        long counted = 0;
        int sample = Math.min(COUNTED, stretches.size());
        for (int i = 0; i < sample; i++) {
            counted += index.count(stretches.get(i));
        }
        return sample == 0 ? 0 : counted * stretches.size() / sample;
    }

    /** Whether the positions come in the order asked for. */
    boolean isSorted() {
        return sorted;
    }

    /** The ids to look at, each once. */
    Iterator<Object> positions() {
        List<Iterator<OrderedIndex.Key>> parts = new ArrayList<>();
        for (Reading reading : readings) {
            for (OrderedIndex.Stretch stretch : reading.stretches) {
                parts.add(reading.index.read(stretch, reading.reverse));
            }
        }
        Reading only = readings.get(0);
        Iterator<OrderedIndex.Key> keys = sorted && readings.size() == 1 && parts.size() > 1
            ? new KeyStreams.Merge(parts, only.index.getKeys(), only.sortFrom, only.reverse) : new KeyStreams.Chain(parts);
        return new KeyStreams.Distinct(keys);
    }
}
