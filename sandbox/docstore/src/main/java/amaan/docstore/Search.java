package amaan.docstore;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;

import de.bwaldvogel.mongo.backend.DefaultQueryMatcher;
import de.bwaldvogel.mongo.backend.DocumentComparator;
import de.bwaldvogel.mongo.backend.QueryMatcher;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;

/**
 * Finds documents: candidates by the plan, each matched by the library. Takes no lock.
 *
 * <p>Of a candidate only what the query looks at is decoded; of what is found, the whole, once it is read.
 */
final class Search {

    /** Of a small answer the bytes are kept; of a large one they are read again when they are sent. */
    private static final int KEPT_BYTES = 1 << 20;

    private final MVMap<Object, byte[]> documents;
    /** Of its own: a matcher notes the position of the matched element, which a writer needs undisturbed by readers. */
    private final QueryMatcher matcher = new DefaultQueryMatcher();

    /**
     * A document that a query found.
     *
     * @param document what matching and sorting need of it, all of it when that is not known
     * @param size how many bytes it has
     * @param bytes all of it as stored; null when it is read again
     */
    record Found(Object id, Document document, int size, byte[] bytes) {
    }

    Search(MVMap<Object, byte[]> documents) {
        this.documents = documents;
    }

    boolean matches(Document document, Document filter) {
        return matcher.matches(document, filter);
    }

    /** Null when there is none. */
    Document read(Object id) {
        byte[] bytes = documents.get(id);
        return bytes == null ? null : StoredTypes.decode(bytes);
    }

    private static boolean isAscending(Document orderBy, String field) {
        return orderBy.get(field) instanceof Number direction && direction.intValue() > 0;
    }

    /** What the query finds, in its order. */
    List<Found> run(List<OrderedIndex> indexes, Document filter, Document orderBy, int skip, int limit) {
        boolean natural = orderBy != null && orderBy.containsKey("$natural");
        Plan plan = natural ? null : Plan.choose(indexes, filter, orderBy, limit, documents.sizeAsLong());
        Set<String> needed = needed(filter, natural ? null : orderBy);
        Iterator<Found> candidates = plan == null
            ? all(natural && !isAscending(orderBy, "$natural"), needed) : at(plan.positions(), needed);
        Comparator<Document> order = natural || orderBy == null || orderBy.isEmpty()
            || plan != null && plan.isSorted() ? null : new DocumentComparator(orderBy);
        List<Found> found = new ArrayList<>();
        long bytes = 0;
        for (int passed = 0; candidates.hasNext() && (order != null || limit == 0 || found.size() < limit);) {
            Found candidate = candidates.next();
            if (!matcher.matches(candidate.document, filter) || order == null && passed++ < skip) {
                continue;
            }
            bytes += candidate.size;
            found.add(bytes < KEPT_BYTES ? candidate
                : new Found(candidate.id, order == null ? null : only(orderBy, candidate.document), candidate.size, null));
        }
        if (order == null) {
            return found;
        }
        found.sort((a, b) -> order.compare(a.document, b.document));
        return found.subList(Math.min(skip, found.size()),
            limit == 0 ? found.size() : Math.min(found.size(), skip + limit));
    }

    /** The document of something found, or what it has become since; null when it is gone. */
    Document read(Found found) {
        return found.bytes == null ? read(found.id) : StoredTypes.decode(found.bytes);
    }

    /** What sorting needs of a document. */
    private static Document only(Document orderBy, Document document) {
        Document kept = new Document();
        for (String path : orderBy.keySet()) {
            String field = Utils.firstFragment(path);
            if (document.containsKey(field)) {
                kept.put(field, document.get(field));
            }
        }
        return kept;
    }

    /** The fields of the top level that a query looks at; null when it may look at any. */
    private static Set<String> needed(Document filter, Document orderBy) {
        Set<String> fields = new HashSet<>();
        if (orderBy != null) {
            orderBy.keySet().forEach(path -> fields.add(Utils.firstFragment(path)));
        }
        return addNeeded(filter, fields) ? fields : null;
    }

    private static boolean addNeeded(Document filter, Set<String> fields) {
        for (Map.Entry<String, Object> condition : filter.entrySet()) {
            if (!condition.getKey().startsWith("$")) {
                fields.add(Utils.firstFragment(condition.getKey()));
            } else if (condition.getValue() instanceof List<?> branches) {
                if (!branches.stream().allMatch(each -> each instanceof Document branch && addNeeded(branch, fields))) {
                    return false;
                }
            } else {
                return false;
            }
        }
        return true;
    }

    /** Every document, whole, in the order of ids. */
    Iterator<Found> all() {
        return all(false, null);
    }

    private Iterator<Found> all(boolean backwards, Set<String> needed) {
        Cursor<Object, byte[]> cursor = documents.cursor(null, null, backwards);
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return cursor.hasNext();
            }

            @Override
            public Found next() {
                Object id = cursor.next();
                return found(id, cursor.getValue(), needed);
            }
        };
    }

    private Iterator<Found> at(Iterator<Object> positions, Set<String> needed) {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(positions, Spliterator.ORDERED), false)
            .flatMap(id -> Stream.ofNullable(documents.get(id)).map(bytes -> found(id, bytes, needed)))
            .iterator();
    }

    private static Found found(Object id, byte[] bytes, Set<String> needed) {
        Document document = needed == null ? StoredTypes.decode(bytes) : StoredTypes.decode(bytes, needed);
        return new Found(id, document, bytes.length, bytes);
    }
}
