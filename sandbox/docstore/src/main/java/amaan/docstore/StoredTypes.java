package amaan.docstore;

import java.nio.ByteBuffer;
import java.util.Set;

import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.bson.BsonDecoder;
import de.bwaldvogel.mongo.wire.bson.BsonEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * How documents and their ids stand in the store: as BSON (bsonspec.org), ids in BSON's order.
 *
 * <p>The library would use Java's serialization, several times larger and slower, and compare ids by those bytes.
 */
final class StoredTypes {

    private StoredTypes() {
    }

    /** The bytes of a document; IllegalArgumentException for what BSON cannot hold. */
    static byte[] encode(Document document) {
        ByteBuf buffer = Unpooled.buffer(512);
        BsonEncoder.encodeDocument(document, buffer);
        byte[] bytes = new byte[buffer.readableBytes()];
        buffer.readBytes(bytes);
        return bytes;
    }

    static Document decode(byte[] bytes) {
        return BsonDecoder.decodeBson(Unpooled.wrappedBuffer(bytes));
    }

    /** Of a document only these fields of its top level: the others are passed over by their lengths. */
    static Document decode(byte[] bytes, Set<String> fields) {
        ByteBuf buffer = Unpooled.wrappedBuffer(bytes);
        buffer.skipBytes(Integer.BYTES);
        Document document = new Document();
        for (byte type = buffer.readByte(); type != 0 && document.size() < fields.size(); type = buffer.readByte()) {
            String name = BsonDecoder.decodeCString(buffer);
            if (fields.contains(name)) {
                document.put(name, BsonDecoder.decodeValue(type, buffer));
            } else {
                pass(type, buffer);
            }
        }
        return document;
    }

    /** Past one value (bsonspec.org); one of a rare kind is read for it. */
    private static void pass(byte type, ByteBuf buffer) {
        switch (type) {
            case 0x03, 0x04 -> buffer.skipBytes(buffer.getIntLE(buffer.readerIndex())); // document, array
            case 0x02 -> buffer.skipBytes(Integer.BYTES + buffer.getIntLE(buffer.readerIndex())); // string
            case 0x01, 0x09, 0x12 -> buffer.skipBytes(Long.BYTES); // double, date, long
            case 0x10 -> buffer.skipBytes(Integer.BYTES); // int
            case 0x08 -> buffer.skipBytes(1); // boolean
            case 0x0A -> { } // null
            default -> BsonDecoder.decodeValue(type, buffer);
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
            return id instanceof String text ? 48 + text.length() : 64;
        }

        @Override
        public void write(WriteBuffer target, Object id) {
            if (id instanceof String text) {
                target.put(TEXT).putVarInt(text.length()).putStringData(text, text.length());
            } else if (id instanceof Missing) {
                target.put(MISSING);
            } else {
                byte[] bytes = encode(new Document("", id));
                target.put(OTHER).putVarInt(bytes.length).put(bytes);
            }
        }

        @Override
        public Object read(ByteBuffer source) {
            byte kind = source.get();
            switch (kind) {
                case TEXT:
                    return DataUtils.readString(source);
                case MISSING:
                    return Missing.getInstance();
                case OTHER:
                    byte[] bytes = new byte[DataUtils.readVarInt(source)];
                    source.get(bytes);
                    return decode(bytes).get("");
                default:
                    throw new IllegalStateException("unknown kind of id in the file: " + kind);
            }
        }

        @Override
        public Object[] createStorage(int size) {
            return new Object[size];
        }
    }
}
