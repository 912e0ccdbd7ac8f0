package amaan.docstore;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

import de.bwaldvogel.mongo.backend.AbstractCursor;
import de.bwaldvogel.mongo.bson.Document;

/**
 * What a query found, in batches: of a large answer the documents are read when they are asked for.
 *
 * <p>Holding them all would take half a gigabyte for a hundred thousand.
 */
final class RestOfAnswer extends AbstractCursor {

    /** A batch ends here, far below what drivers accept as one message (48 MB). */
    private static final int BATCH_BYTES = 8 << 20;

    private final Iterator<Search.Found> found;
    private final Function<Search.Found, Document> read;
    private final UnaryOperator<List<Document>> project;

    /** @param read gives null for what is gone meanwhile */
    RestOfAnswer(long cursor, List<Search.Found> found, Function<Search.Found, Document> read,
                 UnaryOperator<List<Document>> project) {
        super(cursor);
        this.found = found.iterator();
        this.read = read;
        this.project = project;
    }

    @Override
    public synchronized boolean isEmpty() {
        return !found.hasNext();
    }

    @Override
    public synchronized List<Document> takeDocuments(int most) {
        List<Document> batch = new ArrayList<>();
        for (long bytes = 0; found.hasNext() && batch.size() < most && bytes < BATCH_BYTES;) {
            Search.Found next = found.next();
            Document document = read.apply(next);
            if (document != null) {
                bytes += next.size();
                batch.add(document);
            }
        }
        return project.apply(batch);
    }
}
