package amaan.docstore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;

import org.junit.jupiter.api.Test;

import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.CannotIndexParallelArraysError;

/** Keys as MongoDB makes them: docs "Multikey Indexes". */
class KeyExtractorTest {

    private static KeyExtractor.Keys keys(Document document, String... fields) {
        return new KeyExtractor(List.of(fields)).keys(document);
    }

    private static List<List<Object>> values(Document document, String... fields) {
        return keys(document, fields).values().stream().map(Arrays::asList).toList();
    }

    private static List<Object> list(Object... values) {
        return Arrays.asList(values);
    }

    @Test
    void plainFieldsGiveOneKey() {
        Document document = new Document("city", "lahore").append("slots", new Document("police", new Document("due", 5)));
        assertEquals(List.of(list("lahore", 5)), values(document, "city", "slots.police.due"));
        assertArrayEquals(new boolean[] {false, false}, keys(document, "city", "slots.police.due").multikey());
    }

    @Test
    void missingAndNullAreNullButOnlyNullIsPresent() {
        assertEquals(List.of(list((Object) null)), values(new Document(), "due"));
        assertFalse(keys(new Document(), "due").present());
        assertTrue(keys(new Document("due", null), "due").present());
        assertTrue(keys(new Document("due", null), "other", "due").present());
        assertFalse(keys(new Document("due", 5), "due.at").present());
    }

    @Test
    void eachElementOfAnArrayIsAKey() {
        Document document = new Document("tags", List.of("a", "b")).append("n", 1);
        assertEquals(List.of(list("a", 1), list("b", 1)), values(document, "tags", "n"));
        assertArrayEquals(new boolean[] {true, false}, keys(document, "tags", "n").multikey());
    }

    @Test
    void anEmptyArrayIsNullAndPresent() {
        assertEquals(List.of(list(null, 1)), values(new Document("tags", List.of()).append("n", 1), "tags", "n"));
        assertTrue(keys(new Document("tags", List.of()), "tags").present());
        assertFalse(keys(new Document("units", List.of()), "units.id").present());
    }

    @Test
    void pathsThroughOneArrayTakeItsElementsTogether() {
        Document document = new Document("units", List.of(
            new Document("id", "u1").append("state", "sent"), new Document("id", "u2"), "neither"));
        assertEquals(List.of(list("u1", "sent"), list("u2", null), list(null, null)),
            values(document, "units.id", "units.state"));
    }

    @Test
    void arraysInsideArraysAreFollowedByPath() {
        Document document = new Document("units", List.of(
            new Document("calls", List.of(new Document("id", 1), new Document("id", 2))),
            new Document("calls", List.of(new Document("id", 3)))));
        assertEquals(List.of(list(1), list(2), list(3)), values(document, "units.calls.id"));
    }

    @Test
    void anArrayAsElementIsOneKey() {
        assertEquals(List.of(list(List.of(1, 2)), list(3)), values(new Document("a", List.of(List.of(1, 2), 3)), "a"));
    }

    @Test
    void twoArraysAreRefused() {
        Document document = new Document("a", List.of(1)).append("b", List.of(2));
        assertThrows(CannotIndexParallelArraysError.class, () -> keys(document, "a", "b"));
    }
}
