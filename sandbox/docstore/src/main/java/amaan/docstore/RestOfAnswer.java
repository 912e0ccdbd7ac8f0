package amaan.docstore;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

import de.bwaldvogel.mongo.backend.AbstractCursor;
import de.bwaldvogel.mongo.bson.Document;

/**
 * What a query found beyond its first batch: ids in order, read when they are asked for.
 *
 * <p>Holding the documents instead would take half a gigabyte for a hundred thousand of them.
 */
final class RestOfAnswer extends AbstractCursor {

    /** A batch ends here, far below what drivers accept as one message (48 MB). */
    static final int BATCH_BYTES = 8 << 20;

    private final Iterator<Object> ids;
    private final Function<Object, byte[]> read;
    private final UnaryOperator<List<Document>> project;

    /** @param read the bytes of a document, null when it is gone meanwhile */
    RestOfAnswer(long cursor, List<Object> ids, Function<Object, byte[]> read, UnaryOperator<List<Document>> project) {
        super(cursor);
        this.ids = ids.iterator();
        this.read = read;
        this.project = project;
    }

    @Override
    public synchronized boolean isEmpty() {
        return !ids.hasNext();
    }

    @Override
    public synchronized List<Document> takeDocuments(int most) {
        List<Document> batch = new ArrayList<>();
        for (long size = 0; ids.hasNext() && batch.size() < most && size < BATCH_BYTES;) {
            byte[] bytes = read.apply(ids.next());
            if (bytes != null) {
                size += bytes.length;
                batch.add(StoredTypes.decode(bytes));
            }
        }
        return project.apply(batch);
    }
}
