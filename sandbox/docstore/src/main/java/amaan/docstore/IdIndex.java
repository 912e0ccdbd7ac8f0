package amaan.docstore;

import java.util.Collections;
import java.util.Iterator;
import java.util.List;

import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.DuplicateKeyError;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.wire.BsonConstants;

/** The index on {@code _id}: the collection's own map, which is sorted by it. The first index of every collection. */
final class IdIndex extends OrderedIndex {

    private static final String ID = "_id";

    private final MVMap<Object, byte[]> documents;

    IdIndex(String name, List<IndexKey> keys, MVMap<Object, byte[]> documents) {
        super(name, keys, false);
        this.documents = documents;
    }

    @Override
    public boolean isUnique() {
        return true;
    }

    @Override
    boolean isMultikey(int field) {
        return false;
    }

    @Override
    public Object getPosition(Document document) {
        Object id = Missing.ofNullable(document.get(ID));
        return documents.containsKey(id) ? id : null;
    }

    @Override
    public void checkAdd(Document document, MongoCollection<Object> collection) {
        refuseWhatCannotBeStored(document);
        if (getPosition(document) != null) {
            throw new DuplicateKeyError(this, collection, getKeys(), new KeyValue(Collections.singletonList(document.get(ID))));
        }
    }

    @Override
    public void checkUpdate(Document oldDocument, Document newDocument, MongoCollection<Object> collection) {
        refuseWhatCannotBeStored(newDocument);
    }

    /** Before anything changes: once in the map, such a document would make the store fail when it commits. */
    private static void refuseWhatCannotBeStored(Document document) {
        int size;
        try {
            size = StoredTypes.encode(document).length;
        } catch (IllegalArgumentException e) {
            throw new MongoServerError(2, "BadValue", "a value has a type that cannot be stored");
        }
        if (size > BsonConstants.MAX_BSON_OBJECT_SIZE) {
            throw new MongoServerError(10334, "BSONObjectTooLarge", "BSONObj size: " + size + " is invalid. Size must be"
                + " between 0 and " + BsonConstants.MAX_BSON_OBJECT_SIZE);
        }
    }

    @Override
    public void add(Document document, Object position, MongoCollection<Object> collection) {
        // The collection has put it into its map.
    }

    @Override
    public Object remove(Document document) {
        return getPosition(document);
    }

    @Override
    public void updateInPlace(Document oldDocument, Document newDocument, Object position,
                              MongoCollection<Object> collection) {
        // An id never changes.
    }

    @Override
    public long getCount() {
        return documents.sizeAsLong();
    }

    @Override
    public void drop() {
        // The collection's map goes with the collection.
    }

    @Override
    long count(Stretch stretch) {
        if (!stretch.prefix().isEmpty()) {
            return 1;
        }
        long from = stretch.lower() == null ? 0 : rank(stretch.lower());
        long to = stretch.upper() == null ? documents.sizeAsLong() : rank(stretch.upper());
        return Math.max(0, to - from);
    }

    private long rank(Object id) {
        long index = documents.getKeyIndex(id);
        return index < 0 ? -index - 1 : index;
    }

    @Override
    Iterator<Key> read(Stretch stretch, boolean reverse) {
        if (!stretch.prefix().isEmpty()) {
            Object id = Missing.ofNullable(stretch.prefix().get(0));
            return List.of(new Key(new Object[] {id}, id)).iterator();
        }
        Object from = reverse ? stretch.upper() : stretch.lower();
        Object to = reverse ? stretch.lower() : stretch.upper();
        Cursor<Object, byte[]> cursor = documents.cursor(from, to, reverse);
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return cursor.hasNext();
            }

            @Override
            public Key next() {
                Object id = cursor.next();
                return new Key(new Object[] {id}, id);
            }
        };
    }
}
