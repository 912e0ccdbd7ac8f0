package amaan.docstore;

import java.util.List;
import java.util.Locale;
import java.util.Set;

import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;

/**
 * A write is answered only when it is on disk.
 *
 * <p>The library leaves saving to the store's background thread, so a kill -9 loses up to a second. Here every command
 * that may have written waits for a commit that began after its change. One commit serves all who wait for it, so
 * sixteen clients do not pay for sixteen.
 */
final class DurableBackend extends H2Backend {

    /** Commands that change nothing: everything else, known or not, is committed. */
    private static final Set<String> READS = Set.of(
        "find", "getmore", "count", "distinct", "listcollections", "listindexes", "listdatabases", "killcursors",
        "hello", "ismaster", "ping", "buildinfo", "serverstatus", "dbstats", "collstats", "getlasterror",
        "connectionstatus", "endsessions", "hostinfo", "getlog", "whatsmyuri", "getcmdlineopts", "validate");

    /** What drivers ask for today (MongoDB 5.0): the library says 8, which pymongo 4.20 refuses. */
    private static final MongoVersion VERSION = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(5, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 13;
        }
    };

    private final MVMap<String, Long> marker;
    private final Object turn = new Object();
    private long applied;
    private long durable;
    private boolean committing;

    DurableBackend(MVStore store) {
        super(store);
        version(VERSION);
        marker = store.openMap("amaan.commits");
    }

    @Override
    public Document handleMessage(MongoMessage message) {
        String command = message.getDocument().keySet().iterator().next().toLowerCase(Locale.ROOT);
        if (isInMemory() || READS.contains(command)) {
            return super.handleMessage(message);
        }
        try {
            return super.handleMessage(message);
        } finally {
            // A command that failed may have changed something before it did: its error waits for the disk as well.
            awaitDurable();
        }
    }

    /** Returns when all that this thread changed before is on disk; throws when the store cannot write. */
    private void awaitDurable() {
        long mine;
        synchronized (turn) {
            mine = ++applied;
            while (committing && durable < mine) {
                waitForTurn();
            }
            if (durable >= mine) {
                return;
            }
            committing = true;
            mine = applied;
        }
        boolean saved = false;
        try {
            save();
            saved = true;
        } finally {
            synchronized (turn) {
                committing = false;
                if (saved) {
                    durable = mine;
                }
                turn.notifyAll();
            }
        }
    }

    private void waitForTurn() {
        try {
            turn.wait();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted before the write was on disk", e);
        }
    }

    private void save() {
        MVStore store = getMvStore();
        if (store.commit() < 0) {
            // Nothing left to save means that the background thread took our change, and it does not wait for the
            // disk. The store writes its commits in order: one more of our own ends after that one.
            marker.put("n", marker.getOrDefault("n", 0L) + 1);
            store.commit();
        }
    }
}
