package amaan.docstore;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
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

/** Finds documents: candidates by the plan, each matched by the library. Takes no lock. */
final class Search {

    /** Of a small answer the documents are kept; of a large one they are read again when they are sent. */
    private static final int KEPT_BYTES = 1 << 20;

    private final MVMap<Object, byte[]> documents;
    /** Of its own: a matcher notes the position of the matched element, which a writer needs undisturbed by readers. */
    private final QueryMatcher matcher = new DefaultQueryMatcher();

    /**
     * A document that a query found.
     *
     * @param document all of it when `whole`, else what sorting needs of it
     * @param bytes its size as stored
     */
    record Found(Object id, Document document, int bytes, boolean whole) {
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
        Iterator<Found> candidates = plan == null
            ? all(natural && !isAscending(orderBy, "$natural")) : at(plan.positions());
        Comparator<Document> order = natural || orderBy == null || orderBy.isEmpty()
            || plan != null && plan.isSorted() ? null : new DocumentComparator(orderBy);
        List<Found> found = new ArrayList<>();
        long bytes = 0;
        for (int passed = 0; candidates.hasNext() && (order != null || limit == 0 || found.size() < limit);) {
            Found candidate = candidates.next();
            if (!matcher.matches(candidate.document, filter) || order == null && passed++ < skip) {
                continue;
            }
            bytes += candidate.bytes;
            boolean keep = bytes < KEPT_BYTES;
            found.add(keep ? candidate
                : new Found(candidate.id, order == null ? null : only(orderBy, candidate.document), candidate.bytes, false));
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
        return found.whole ? found.document : read(found.id);
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

    /** Every document, in the order of ids. */
    Iterator<Found> all(boolean backwards) {
        Cursor<Object, byte[]> cursor = documents.cursor(null, null, backwards);
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return cursor.hasNext();
            }

            @Override
            public Found next() {
                Object id = cursor.next();
                return found(id, cursor.getValue());
            }
        };
    }

    private Iterator<Found> at(Iterator<Object> positions) {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(positions, Spliterator.ORDERED), false)
            .flatMap(id -> Stream.ofNullable(documents.get(id)).map(bytes -> found(id, bytes)))
            .iterator();
    }

    private static Found found(Object id, byte[] bytes) {
        return new Found(id, StoredTypes.decode(bytes), bytes.length, true);
    }
}
