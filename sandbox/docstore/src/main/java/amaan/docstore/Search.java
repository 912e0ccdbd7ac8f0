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
import de.bwaldvogel.mongo.backend.DocumentWithPosition;
import de.bwaldvogel.mongo.backend.QueryMatcher;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.bson.Document;

/** Finds documents: candidates by the plan, each matched by the library. Takes no lock. */
final class Search {

    private final MVMap<Object, byte[]> documents;
    /** Of its own: a matcher notes the position of the matched element, which a writer needs undisturbed by readers. */
    private final QueryMatcher matcher = new DefaultQueryMatcher();

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

    /** The ids of what the query finds, in its order; and of the first of them, up to a batch, the documents. */
    List<Object> run(List<OrderedIndex> indexes, Document filter, Document orderBy, int skip, int limit, int batch,
                     List<Document> first) {
        boolean natural = orderBy != null && orderBy.containsKey("$natural");
        Plan plan = natural ? null : Plan.choose(indexes, filter, orderBy, limit, documents.sizeAsLong());
        Iterator<DocumentWithPosition<Object>> candidates = plan == null
            ? all(natural && !isAscending(orderBy, "$natural")) : at(plan.positions());
        Comparator<Document> order = natural || orderBy == null || orderBy.isEmpty()
            || plan != null && plan.isSorted() ? null : new DocumentComparator(orderBy);
        List<Object> ids = new ArrayList<>();
        List<DocumentWithPosition<Object>> unsorted = new ArrayList<>();
        for (int passed = 0; candidates.hasNext() && (order != null || limit == 0 || ids.size() < limit);) {
            DocumentWithPosition<Object> candidate = candidates.next();
            Document document = candidate.getDocument();
            if (!matcher.matches(document, filter)) {
                continue;
            }
            if (order != null) {
                unsorted.add(new DocumentWithPosition<>(only(orderBy, document), candidate.getPosition()));
            } else if (passed++ >= skip) {
                ids.add(candidate.getPosition());
                if (first.size() < batch) {
                    first.add(document);
                }
            }
        }
        if (order != null) {
            unsorted.sort((a, b) -> order.compare(a.getDocument(), b.getDocument()));
            unsorted.stream().skip(skip).limit(limit == 0 ? Long.MAX_VALUE : limit)
                .forEach(found -> ids.add(found.getPosition()));
            fill(first, ids, batch);
        }
        return ids;
    }

    /** A document that was deleted since it was found leaves the list. */
    private void fill(List<Document> first, List<Object> ids, int batch) {
        while (first.size() < Math.min(batch, ids.size())) {
            Document document = read(ids.get(first.size()));
            if (document == null) {
                ids.remove(first.size());
            } else {
                first.add(document);
            }
        }
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
    Iterator<DocumentWithPosition<Object>> all(boolean backwards) {
        Cursor<Object, byte[]> cursor = documents.cursor(null, null, backwards);
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return cursor.hasNext();
            }

            @Override
            public DocumentWithPosition<Object> next() {
                Object id = cursor.next();
                return new DocumentWithPosition<>(StoredTypes.decode(cursor.getValue()), id);
            }
        };
    }

    private Iterator<DocumentWithPosition<Object>> at(Iterator<Object> positions) {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(positions, Spliterator.ORDERED), false)
            .flatMap(id -> Stream.ofNullable(read(id)).map(document -> new DocumentWithPosition<>(document, id)))
            .iterator();
    }
}
