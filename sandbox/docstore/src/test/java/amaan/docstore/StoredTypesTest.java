package amaan.docstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

import org.h2.mvstore.WriteBuffer;
import org.junit.jupiter.api.Test;

import de.bwaldvogel.mongo.backend.Missing;
import de.bwaldvogel.mongo.bson.Document;
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
