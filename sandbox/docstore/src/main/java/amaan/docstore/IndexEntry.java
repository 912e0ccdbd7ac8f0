package amaan.docstore;

import java.nio.ByteBuffer;

import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/**
 * A key and its document, or a bound: the first values of a key, before (-1) or after (1) all entries that have them.
 */
record IndexEntry(Object[] values, Object position, int side) {

    static final class Order extends BasicDataType<IndexEntry> {
        private final boolean[] descending;

        Order(boolean[] descending) {
            this.descending = descending;
        }

        @Override
        public int compare(IndexEntry a, IndexEntry b) {
            int shared = Math.min(a.values.length, b.values.length);
            for (int i = 0; i < shared; i++) {
                int order = Values.compare(a.values[i], b.values[i]);
                if (order != 0) {
                    return descending[i] ? -order : order;
                }
            }
            if (a.side != 0 || b.side != 0) {
                return Integer.compare(a.side, b.side);
            }
            return Values.compare(a.position, b.position);
        }

        @Override
        public int getMemory(IndexEntry entry) {
            return 0;
        }

        @Override
        public void write(WriteBuffer target, IndexEntry entry) {
            throw new UnsupportedOperationException("indexes are in memory only");
        }

        @Override
        public IndexEntry read(ByteBuffer source) {
            throw new UnsupportedOperationException("indexes are in memory only");
        }

        @Override
        public IndexEntry[] createStorage(int size) {
            return new IndexEntry[size];
        }
    }

    /** A map needs values; these take no room. */
    static final class Nothing extends BasicDataType<Boolean> {
        @Override
        public int getMemory(Boolean value) {
            return 0;
        }

        @Override
        public void write(WriteBuffer target, Boolean value) {
            throw new UnsupportedOperationException("indexes are in memory only");
        }

        @Override
        public Boolean read(ByteBuffer source) {
            throw new UnsupportedOperationException("indexes are in memory only");
        }

        @Override
        public Boolean[] createStorage(int size) {
            return new Boolean[size];
        }
    }
}
