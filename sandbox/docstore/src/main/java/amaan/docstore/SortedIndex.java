package amaan.docstore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;

import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.DuplicateKeyError;

/**
 * A secondary index: a sorted map in memory, filled when the collection is opened.
 *
 * <p>The map is a copy-on-write tree, so a reader sees it as it was when it began, while a writer goes on.
 */
final class SortedIndex extends OrderedIndex {

    private final MVStore memory;
    private final MVMap<IndexEntry, Boolean> entries;
    private final KeyExtractor extractor;
    private final boolean[] descending;
    private final boolean unique;
    private volatile boolean[] multikey;

    SortedIndex(String name, List<IndexKey> keys, boolean sparse, boolean unique, MVStore memory) {
        super(name, keys, sparse);
        this.unique = unique;
        this.memory = memory;
        extractor = new KeyExtractor(keys());
        multikey = new boolean[keys.size()];
        descending = new boolean[keys.size()];
        for (int i = 0; i < descending.length; i++) {
            descending[i] = !keys.get(i).isAscending();
        }
        // A name of its own each time: while an index is dropped and made again, readers may still hold the old one.
        entries = memory.openMap(UUID.randomUUID().toString(),
            new MVMap.Builder<IndexEntry, Boolean>().keyType(new IndexEntry.Order(descending)).valueType(new IndexEntry.Nothing()));
    }

    @Override
    public boolean isUnique() {
        return unique;
    }

    @Override
    boolean isMultikey(int field) {
        return multikey[field];
    }

    @Override
    public Object getPosition(Document document) {
        return Missing.ofNullable(document.get("_id"));
    }

    @Override
    public void checkAdd(Document document, MongoCollection<Object> collection) {
        checkUnique(entriesOf(document, getPosition(document)), collection);
    }

    @Override
    public void checkUpdate(Document oldDocument, Document newDocument, MongoCollection<Object> collection) {
        checkUnique(entriesOf(newDocument, getPosition(newDocument)), collection);
    }

    private void checkUnique(List<IndexEntry> wanted, MongoCollection<Object> collection) {
        if (!unique) {
            return;
        }
        for (IndexEntry entry : wanted) {
            Cursor<IndexEntry, Boolean> same = entries.cursor(
                new IndexEntry(entry.values(), null, -1), new IndexEntry(entry.values(), null, 1), false);
            while (same.hasNext()) {
                if (Values.compare(same.next().position(), entry.position()) != 0) {
                    throw new DuplicateKeyError(this, collection, getKeys(), new KeyValue(Arrays.asList(entry.values())));
                }
            }
        }
    }

    @Override
    public void add(Document document, Object position, MongoCollection<Object> collection) {
        List<IndexEntry> mine = entriesOf(document, position);
        checkUnique(mine, collection); // when the index is made, this document was checked before the others were in
        mine.forEach(entry -> entries.put(entry, Boolean.TRUE));
    }

    @Override
    public Object remove(Document document) {
        Object position = getPosition(document);
        entriesOf(document, position).forEach(entries::remove);
        return position;
    }

    /** New keys first: a reader in between finds the document twice rather than not at all. */
    @Override
    public void updateInPlace(Document oldDocument, Document newDocument, Object position,
                              MongoCollection<Object> collection) {
        List<IndexEntry> after = entriesOf(newDocument, position);
        List<IndexEntry> before = new ArrayList<>(entriesOf(oldDocument, position));
        for (IndexEntry entry : after) {
            if (!before.removeIf(old -> entries.getKeyType().compare(old, entry) == 0)) {
                entries.put(entry, Boolean.TRUE);
            }
        }
        before.forEach(entries::remove);
    }

    private List<IndexEntry> entriesOf(Document document, Object position) {
        KeyExtractor.Keys keys = extractor.keys(document);
        if (isSparse() && !keys.present()) {
            return List.of();
        }
        noteMultikey(keys.multikey());
        return keys.values().stream().map(values -> new IndexEntry(values, position, 0)).toList();
    }

    private void noteMultikey(boolean[] seen) {
        for (int i = 0; i < seen.length; i++) {
            if (seen[i] && !multikey[i]) {
                boolean[] more = multikey.clone();
                more[i] = true;
                multikey = more;
            }
        }
    }

    @Override
    public long getCount() {
        return entries.sizeAsLong();
    }

    @Override
    long count(Stretch stretch) {
        return Math.max(0, rank(last(stretch)) - rank(first(stretch)));
    }

    private long rank(IndexEntry bound) {
        long index = entries.getKeyIndex(bound);
        return index < 0 ? -index - 1 : index;
    }

    @Override
    Iterator<Key> read(Stretch stretch, boolean reverse) {
        IndexEntry first = first(stretch);
        IndexEntry last = last(stretch);
        Cursor<IndexEntry, Boolean> cursor = entries.cursor(reverse ? last : first, reverse ? first : last, reverse);
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return cursor.hasNext();
            }

            @Override
            public Key next() {
                IndexEntry entry = cursor.next();
                return new Key(entry.values(), entry.position());
            }
        };
    }

    @Override
    public void drop() {
        memory.removeMap(entries);
    }

    private IndexEntry first(Stretch stretch) {
        return isDescending(stretch) ? upperEnd(stretch, -1) : lowerEnd(stretch, -1);
    }

    private IndexEntry last(Stretch stretch) {
        return isDescending(stretch) ? lowerEnd(stretch, 1) : upperEnd(stretch, 1);
    }

    private boolean isDescending(Stretch stretch) {
        return stretch.prefix().size() < descending.length && descending[stretch.prefix().size()];
    }

    private static IndexEntry lowerEnd(Stretch stretch, int side) {
        if (stretch.lower() != null) {
            return bound(stretch.prefix(), stretch.lower(), side);
        }
        // After all nulls: on the far side of them as seen from the rest.
        return stretch.upper() == null ? bound(stretch.prefix(), side) : bound(stretch.prefix(), null, -side);
    }

    private static IndexEntry upperEnd(Stretch stretch, int side) {
        return stretch.upper() == null ? bound(stretch.prefix(), side) : bound(stretch.prefix(), stretch.upper(), side);
    }

    private static IndexEntry bound(List<Object> prefix, int side) {
        return new IndexEntry(prefix.toArray(), null, side);
    }

    private static IndexEntry bound(List<Object> prefix, Object next, int side) {
        Object[] values = Arrays.copyOf(prefix.toArray(), prefix.size() + 1);
        values[prefix.size()] = next;
        return new IndexEntry(values, null, side);
    }
}
