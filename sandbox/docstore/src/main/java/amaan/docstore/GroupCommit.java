package amaan.docstore;

import java.util.concurrent.atomic.AtomicLong;

import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * Waits until what was changed is on disk. Of the threads that wait, one commits for all.
 *
 * <p>Change first, then {@link #changed()}, then {@link #await()}: a commit that starts later holds the change.
 */
final class GroupCommit {

    private final MVStore store;
    private final boolean onDisk;
    private final AtomicLong changes = new AtomicLong();
    private final MVMap<String, Long> marker;
    private final Object turn = new Object();
    /** All changes up to this number are on disk. */
    private volatile long durable;
    private boolean committing;

    GroupCommit(MVStore store) {
        this.store = store;
        onDisk = store.getFileStore() != null;
        marker = onDisk ? store.openMap("amaan.commits") : null;
    }

    void changed() {
        changes.incrementAndGet();
    }

    /** Returns when all changes counted before are on disk; a store that cannot write throws. */
    void await() {
        long mine = changes.get();
        if (!onDisk || durable >= mine) {
            return;
        }
        synchronized (turn) {
            while (committing && durable < mine) {
                waitForTurn();
            }
            if (durable >= mine) {
                return;
            }
            committing = true;
        }
        long saved = durable;
        try {
            long now = changes.get();
            save();
            saved = now;
        } finally {
            synchronized (turn) {
                committing = false;
                durable = saved;
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
        if (store.commit() < 0) {
            // Nothing left to save: the store's background thread took the change, and it does not wait for the disk.
            // Commits are written in order, so when one more of our own is on disk, that one is.
            marker.put("n", marker.getOrDefault("n", 0L) + 1);
            store.commit();
        }
    }
}
