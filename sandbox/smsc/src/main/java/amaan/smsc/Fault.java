package amaan.smsc;

import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** How messages to one number, or to all, are mistreated. */
final class Fault {
    /** This command_status instead of taking the message; 0: it is taken. */
    final int status;
    /** Taken, and answered so many milliseconds later. */
    final long slowMs;
    /** Taken, and the connection breaks instead of an answer. */
    final boolean drop;
    /** How the network ends it: DELIVRD, UNDELIV, EXPIRED, REJECTD …; "none": no receipt ever comes. */
    final String receipt;
    /** The network's own error in the receipt. */
    final String error;
    /** How long the network holds it, in milliseconds; past its validity it is EXPIRED. */
    final long queueMs;

    private final AtomicInteger left;

    Fault(Map<String, String> values) {
        status = Integer.decode(values.getOrDefault("status", "0"));
        slowMs = Long.parseLong(values.getOrDefault("slow_ms", "0"));
        drop = Boolean.parseBoolean(values.getOrDefault("drop", "false"));
        receipt = values.getOrDefault("receipt", "DELIVRD");
        error = values.getOrDefault("error", "000");
        queueMs = Long.parseLong(values.getOrDefault("queue_ms", "0"));
        left = new AtomicInteger(Integer.parseInt(values.getOrDefault("times", "1000000000")));
    }

    static final Fault NONE = new Fault(Map.of());

    /** Whether the next message is still hit. */
    boolean hits() {
        return left.getAndUpdate(n -> Math.max(0, n - 1)) > 0;
    }
}
