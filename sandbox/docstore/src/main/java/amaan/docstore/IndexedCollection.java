package amaan.docstore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.Spliterators;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import org.h2.mvstore.MVMap;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.AbstractSynchronizedMongoCollection;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.DocumentWithPosition;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.backend.QueryParameters;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;

/**
 * A collection whose queries use its indexes and whose readers wait for nobody.
 *
 * <p>The map holds bytes, and whoever reads decodes a document of its own. The library edits documents where they
 * stand; so what it edits is nobody else's, neither another answer's on its way out nor the store's while it saves.
 */
final class IndexedCollection extends AbstractSynchronizedMongoCollection<Object> {

    private final MVMap<Object, byte[]> documents;
    private final GroupCommit commits;
    private final Search search;
    private final OpenCursors cursors;
    private final ThreadLocal<Document> aggregated = new ThreadLocal<>();
    private volatile List<OrderedIndex> ordered = List.of();
    private boolean opening;
    /** How many documents the current writer wants; guarded by this. */
    private int wanted;

    IndexedCollection(MongoDatabase database, String name, CollectionOptions options, MVMap<Object, byte[]> documents,
                      CursorRegistry cursors, GroupCommit commits, boolean opening) {
        super(database, name, options, cursors);
        this.documents = documents;
        this.cursors = new OpenCursors(cursors);
        search = new Search(documents);
        this.commits = commits;
        this.opening = opening;
    }

    // --- reading: without the lock that the superclass would take

    @Override
    public QueryResult handleQuery(QueryParameters parameters) {
        Document selector = parameters.getQuerySelector();
        boolean wrapped = selector.containsKey("$query") || selector.containsKey("query");
        Document filter = wrapped ? (Document) selector.getOrDefault("$query", selector.get("query")) : selector;
        Document orderBy = wrapped ? (Document) selector.getOrDefault("$orderby", selector.get("orderby")) : null;
        Document firstStage = aggregated.get();
        if (firstStage != null && filter.isEmpty()) {
            aggregated.remove();
            filter = firstStage;
        }
        return queryDocuments(filter, orderBy, parameters.getNumberToSkip(), parameters.getLimit(),
            parameters.getBatchSize(), parameters.getProjection());
    }

    @Override
    protected QueryResult queryDocuments(Document filter, Document orderBy, int skip, int limit, int batchSize,
                                         Document projection) {
        int most = limit == 0 && Thread.holdsLock(this) ? wanted : Math.max(limit, 0); // the library also says -1 for all
        List<Search.Found> found = search.run(ordered, filter, orderBy, skip, most);
        if (batchSize == 0) { // asked for inside the server
            return new QueryResult(() -> found.stream().map(search::read).filter(Objects::nonNull)
                .map(document -> project(List.of(document), projection).get(0)).iterator());
        }
        RestOfAnswer rest = new RestOfAnswer(cursorRegistry.generateCursorId(), found, search::read,
            documents -> project(documents, projection));
        List<Document> first = rest.takeDocuments(batchSize);
        if (rest.isEmpty()) {
            return new QueryResult(first);
        }
        cursors.add(rest);
        return new QueryResult(first, rest);
    }

    private List<Document> project(List<Document> found, Document projection) {
        return projection == null || projection.isEmpty() ? found
            : matchDocumentsFromStream(new Document(), found.stream(), 0, 0, 0, null, projection).collectDocuments();
    }

    @Override
    protected QueryResult matchDocuments(Document filter, Document orderBy, int skip, int limit, int batchSize,
                                         Document projection) {
        throw new UnsupportedOperationException("queryDocuments does it");
    }

    /** Runs an aggregation on this collection: the library asks for all documents, and its first {@code $match} filters. */
    <T> T aggregate(Document firstMatch, Supplier<T> run) {
        aggregated.set(firstMatch);
        try {
            return run.get();
        } finally {
            aggregated.remove();
        }
    }

    /** Without the lock, and without the library's null for a field that an array's element does not have. */
    @Override
    public Document handleDistinct(Document query) {
        String field = (String) query.get("key");
        Set<Object> values = new TreeSet<>(ValueComparator.ascWithoutListHandling());
        for (Document document : queryDocuments((Document) query.getOrDefault("query", new Document()), null, 0, 0, 0, null)) {
            Object value = Utils.getSubdocumentValueCollectionAware(document, field);
            Collection<?> found = value instanceof Collection<?> list ? list : Collections.singletonList(value);
            found.stream().filter(each -> !(each instanceof Missing)).forEach(values::add);
        }
        return new Document("values", values).append("ok", 1.0);
    }

    @Override
    public int count(Document query, int skip, int limit) {
        if (query == null || query.isEmpty()) {
            return super.count(query, skip, limit);
        }
        return search.run(ordered, query, null, skip, Math.max(limit, 0)).size();
    }

    @Override
    protected boolean documentMatchesQuery(Document document, Document query) {
        return search.matches(document, query);
    }

    @Override
    protected Document getDocument(Object position) {
        return search.read(position);
    }

    @Override
    protected Stream<DocumentWithPosition<Object>> streamAllDocumentsWithPosition() {
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(search.all(), 0), false)
            .map(found -> new DocumentWithPosition<>(found.document(), found.id()));
    }

    @Override
    public int count() {
        return documents.size();
    }

    // --- writing: under the superclass's lock

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
        Object id = getIdField() == null ? UUID.randomUUID() : Missing.ofNullable(document.get(getIdField()));
        documents.put(id, StoredTypes.encode(document));
        commits.changed();
        return id;
    }

    @Override
    protected void handleUpdate(Object position, Document oldDocument, Document newDocument) {
        documents.put(position, StoredTypes.encode(newDocument));
        commits.changed();
    }

    @Override
    protected void removeDocument(Object position) {
        if (documents.remove(position) == null) {
            throw new NoSuchElementException("no document to remove");
        }
        commits.changed();
    }

    /** The library would write a running total with each document; it is asked for once in a while. */
    @Override
    protected boolean tracksDataSize() {
        return false;
    }

    @Override
    protected void updateDataSize(int sizeDelta) {
        throw new UnsupportedOperationException("not tracked");
    }

    @Override
    protected int getDataSize() {
        long sum = documents.values().stream().mapToLong(bytes -> bytes.length).sum();
        return (int) Math.min(sum, Integer.MAX_VALUE);
    }

    // --- indexes

    /** Under the lock: a document written meanwhile must be in the index too. */
    @Override
    public synchronized void addIndex(Index<Object> index) {
        if (opening) {
            getIndexes().add(index);
        } else {
            super.addIndex(index);
            refreshIndexes();
        }
    }

    /** Ends opening: all indexes are filled in one pass, for the library would read all documents twice for each. */
    synchronized void opened() {
        opening = false;
        refreshIndexes();
        List<OrderedIndex> toFill = ordered.stream().filter(OrderedIndex::isEmpty).toList();
        if (!toFill.isEmpty()) {
            search.all().forEachRemaining(found ->
                toFill.forEach(index -> index.add(found.document(), found.id(), this)));
        }
    }

    @Override
    public synchronized void dropIndex(String indexName) {
        super.dropIndex(indexName);
        refreshIndexes();
    }

    private void refreshIndexes() {
        ordered = getIndexes().stream().map(OrderedIndex.class::cast).collect(Collectors.toCollection(ArrayList::new));
    }
}
