package amaan.docstore;

import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.Deque;

import de.bwaldvogel.mongo.backend.CursorRegistry;

/** Keeps few answers open at a time: a client that died never asks for the rest of its own. The oldest go first. */
final class OpenCursors {

    private static final int MOST = 200;

    private final CursorRegistry registry;
    /** Weak: the registry lets go of what was read to its end or given up by its client. */
    private final Deque<WeakReference<RestOfAnswer>> open = new ArrayDeque<>();

    OpenCursors(CursorRegistry registry) {
        this.registry = registry;
    }

    synchronized void add(RestOfAnswer rest) {
        open.removeIf(reference -> {
            RestOfAnswer other = reference.get();
            return other == null || other.isEmpty();
        });
        if (open.size() == MOST) {
            RestOfAnswer oldest = open.remove().get();
            if (oldest != null) {
                registry.remove(oldest);
            }
        }
        open.add(new WeakReference<>(rest));
        registry.add(rest);
    }
}
