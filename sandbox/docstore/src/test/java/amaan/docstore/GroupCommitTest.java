package amaan.docstore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was waited for is in the file, as a copy of it at that moment shows: what a kill -9 would leave. */
class GroupCommitTest {

    @TempDir
    Path directory;

    private long inACopyOf(Path file, String key) throws IOException {
        Path copy = Files.createTempFile(directory, "copy", ".db");
        Files.write(copy, Files.readAllBytes(file));
        try (MVStore store = new MVStore.Builder().fileName(copy.toString()).readOnly().open()) {
            return store.<String, Long>openMap("things").getOrDefault(key, -1L);
        }
    }

    @Test
    void whatWasAwaitedIsInTheFile() throws IOException {
        Path file = directory.resolve("a.db");
        try (MVStore store = MVStore.open(file.toString())) {
            MVMap<String, Long> things = store.openMap("things");
            GroupCommit commits = new GroupCommit(store);
            for (long i = 0; i < 20; i++) {
                things.put("k", i);
                commits.changed();
                commits.await();
                assertEquals(i, inACopyOf(file, "k"));
            }
        }
    }

    @Test
    void whatTheBackgroundThreadTookIsAwaitedToo() throws IOException {
        Path file = directory.resolve("b.db");
        try (MVStore store = MVStore.open(file.toString())) {
            MVMap<String, Long> things = store.openMap("things");
            MVMap<Long, byte[]> large = store.openMap("large");
            GroupCommit commits = new GroupCommit(store);
            for (long i = 0; i < 3; i++) {
                large.put(i, new byte[24 << 20]); // so that writing takes a while
                things.put("k", i);
                commits.changed();
                store.tryCommit(); // as the background thread does: returns before the file is written
                while (store.hasUnsavedChanges()) {
                    Thread.onSpinWait(); // from here on the store takes them for saved
                }
                commits.await();
                assertEquals(i, inACopyOf(file, "k"));
            }
        }
    }

    @Test
    void manyWaitForFewCommits() throws Exception {
        int threads = 16;
        int each = 50;
        try (MVStore store = MVStore.open(directory.resolve("c.db").toString())) {
            MVMap<String, Long> things = store.openMap("things");
            GroupCommit commits = new GroupCommit(store);
            long before = store.getCurrentVersion();
            ExecutorService pool = Executors.newFixedThreadPool(threads);
            List<Callable<Void>> work = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                int thread = t;
                work.add(() -> {
                    for (long i = 0; i < each; i++) {
                        things.put(thread + "-" + i, i);
                        commits.changed();
                        commits.await();
                    }
                    return null;
                });
            }
            for (Future<Void> done : pool.invokeAll(work)) {
                done.get();
            }
            pool.shutdown();
            assertEquals(threads * each, things.size());
            assertTrue(store.getCurrentVersion() - before < threads * each / 2, "a commit for almost every write");
        }
    }

    @Test
    void nothingChangedNothingSaved() {
        try (MVStore store = MVStore.open(directory.resolve("d.db").toString())) {
            GroupCommit commits = new GroupCommit(store);
            commits.changed();
            commits.await();
            long version = store.getCurrentVersion();
            commits.await();
            assertEquals(version, store.getCurrentVersion());
        }
    }

    @Test
    void aStoreThatCannotWriteIsNeverTakenForSaved() {
        MVStore store = MVStore.open(directory.resolve("e.db").toString());
        MVMap<String, Long> things = store.openMap("things");
        GroupCommit commits = new GroupCommit(store);
        things.put("k", 1L);
        commits.changed();
        store.closeImmediately();
        assertThrows(MVStoreException.class, commits::await);
        assertThrows(MVStoreException.class, commits::await);
    }
}
