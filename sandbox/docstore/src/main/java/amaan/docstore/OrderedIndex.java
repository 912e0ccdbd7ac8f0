package amaan.docstore;

import java.util.Iterator;
import java.util.List;

import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.bson.Document;

/** An index that can be read in order, between bounds. Positions are document ids; readers take no lock. */
abstract class OrderedIndex extends Index<Object> {

    /**
     * A stretch of an index: fixed values of its first fields, then bounds (both inclusive) on the next one.
     *
     * <p>Null is no bound. With an upper bound alone the stretch begins after null: null and missing sort first, and no
     * comparison matches them.
     */
    record Stretch(List<Object> prefix, Object lower, Object upper) {
    }

    /** One key in the order of its index, and whose it is. */
    record Key(Object[] values, Object position) {
    }

    protected OrderedIndex(String name, List<IndexKey> keys, boolean sparse) {
        super(name, keys, sparse);
    }

    /** Whether any document ever had an array on this field's path. */
    abstract boolean isMultikey(int field);

    /** How many keys are in the stretch, counted in O(log n). */
    abstract long count(Stretch stretch);

    /** The keys of the stretch in the index's order or against it, as they are at this moment. */
    abstract Iterator<Key> read(Stretch stretch, boolean reverse);

    @Override
    public boolean hasSameOptions(Index<?> other) {
        return toIndexDescription().equals(other.toIndexDescription());
    }

    /** For the planner: the library keeps it to itself. */
    boolean leavesOutMissing() {
        return isSparse();
    }

    // The planner of IndexedCollection decides which index serves a query; the library's own choice is not used.

    @Override
    public boolean canHandle(Document query) {
        return false;
    }

    @Override
    public Iterable<Object> getPositions(Document query) {
        throw new UnsupportedOperationException("queries are planned in IndexedCollection");
    }

    @Override
    public long getDataSize() {
        return getCount();
    }
}
