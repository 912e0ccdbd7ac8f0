package amaan.docstore;

import java.util.Iterator;
import java.util.List;
import java.util.PriorityQueue;

import de.bwaldvogel.mongo.backend.IndexKey;

/** Several sorted stretches of one index as one: what {@code $in} on the first fields and a sort on the next need. */
final class Merge implements Iterator<OrderedIndex.Key> {

    private final PriorityQueue<Head> heads;

    private record Head(OrderedIndex.Key key, Iterator<OrderedIndex.Key> rest) {
    }

    /** Compares from the field `from` on, in the directions of the index, backwards when `reverse`. */
    Merge(List<Iterator<OrderedIndex.Key>> parts, List<IndexKey> keys, int from, boolean reverse) {
        heads = new PriorityQueue<>(parts.size(), (a, b) -> {
            int order = compare(a.key, b.key, keys, from);
            return reverse ? -order : order;
        });
        parts.forEach(this::push);
    }

    private static int compare(OrderedIndex.Key a, OrderedIndex.Key b, List<IndexKey> keys, int from) {
        for (int i = from; i < keys.size(); i++) {
            int order = Values.compare(a.values()[i], b.values()[i]);
            if (order != 0) {
                return keys.get(i).isAscending() ? order : -order;
            }
        }
        return Values.compare(a.position(), b.position());
    }

    private void push(Iterator<OrderedIndex.Key> part) {
        if (part.hasNext()) {
            heads.add(new Head(part.next(), part));
        }
    }

    @Override
    public boolean hasNext() {
        return !heads.isEmpty();
    }

    @Override
    public OrderedIndex.Key next() {
        Head head = heads.remove();
        push(head.rest);
        return head.key;
    }
}
