package amaan.docstore;

import java.time.Instant;

import de.bwaldvogel.mongo.backend.ValueComparator;
import de.bwaldvogel.mongo.bson.Document;

/** The order of values in an index: MongoDB's comparison order, numbers by value whatever their type. */
final class Values {

    private Values() {
    }

    static int compare(Object a, Object b) {
        if (a == b) {
            return 0;
        }
        if (a instanceof String x && b instanceof String y) {
            return x.compareTo(y);
        }
        if (a instanceof Instant x && b instanceof Instant y) {
            return x.compareTo(y);
        }
        int order = ValueComparator.ascWithoutListHandling().compare(a, b);
        if (order == 0 && a instanceof Document && b instanceof Document && !a.equals(b)) {
            // The library compares arrays inside a document by their least element: not enough to tell keys apart.
            return a.toString().compareTo(b.toString());
        }
        return order;
    }
}
