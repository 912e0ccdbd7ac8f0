package amaan.docstore;

import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;

import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;

import de.bwaldvogel.mongo.MongoServer;

/**
 * The embedded document server: {@code java -jar docstore.jar --port N --file PATH}.
 *
 * <p>Port 0 takes a free one; {@code --file :memory:} keeps nothing. Prints {@code listening on 127.0.0.1:N} when ready.
 * What stops it from starting is one line on stderr and exit code 1 (2 for a wrong argument). SIGTERM closes the file.
 */
public final class DocStore {

    private static final String HOST = "127.0.0.1";
    private static final String USAGE = "usage: docstore --port N --file PATH|:memory:";
    /** A connection stays on one thread, and a write waits there for the disk: as many as may wait together. */
    private static final int THREADS = 32;
    /** How long replaced data stays in the file. A kill -9 needs none of it; the file stays small. */
    private static final int RETENTION_MS = 1_000;
    private static final int CACHE_MB = 160;

    private DocStore() {
    }

    public static void main(String[] args) {
        Thread.setDefaultUncaughtExceptionHandler(DocStore::endOnFatalError);
        try {
            Map<String, String> options = parse(args);
            int port = port(options.get("--port"));
            MongoServer server = start(open(options.get("--file")), port);
            System.out.println("listening on " + HOST + ":" + server.getLocalAddress().getPort());
            System.out.flush();
        } catch (Refusal refusal) {
            System.err.println("docstore: " + refusal.getMessage());
            System.exit(refusal.code);
        } catch (MVStoreException e) {
            System.err.println("docstore: the file is damaged, or was written by another version: " + firstLine(e));
            System.exit(1);
        }
    }

    private static Map<String, String> parse(String[] args) {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            boolean known = args[i].equals("--port") || args[i].equals("--file");
            if (!known || i + 1 == args.length || options.put(args[i], args[i + 1]) != null) {
                throw new Refusal(2, USAGE);
            }
        }
        if (options.size() != 2) {
            throw new Refusal(2, USAGE);
        }
        return options;
    }

    private static int port(String text) {
        if (!text.matches("\\d{1,5}") || Integer.parseInt(text) > 65_535) {
            throw new Refusal(2, "--port is a number from 0 to 65535, not '" + text + "'");
        }
        return Integer.parseInt(text);
    }

    static MVStore open(String file) {
        if (file.equals(":memory:")) {
            return MVStore.open(null);
        }
        try {
            MVStore store = new MVStore.Builder().fileName(file).cacheSize(CACHE_MB).open();
            store.setRetentionTime(RETENTION_MS);
            store.setVersionsToKeep(0);
            return store;
        } catch (MVStoreException e) {
            throw new Refusal(1, file + " " + reason(e));
        } catch (IllegalArgumentException e) {
            throw new Refusal(1, file + " cannot be opened: " + firstLine(e));
        }
    }

    private static String reason(MVStoreException e) {
        return switch (e.getErrorCode()) {
            case DataUtils.ERROR_FILE_LOCKED -> "is in use by another server";
            case DataUtils.ERROR_FILE_CORRUPT -> "is corrupt, or no document store";
            case DataUtils.ERROR_UNSUPPORTED_FORMAT -> "was written by another version";
            case DataUtils.ERROR_READING_FAILED -> "cannot be read or written, or is no document store";
            default -> "cannot be opened: " + firstLine(e);
        };
    }

    private static String firstLine(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    static MongoServer start(MVStore store, int port) {
        MongoServer server = new MongoServer(new DurableBackend(store));
        try {
            server.bind(new InetSocketAddress(HOST, port), 1, THREADS);
        } catch (Exception e) { // the library throws Netty's checked BindException undeclared
            throw new Refusal(1, "port " + port + " cannot be used: " + e.getMessage());
        }
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow, "close"));
        return server;
    }

    /** Half a server is worse than none: whoever started it starts it again, with all that was acknowledged. */
    private static void endOnFatalError(Thread thread, Throwable error) {
        System.err.println("docstore: " + thread.getName() + " failed: " + error);
        if (error instanceof VirtualMachineError) {
            Runtime.getRuntime().halt(1);
        }
    }

    /** Why the server does not start, in words for the person who started it. */
    static final class Refusal extends RuntimeException {
        final int code;

        Refusal(int code, String message) {
            super(message);
            this.code = code;
        }
    }
}
