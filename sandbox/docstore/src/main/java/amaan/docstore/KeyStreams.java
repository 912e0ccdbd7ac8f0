package amaan.docstore;

import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import java.util.Set;

import de.bwaldvogel.mongo.backend.IndexKey;

/** How the keys of several stretches of an index become one sequence of ids. */
final class KeyStreams {

    private KeyStreams() {
    }

    /** One after the other. */
    static final class Chain implements Iterator<OrderedIndex.Key> {
        private final Iterator<Iterator<OrderedIndex.Key>> parts;
        private Iterator<OrderedIndex.Key> current = Collections.emptyIterator();

        Chain(List<Iterator<OrderedIndex.Key>> parts) {
            this.parts = parts.iterator();
        }

        @Override
        public boolean hasNext() {
            while (!current.hasNext() && parts.hasNext()) {
                current = parts.next();
            }
            return current.hasNext();
        }

        @Override
        public OrderedIndex.Key next() {
            return current.next();
        }
    }

    /** A document may have several keys, or move within the index while it is read. */
    static final class Distinct implements Iterator<Object> {
        private final Iterator<OrderedIndex.Key> keys;
        private final Set<Object> seen = new HashSet<>();
        private Object next;

        Distinct(Iterator<OrderedIndex.Key> keys) {
            this.keys = keys;
        }

        @Override
        public boolean hasNext() {
            while (next == null && keys.hasNext()) {
                Object position = keys.next().position();
                if (seen.add(position)) {
                    next = position;
                }
            }
            return next != null;
        }

        @Override
        public Object next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            Object position = next;
            next = null;
            return position;
        }
    }

    /** Several sorted stretches of one index as one: what {@code $in} on the first fields and a sort on the next need. */
    static final class Merge implements Iterator<OrderedIndex.Key> {

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
}
