package amaan.docstore;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import org.h2.mvstore.MVMap;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.Cursor;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.DefaultQueryMatcher;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.QueryMatcher;
import de.bwaldvogel.mongo.backend.QueryParameters;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;

/**
 * A collection whose queries use its indexes and whose readers wait for nobody.
 *
 * <p>Documents in the map are never edited: the library edits what it is given, so a writer is given copies and puts
 * the edited one back. A reader may therefore hold any document while its answer is sent, and the store may save it.
 */
final class IndexedCollection extends H2Collection {

    /** A client that died leaves its cursors open; the oldest go first. */
    private static final int MAX_OPEN_CURSORS = 200;

    private final MVMap<Object, Document> documents;
    private final GroupCommit commits;
    /** Matching notes the position of the matched array element; writers need theirs undisturbed by readers. */
    private final QueryMatcher matcher = new DefaultQueryMatcher();
    private final Deque<Long> openCursors = new ArrayDeque<>();
    private volatile List<OrderedIndex> ordered = List.of();
    private final ThreadLocal<Source> source = new ThreadLocal<>();
    /** How many documents the current writer wants; guarded by this. */
    private int wanted;

    /** What an aggregation starts from: the filter of its first stage, and whether a later stage edits documents. */
    private record Source(Document filter, boolean copy) {
    }

    IndexedCollection(MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> documents,
                      MVMap<String, Object> meta, CursorRegistry cursors, GroupCommit commits) {
        super(database, name, options, documents, meta, cursors);
        this.documents = documents;
        this.commits = commits;
    }

    // --- reading

    @Override
    public QueryResult handleQuery(QueryParameters parameters) {
        Document selector = parameters.getQuerySelector();
        boolean wrapped = selector.containsKey("$query") || selector.containsKey("query");
        Document filter = wrapped ? (Document) selector.getOrDefault("$query", selector.get("query")) : selector;
        Document orderBy = wrapped ? (Document) selector.getOrDefault("$orderby", selector.get("orderby")) : null;
        Source start = source.get();
        if (start != null && filter.isEmpty()) {
            source.remove();
            QueryResult found = queryDocuments(start.filter, null, 0, 0, 0, null);
            return start.copy ? new QueryResult(found.collectDocuments().stream().map(Document::cloneDeeply).toList()) : found;
        }
        return queryDocuments(filter, orderBy, parameters.getNumberToSkip(), parameters.getLimit(),
            parameters.getBatchSize(), parameters.getProjection());
    }

    @Override
    protected QueryResult queryDocuments(Document filter, Document orderBy, int skip, int limit, int batchSize,
                                         Document projection) {
        boolean writing = Thread.holdsLock(this);
        int most = writing && limit == 0 ? wanted : limit;
        boolean natural = orderBy != null && orderBy.containsKey("$natural");
        Plan plan = natural ? null : Plan.choose(ordered, filter, orderBy, most, documents.sizeAsLong());
        if (plan == null && natural) {
            return matchDocuments(filter, orderBy, skip, most, batchSize, projection);
        }
        Stream<Document> found = (plan == null ? documents.values().stream() : at(plan.positions()))
            .filter(document -> matcher.matches(document, filter));
        if (writing) {
            found = found.map(Document::clone);
        }
        Document remaining = plan != null && plan.isSorted() ? null : orderBy;
        return matchDocumentsFromStream(new Document(), found, skip, most, batchSize, deriveComparator(remaining), projection);
    }

    /**
     * Runs an aggregation on this collection so that its leading {@code $match} uses the indexes.
     *
     * <p>The library asks for all documents and filters; {@code $addFields} then edits nested ones where they stand.
     */
    <T> T aggregate(List<?> pipeline, Supplier<T> run) {
        Document first = pipeline.isEmpty() ? new Document() : (Document) pipeline.get(0);
        Document filter = first.get("$match") instanceof Document match ? match : new Document();
        String stages = pipeline.toString();
        source.set(new Source(filter, stages.contains("$addFields") || stages.contains("$set")));
        try {
            return run.get();
        } finally {
            source.remove();
        }
    }

    private Stream<Document> at(Iterator<Object> positions) {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(positions, Spliterator.ORDERED), false)
            .map(documents::get).filter(Objects::nonNull);
    }

    /** The library lists a missing field of an array's element as a value, and then cannot encode its answer. */
    @Override
    public Document handleDistinct(Document query) {
        Document answer = super.handleDistinct(query);
        Stream<?> values = ((Collection<?>) answer.get("values")).stream();
        answer.put("values", values.filter(value -> !(value instanceof Missing)).collect(Collectors.toList()));
        return answer;
    }

    @Override
    protected boolean documentMatchesQuery(Document document, Document query) {
        return matcher.matches(document, query);
    }

    @Override
    protected Cursor createCursor(List<Document> remaining) {
        Cursor cursor = super.createCursor(remaining);
        synchronized (openCursors) {
            openCursors.add(cursor.getId());
            if (openCursors.size() > MAX_OPEN_CURSORS) {
                cursorRegistry.remove(openCursors.remove());
            }
        }
        return cursor;
    }

    // --- writing

    @Override
    public synchronized Document updateDocuments(Document selector, Document update, ArrayFilters arrayFilters,
                                                 boolean isMulti, boolean isUpsert, Oplog oplog) {
        wanted = isMulti ? 0 : 1;
        try {
            return super.updateDocuments(selector, update, arrayFilters, isMulti, isUpsert, oplog);
        } finally {
            wanted = 0;
        }
    }

    /** Wrapped, or a filter on a field named `query` would be taken for a wrapper. */
    @Override
    public synchronized int deleteDocuments(Document selector, int limit, Oplog oplog) {
        return super.deleteDocuments(new Document("$query", selector), limit, oplog);
    }

    @Override
    protected Object addDocumentInternal(Document document) {
        Object position = super.addDocumentInternal(document);
        commits.changed();
        return position;
    }

    @Override
    protected void handleUpdate(Object position, Document oldDocument, Document newDocument) {
        super.handleUpdate(position, oldDocument, newDocument);
        commits.changed();
    }

    @Override
    protected void removeDocument(Object position) {
        super.removeDocument(position);
        commits.changed();
    }

    /** The library would write a running total with each document; it is asked for once in a while. */
    @Override
    protected boolean tracksDataSize() {
        return false;
    }

    @Override
    protected int getDataSize() {
        if (documents == null) {
            return 0; // asked by the superclass's constructor
        }
        long sum = documents.values().stream().mapToLong(document -> StoredTypes.encode(document).readableBytes()).sum();
        return (int) Math.min(sum, Integer.MAX_VALUE);
    }

    // --- indexes

    /** Under the lock: a document written meanwhile must be in the index too. */
    @Override
    public synchronized void addIndex(Index<Object> index) {
        super.addIndex(index);
        refreshIndexes();
    }

    @Override
    public synchronized void dropIndex(String indexName) {
        super.dropIndex(indexName);
        refreshIndexes();
    }

    private void refreshIndexes() {
        List<OrderedIndex> current = new ArrayList<>();
        getIndexes().forEach(index -> current.add((OrderedIndex) index));
        ordered = List.copyOf(current);
    }
}
