package amaan.docstore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.CannotIndexParallelArraysError;

/**
 * The keys that a document has in an index, as MongoDB makes them.
 *
 * <p>An array gives a key for each element (multikey), on any level of a dotted path; two paths through the same array
 * take its elements together; an empty array and a missing field are null. Two different arrays are refused.
 */
final class KeyExtractor {

    private final String[] fields;
    private final String[][] paths;

    KeyExtractor(List<String> fields) {
        this.fields = fields.toArray(String[]::new);
        paths = fields.stream().map(field -> field.split("\\.")).toArray(String[][]::new);
    }

    /**
     * The keys of one document.
     *
     * @param present whether any of the fields exists: what a sparse index asks
     * @param multikey for each field, whether an array stood on its path
     */
    record Keys(List<Object[]> values, boolean present, boolean[] multikey) {
    }

    Keys keys(Document document) {
        Walk walk = new Walk();
        Object[] nodes = new Object[paths.length];
        java.util.Arrays.fill(nodes, document);
        walk.expand(nodes, new int[paths.length]);
        return new Keys(walk.found, walk.present, walk.multikey);
    }

    private final class Walk {
        private static final int DONE = Integer.MAX_VALUE;

        private final List<Object[]> found = new ArrayList<>(1);
        private final boolean[] multikey = new boolean[paths.length];
        private boolean present;

        /** Go down each path from its node at its depth; at the first array, go on with each of its elements. */
        void expand(Object[] nodes, int[] depths) {
            Collection<?> array = null;
            int arrayField = -1;
            for (int f = 0; f < paths.length; f++) {
                while (depths[f] < paths[f].length && nodes[f] instanceof Document inner) {
                    nodes[f] = inner.getOrMissing(paths[f][depths[f]++]);
                }
                if (depths[f] != DONE && nodes[f] instanceof Collection<?> here) {
                    if (array != null && array != here) {
                        throw new CannotIndexParallelArraysError(List.of(fields[arrayField], fields[f]));
                    }
                    array = here;
                    arrayField = f;
                }
            }
            if (array == null) {
                found.add(finish(nodes, depths));
                return;
            }
            for (Object element : array.isEmpty() ? List.of(Missing.getInstance()) : array) {
                Object[] nextNodes = nodes.clone();
                int[] nextDepths = depths.clone();
                for (int f = 0; f < paths.length; f++) {
                    if (depths[f] != DONE && nodes[f] == array) {
                        multikey[f] = true;
                        nextNodes[f] = element;
                        if (depths[f] == paths[f].length) {
                            nextDepths[f] = DONE;
                            present = true;
                        }
                    }
                }
                expand(nextNodes, nextDepths);
            }
        }

        private Object[] finish(Object[] nodes, int[] depths) {
            Object[] key = new Object[nodes.length];
            for (int f = 0; f < nodes.length; f++) {
                boolean reached = depths[f] >= paths[f].length && !(nodes[f] instanceof Missing);
                present |= reached;
                key[f] = reached ? nodes[f] : null;
            }
            return key;
        }
    }
}
