package amaan.docstore;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;

import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;

/**
 * Answers a command only when what it changed is on disk.
 *
 * <p>The library leaves saving to the store's background thread, so that a kill -9 loses up to a second.
 */
final class DurableBackend extends H2Backend {

    /** As many documents as MongoDB sends first; without a limit a large answer exceeds what drivers accept (48 MB). */
    private static final int FIRST_BATCH = 101;
    private static final int NEXT_BATCH = 1_000;

    /** Commands that change nothing: all others, known or not, wait for the disk. */
    private static final Set<String> READS = Set.of(
        "find", "getmore", "count", "distinct", "listcollections", "listindexes", "listdatabases", "killcursors",
        "hello", "ismaster", "ping", "buildinfo", "serverstatus", "dbstats", "collstats", "getlasterror",
        "connectionstatus", "endsessions", "hostinfo", "getlog", "whatsmyuri", "getcmdlineopts", "validate");

    /** The library says wire version 8, which pymongo 4.20 refuses; 13 is MongoDB 5.0, as which it presents itself. */
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

    /** Without initializer: the superclass opens the databases before ours would run. */
    private GroupCommit commits;

    DurableBackend(MVStore store) {
        super(store);
        version(VERSION);
    }

    private GroupCommit commits() {
        if (commits == null) {
            commits = new GroupCommit(getMvStore());
        }
        return commits;
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String databaseName) {
        return keepingPages(() -> new IndexedDatabase(databaseName, getMvStore(), getCursorRegistry(), commits()));
    }

    /** Readers take no lock: while one reads, the store must not reuse the place of what it has not yet read. */
    private <T> T keepingPages(Supplier<T> run) {
        MVStore store = getMvStore();
        MVStore.TxCounter version = store.registerVersionUsage();
        try {
            return run.get();
        } finally {
            store.deregisterVersionUsage(version);
        }
    }

    @Override
    public Document handleCommand(Channel channel, String databaseName, String command, Document query) {
        String name = command.toLowerCase(Locale.ROOT);
        switch (name) {
            case "find" -> query.putIfAbsent("batchSize", FIRST_BATCH);
            case "getmore" -> query.putIfAbsent("batchSize", NEXT_BATCH);
            case "listdatabases" -> {
                return listDatabases();
            }
            default -> {
            }
        }
        try {
            return keepingPages(() -> super.handleCommand(channel, databaseName, command, query));
        } catch (OutOfMemoryError e) {
            System.err.println("docstore: out of memory in " + name);
            Runtime.getRuntime().halt(1);
            throw e;
        } finally {
            // A refusal waits as well: it may rest on a change of another client that is not yet on disk.
            if (!READS.contains(name)) {
                awaitDisk();
            }
        }
    }

    private void awaitDisk() {
        try {
            commits().await();
        } catch (MVStoreException e) {
            // The store refuses everything from here on; whoever started us starts us again.
            System.err.println("docstore: the file cannot be written: " + e.getMessage());
            Runtime.getRuntime().halt(1);
        }
    }

    /** The library would open every database a second time to list it. */
    private Document listDatabases() {
        List<Document> found = listDatabaseNames().stream().sorted()
            .map(name -> new Document("name", name).append("sizeOnDisk", 0L)
                .append("empty", resolveDatabase(name).isEmpty()))
            .toList();
        return new Document("databases", found).append("totalSize", 0L).append("ok", 1.0);
    }
}
