package amaan.docstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import org.h2.mvstore.MVStore;
import org.junit.jupiter.api.Test;

import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.bson.Document;

/** What a query reads: exactly its part of the best index, in order where the index gives it. */
class PlanTest {

    private static final int DOCUMENTS = 1_000;

    private final MVStore memory = MVStore.open(null);
    private final List<OrderedIndex> indexes = new ArrayList<>();

    private SortedIndex index(boolean sparse, String... fields) {
        List<IndexKey> keys = Arrays.stream(fields)
            .map(field -> new IndexKey(field.replace("-", ""), !field.startsWith("-"))).toList();
        SortedIndex index = new SortedIndex(String.join("_", fields), keys, sparse, false, memory);
        indexes.add(index);
        return index;
    }

    /** City by turns of 2, cell by turns of 100, at counting down, every 50th due. */
    private void fill() {
        for (int i = 0; i < DOCUMENTS; i++) {
            Document document = new Document("_id", i).append("city", i % 2 == 0 ? "lahore" : "multan")
                .append("cell", "c" + i % 100).append("at", DOCUMENTS - i);
            if (i % 50 == 0) {
                document.append("due", i);
            }
            for (OrderedIndex index : indexes) {
                index.add(document, i, null);
            }
        }
    }

    private Plan plan(Document filter, Document orderBy, int limit) {
        return Plan.choose(indexes, filter, orderBy, limit, DOCUMENTS);
    }

    private static List<Object> read(Plan plan) {
        assertNotNull(plan, "a scan instead of an index");
        List<Object> positions = new ArrayList<>();
        plan.positions().forEachRemaining(positions::add);
        return positions;
    }

    private static Document is(String field, Object value) {
        return new Document(field, value);
    }

    @Test
    void equalityThenRangeReadsNothingElse() {
        index(false, "city", "at");
        fill();
        Document filter = is("city", "lahore").append("at", new Document("$lte", 9));
        assertEquals(List.of(998, 996, 994, 992), read(plan(filter, null, 0)));
    }

    @Test
    void anUpperBoundBeginsAfterNull() {
        index(false, "due");
        fill();
        assertEquals(List.of(0, 50), read(plan(is("due", new Document("$lte", 60)), null, 0)));
    }

    @Test
    void aDescendingFieldTakesTheSameBounds() {
        index(false, "-due");
        fill();
        assertEquals(List.of(100, 50, 0), read(plan(is("due", new Document("$lt", 101)), null, 0)));
        assertEquals(List.of(950, 900), read(plan(is("due", new Document("$gte", 900)), null, 0)));
    }

    @Test
    void severalValuesAreMergedInTheOrderOfTheSort() {
        index(false, "city", "cell", "at");
        fill();
        Document filter = is("city", "lahore").append("cell", new Document("$in", List.of("c2", "c0", "c4")));
        Plan ascending = plan(filter, is("at", 1), 0);
        assertTrue(ascending.isSorted());
        assertEquals(List.of(904, 902, 900, 804), read(ascending).subList(0, 4));
        Plan descending = plan(filter, is("at", -1).append("_id", -1), 3);
        assertTrue(descending.isSorted());
        assertEquals(List.of(0, 2, 4, 100), read(descending).subList(0, 4));
    }

    @Test
    void aSortThatTheIndexDoesNotGiveIsLeftToTheCaller() {
        index(false, "city", "cell");
        fill();
        assertFalse(plan(is("city", "lahore").append("cell", "c2"), is("at", 1), 0).isSorted());
        assertNull(plan(new Document(), is("at", 1), 0));
    }

    @Test
    void theFewestKeysWin() {
        index(false, "city", "at");
        index(true, "due");
        fill();
        Document filter = is("city", "lahore").append("due", new Document("$lte", 50)).append("at", new Document("$gt", 0));
        assertEquals(List.of(0, 50), read(plan(filter, null, 0)));
    }

    @Test
    void aSparseIndexServesOnlyWhatImpliesItsField() {
        index(true, "due");
        fill();
        assertNull(plan(new Document(), is("due", 1), 5));
        assertNull(plan(is("due", null), null, 0));
        assertNull(plan(is("due", new Document("$in", Arrays.asList(null, 50))), null, 0));
        assertEquals(20, read(plan(is("due", new Document("$exists", true)), null, 0)).size());
    }

    @Test
    void eachBranchOfAnOrUsesItsIndex() {
        index(false, "cell");
        index(true, "due");
        fill();
        Document filter = is("$or", List.of(is("cell", "c7"), is("due", 0)));
        assertEquals(11, read(plan(filter, null, 0)).size());
        assertNull(plan(is("$or", List.of(is("cell", "c7"), is("at", 3))), null, 0));
    }

    @Test
    void ofAnArrayOneBoundIsUsedAndEachDocumentComesOnce() {
        SortedIndex index = index(false, "marks");
        index.add(new Document("_id", 1).append("marks", List.of(1, 20)), 1, null);
        index.add(new Document("_id", 2).append("marks", List.of(6, 7)), 2, null);
        assertEquals(List.of(2, 1), read(plan(is("marks", new Document("$gt", 5).append("$lt", 10)), null, 0)));
        assertEquals(List.of(1), read(plan(is("marks", new Document("$in", List.of(1, 20))), null, 0)));
    }

    @Test
    void twoFieldsOfOneArrayAreNotBothNarrowed() {
        SortedIndex index = index(false, "units.id", "units.state");
        index.add(new Document("_id", 1).append("units", List.of(
            new Document("id", "a").append("state", "x"), new Document("id", "b").append("state", "y"))), 1, null);
        assertEquals(List.of(1), read(plan(is("units.id", "a").append("units.state", "y"), null, 0)));
    }

    @Test
    void anUpdateMovesTheKey() {
        SortedIndex index = index(false, "n");
        Document before = new Document("_id", 1).append("n", 1);
        Document after = new Document("_id", 1).append("n", 2);
        index.add(before, 1, null);
        index.updateInPlace(before, after, 1, null);
        assertEquals(List.of(), read(plan(is("n", 1), null, 0)));
        assertEquals(List.of(1), read(plan(is("n", 2.0), null, 0)));
        index.remove(after);
        assertEquals(0, index.getCount());
    }
}
