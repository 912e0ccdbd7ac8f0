package amaan.docstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;

import org.h2.mvstore.WriteBuffer;
import org.junit.jupiter.api.Test;

import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.BsonRegularExpression;
import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Decimal128;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.bson.MaxKey;
import de.bwaldvogel.mongo.bson.MinKey;
import de.bwaldvogel.mongo.bson.ObjectId;

class StoredTypesTest {

    private final StoredTypes.Ids ids = new StoredTypes.Ids();

    @Test
    void documentsComeBackAsTheyWere() {
        Document document = new Document("_id", "x").append("امان", "حفاظت").append("at", Instant.ofEpochMilli(1_700_000_000_123L))
            .append("list", Arrays.asList(1, 2L, 2.5, null, true, new Document("a", List.of()))).append("none", null);
        assertEquals(document, StoredTypes.decode(StoredTypes.encode(document)));
    }

    @Test
    void aPartOfADocumentIsReadPastAnythingThatStandsBeforeIt() {
        Document whole = new Document("first", 1);
        List<Object> anything = Arrays.asList(2.5, "امان", new Document("a", List.of(1)), List.of("x", 2), UUID.randomUUID(),
            new ObjectId(), true, Instant.ofEpochMilli(5), null, 7, 7L, Decimal128.fromNumber(1.5),
            new BsonTimestamp(9), new BsonRegularExpression("^a", "i"), MinKey.getInstance(), MaxKey.getInstance());
        for (int i = 0; i < anything.size(); i++) {
            whole.append("between" + i, anything.get(i));
        }
        whole.append("last", "z");
        byte[] bytes = StoredTypes.encode(whole);
        assertEquals(new Document("first", 1).append("last", "z"), StoredTypes.decode(bytes, Set.of("last", "first", "none")));
        assertEquals(new Document(), StoredTypes.decode(bytes, Set.of()));
    }

    @Test
    void whatBsonCannotHoldIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> StoredTypes.encode(new Document("a", Missing.getInstance())));
    }

    @Test
    void idsOfAnyTypeComeBack() {
        for (Object id : List.of("inc_01", "", "ا😀", 7, 7L, 1.5, new ObjectId(), UUID.randomUUID(), new Document("a", 1), true,
            Instant.ofEpochMilli(5))) {
            WriteBuffer buffer = new WriteBuffer();
            ids.write(buffer, id);
            ByteBuffer written = buffer.getBuffer();
            written.flip();
            assertEquals(id, ids.read(written));
            assertEquals(0, written.remaining());
        }
    }

    @Test
    void idsAreOrderedAsMongoDbOrdersThem() {
        List<Object> ordered = List.of(Missing.getInstance(), -1, 0.5, 1L, 2, "a", "b", new Document("a", 1), true);
        for (int i = 0; i < ordered.size(); i++) {
            for (int j = 0; j < ordered.size(); j++) {
                assertEquals(Integer.compare(i, j), Integer.signum(ids.compare(ordered.get(i), ordered.get(j))));
            }
        }
        assertEquals(0, ids.compare(1, 1.0));
        assertEquals(0, ids.compare(1, 1L));
    }

    @Test
    void documentsThatDifferInAnArrayAreDifferentKeys() {
        Document one = new Document("a", List.of(1, 2));
        Document two = new Document("a", List.of(1, 3));
        assertEquals(-Values.compare(one, two), Values.compare(two, one));
        assertEquals(false, Values.compare(one, two) == 0);
    }
}
