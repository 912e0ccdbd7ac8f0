package amaan.docstore;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.ByteArrayDataType;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.DatabaseResolver;
import de.bwaldvogel.mongo.backend.DefaultQueryMatcher;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.IndexNotFoundException;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.oplog.Oplog;
import io.netty.channel.Channel;

/** A database whose collections have real indexes, in memory, filled when it is opened. */
final class IndexedDatabase extends H2Database {

    private static final String DOCUMENTS = "databases.";
    private static final String INDEXES = "system.indexes";
    private static final String NAMESPACES = "system.namespaces";
    /** What would be ignored: better refused here than missed in a city. */
    private static final Set<String> NOT_HERE = Set.of("partialFilterExpression", "expireAfterSeconds", "collation");

    private final MVStore store;
    private final MVStore memory = MVStore.open(null);
    private final GroupCommit commits;
    private final List<IndexedCollection> opened = new ArrayList<>();
    private boolean opening = true;

    IndexedDatabase(String name, MVStore store, CursorRegistry cursors, GroupCommit commits) {
        super(name, store, cursors);
        this.store = store;
        this.commits = commits;
        super.initializeNamespacesAndIndexes();
        opening = false;
        opened.forEach(IndexedCollection::opened);
        opened.clear();
    }

    /** The superclass calls it before our fields are set; our constructor does it itself. */
    @Override
    protected void initializeNamespacesAndIndexes() {
        // Nothing yet.
    }

    @Override
    protected MongoCollection<Object> openOrCreateCollection(String name, CollectionOptions options) {
        IndexedCollection collection = new IndexedCollection(this, name, options, documentsOf(name), cursorRegistry,
            commits, opening);
        if (opening) {
            opened.add(collection);
        }
        return collection;
    }

    @Override
    protected Index<Object> openOrCreateUniqueIndex(String collection, String index, List<IndexKey> keys, boolean sparse) {
        if (keys.size() == 1 && keys.get(0).getKey().equals("_id")) {
            return new IdIndex(index, keys, documentsOf(collection));
        }
        return new SortedIndex(index, keys, sparse, true, memory);
    }

    @Override
    protected Index<Object> openOrCreateSecondaryIndex(String collection, String index, List<IndexKey> keys, boolean sparse) {
        return new SortedIndex(index, keys, sparse, false, memory);
    }

    private MVMap<Object, byte[]> documentsOf(String collection) {
        return store.openMap(DOCUMENTS + getFullCollectionNamespace(collection),
            new MVMap.Builder<Object, byte[]>().keyType(new StoredTypes.Ids()).valueType(ByteArrayDataType.INSTANCE));
    }

    @Override
    public Document handleCommand(Channel channel, String command, Document query, DatabaseResolver resolver, Oplog oplog) {
        switch (command) {
            case "createIndexes" -> refuseUnknownIndexes(query);
            case "dropIndexes" -> {
                return dropIndexes(channel, query, resolver, oplog);
            }
            case "listCollections" -> {
                return filtered(super.handleCommand(channel, command, query, resolver, oplog), query);
            }
            case "aggregate" -> {
                if (resolveCollection(query.get(command).toString(), false) instanceof IndexedCollection collection
                    && query.get("pipeline") instanceof List<?> pipeline && !pipeline.isEmpty()
                    && pipeline.get(0) instanceof Document first && first.get("$match") instanceof Document match) {
                    return collection.aggregate(match, () -> super.handleCommand(channel, command, query, resolver, oplog));
                }
            }
            default -> {
            }
        }
        return super.handleCommand(channel, command, query, resolver, oplog);
    }

    private static void refuseUnknownIndexes(Document query) {
        for (Object description : (List<?>) query.get("indexes")) {
            Document index = (Document) description;
            List<String> refused = new ArrayList<>(index.keySet().stream().filter(NOT_HERE::contains).toList());
            ((Document) index.get("key")).forEach((field, kind) -> {
                if (!(kind instanceof Number) || field.contains("$") || field.matches("(.*\\.)?\\d+(\\..*)?")) {
                    refused.add(field + ": " + kind);
                }
            });
            if (!refused.isEmpty()) {
                throw new MongoServerError(67, "CannotCreateIndex", "the embedded server has no index with " + refused);
            }
        }
    }

    /** By keys and one at a time: the library forgets indexes of the same name in other collections. */
    private Document dropIndexes(Channel channel, Document query, DatabaseResolver resolver, Oplog oplog) {
        MongoCollection<Object> collection = resolveCollection((String) query.get("dropIndexes"), false);
        Object wanted = query.get("index");
        List<Document> keys = new ArrayList<>();
        if (collection != null) {
            for (Index<Object> index : collection.getIndexes()) {
                Document description = index.toIndexDescription();
                boolean primary = index instanceof IdIndex;
                if (Objects.equals(wanted, "*") ? !primary : wanted.equals(index.getName()) || wanted.equals(description.get("key"))) {
                    keys.add((Document) description.get("key"));
                }
            }
            if (keys.isEmpty() && !Objects.equals(wanted, "*")) {
                throw new IndexNotFoundException("index not found with name [" + wanted + "]");
            }
        }
        for (Document key : keys) {
            super.handleCommand(channel, "dropIndexes", query.clone().append("index", key), resolver, oplog);
        }
        return new Document("ok", 1.0);
    }

    private static Document filtered(Document answer, Document query) {
        if (query.get("filter") instanceof Document filter) {
            Document cursor = (Document) answer.get("cursor");
            cursor.put("firstBatch", ((List<?>) cursor.get("firstBatch")).stream()
                .filter(found -> new DefaultQueryMatcher().matches((Document) found, filter)).toList());
        }
        return answer;
    }

    @Override
    public void dropCollection(String name, Oplog oplog) {
        super.dropCollection(name, oplog);
        commits.changed();
    }

    /** The library's own removes every map whose name begins with ours: of `city` also those of `city_two`. */
    @Override
    public void drop(Oplog oplog) {
        String prefix = DOCUMENTS + databaseName + ".";
        List<String> names = store.getMapNames().stream().filter(map -> map.startsWith(prefix))
            .map(map -> map.substring(prefix.length())).toList();
        names.stream().filter(name -> !name.startsWith("system.")).forEach(name -> dropCollection(name, oplog));
        List.of(INDEXES, NAMESPACES).stream().filter(names::contains).forEach(name -> dropCollection(name, oplog));
        memory.close();
    }
}
