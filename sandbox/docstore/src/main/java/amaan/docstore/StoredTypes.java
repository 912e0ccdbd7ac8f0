package amaan.docstore;

import java.nio.ByteBuffer;

import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * How documents and their ids stand in the file: as BSON (bsonspec.org), ids in BSON's order.
 *
 * <p>The library would use Java's serialization, several times larger and slower, and compare ids by their bytes.
 */
final class StoredTypes {

    static final Documents DOCUMENTS = new Documents();
    static final Ids IDS = new Ids();

    private StoredTypes() {
    }

    /** The bytes of a document; IllegalArgumentException for what BSON cannot hold. */
    static ByteBuf encode(Document document) {
        ByteBuf buffer = Unpooled.buffer(512);
        BsonEncoder.encodeDocument(document, buffer);
        return buffer;
    }

    private static void write(WriteBuffer target, Document document) {
        ByteBuf bytes = encode(document);
        target.put(bytes.nioBuffer());
    }

    private static Document readDocument(ByteBuffer source) {
        ByteBuf bytes = Unpooled.wrappedBuffer(source.slice());
        Document document = BsonDecoder.decodeBson(bytes);
        source.position(source.position() + bytes.readerIndex());
        return document;
    }

    /** Values of a collection's map. */
    static final class Documents extends BasicDataType<Document> {

        @Override
        public int getMemory(Document document) {
            return Footprint.of(document);
        }

        @Override
        public void write(WriteBuffer target, Document document) {
            StoredTypes.write(target, document);
        }

        @Override
        public Document read(ByteBuffer source) {
            return readDocument(source);
        }

        @Override
        public Document[] createStorage(int size) {
            return new Document[size];
        }
    }

    /** Keys of a collection's map: any BSON value, or Missing. */
    static final class Ids extends BasicDataType<Object> {

        private static final byte TEXT = 1;
        private static final byte MISSING = 2;
        private static final byte OTHER = 3;

        @Override
        public int compare(Object a, Object b) {
            return Values.compare(a, b);
        }

        @Override
        public int getMemory(Object id) {
            return Footprint.of(id);
        }

        @Override
        public void write(WriteBuffer target, Object id) {
            if (id instanceof String text) {
                target.put(TEXT).putVarInt(text.length()).putStringData(text, text.length());
            } else if (id instanceof Missing) {
                target.put(MISSING);
            } else {
                target.put(OTHER);
                StoredTypes.write(target, new Document("", id));
            }
        }

        @Override
        public Object read(ByteBuffer source) {
            byte kind = source.get();
            return switch (kind) {
                case TEXT -> org.h2.mvstore.DataUtils.readString(source);
                case MISSING -> Missing.getInstance();
                case OTHER -> readDocument(source).get("");
                default -> throw new IllegalStateException("unknown kind of id in the file: " + kind);
            };
        }

        @Override
        public Object[] createStorage(int size) {
            return new Object[size];
        }
    }

    /** About how many bytes a value takes in memory, for the store's cache. */
    private static final class Footprint {

        private static final int ENTRY = 56;

        static int of(Object value) {
            if (value instanceof String text) {
                return 48 + text.length();
            } else if (value instanceof Document document) {
                int sum = 120;
                for (var entry : document.entrySet()) {
                    sum += ENTRY + of(entry.getKey()) + of(entry.getValue());
                }
                return sum;
            } else if (value instanceof Iterable<?> list) {
                int sum = 40;
                for (Object element : list) {
                    sum += 4 + of(element);
                }
                return sum;
            }
            return 24;
        }
    }
}
