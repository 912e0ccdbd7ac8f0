package amaan.smsc;

import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jsmpp.bean.DataCodings;
import org.jsmpp.bean.DeliveryReceipt;
import org.jsmpp.bean.ESMClass;
import org.jsmpp.bean.GSMSpecificFeature;
import org.jsmpp.bean.MessageMode;
import org.jsmpp.bean.MessageState;
import org.jsmpp.bean.MessageType;
import org.jsmpp.bean.NumberingPlanIndicator;
import org.jsmpp.bean.OptionalParameter;
import org.jsmpp.bean.RegisteredDelivery;
import org.jsmpp.bean.SubmitSm;
import org.jsmpp.bean.TypeOfNumber;
import org.jsmpp.session.SMPPServerSession;
import org.jsmpp.util.DeliveryReceiptState;

/** What was taken, what becomes of it, and who is told: any bound session of the account, as real ones do. */
final class Network {
    private static final int RECEIPT_TRIES = 6;
    private static final Map<String, MessageState> STATES = Map.of(
            "ENROUTE", MessageState.ENROUTE, "DELIVRD", MessageState.DELIVERED, "EXPIRED", MessageState.EXPIRED,
            "DELETED", MessageState.DELETED, "UNDELIV", MessageState.UNDELIVERABLE, "ACCEPTD", MessageState.ACCEPTED,
            "UNKNOWN", MessageState.UNKNOWN, "REJECTD", MessageState.REJECTED);

    private final Map<String, Message> messages = new ConcurrentHashMap<>();
    private final List<Message> inOrder = new CopyOnWriteArrayList<>();
    private final Map<String, AtomicLong> asked = new ConcurrentHashMap<>();
    private final Map<String, Fault> faults = new ConcurrentHashMap<>();
    private final List<SMPPServerSession> sessions = new CopyOnWriteArrayList<>();
    private final AtomicLong ids = new AtomicLong(System.nanoTime() & 0xffffffL);
    private final AtomicLong turns = new AtomicLong();
    private final ScheduledExecutorService later = Executors.newScheduledThreadPool(4, Network::daemon);
    private final long receiptDelayMs;

    Network(long receiptDelayMs) {
        this.receiptDelayMs = receiptDelayMs;
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work, "network");
        thread.setDaemon(true);
        return thread;
    }

    void join(SMPPServerSession session) {
        sessions.add(session);
    }

    void leave(SMPPServerSession session) {
        sessions.remove(session);
    }

    List<SMPPServerSession> sessions() {
        return new ArrayList<>(sessions);
    }

    /** The fault that a message to this number meets; NONE for most. */
    Fault fault(String to) {
        asked.computeIfAbsent(to, number -> new AtomicLong()).incrementAndGet();
        for (String key : new String[] {to, "*"}) {
            Fault found = faults.get(key);
            if (found != null && found.hits()) {
                return found;
            }
        }
        return Fault.NONE;
    }

    /** How often somebody wanted to send to this number. */
    long asked(String to) {
        AtomicLong found = asked.get(to);
        return found == null ? 0 : found.get();
    }

    void setFault(String to, Fault fault) {
        faults.put(to, fault);
    }

    void clearFaults() {
        faults.clear();
    }

    void forget() {
        messages.clear();
        inOrder.clear();
        asked.clear();
    }

    Message message(String id) {
        return messages.get(id);
    }

    List<Message> messages() {
        return inOrder;
    }

    /** Take a message; its receipt follows. */
    Message take(SubmitSm pdu, Fault fault) {
        Message made = new Message(Long.toHexString(ids.incrementAndGet()), pdu);
        messages.put(made.id, made);
        inOrder.add(made);
        boolean tooLate = fault.queueMs > made.lifetime() * 1000;
        long wait = tooLate ? made.lifetime() * 1000 : fault.queueMs;
        String ends = tooLate ? "EXPIRED" : fault.receipt;
        if (!ends.equals("none")) {
            later.schedule(() -> end(made, ends, fault.error, 1), wait + receiptDelayMs, TimeUnit.MILLISECONDS);
        }
        return made;
    }

    private void end(Message message, String state, String error, int tried) {
        message.state = state;
        if (!message.wantsReceipt) {
            return;
        }
        try {
            tell(message, state, error);
        } catch (Exception failed) {
            // Refused for now, or nobody is bound: a real one tries for hours.
            if (tried < RECEIPT_TRIES) {
                later.schedule(() -> end(message, state, error, tried + 1), 300L * tried, TimeUnit.MILLISECONDS);
            }
        }
    }

    private void tell(Message message, String state, String error) throws Exception {
        List<SMPPServerSession> bound = sessions();
        SMPPServerSession session = bound.get((int) (turns.getAndIncrement() % bound.size()));
        DeliveryReceipt receipt = new DeliveryReceipt(message.id, 1, state.equals("DELIVRD") ? 1 : 0,
                Date.from(message.at), new Date(), DeliveryReceiptState.getByName(state), error, "");
        session.deliverShortMessage("", TypeOfNumber.INTERNATIONAL, NumberingPlanIndicator.ISDN, message.to,
                TypeOfNumber.UNKNOWN, NumberingPlanIndicator.UNKNOWN, message.sender,
                new ESMClass(MessageMode.DEFAULT, MessageType.SMSC_DEL_RECEIPT, GSMSpecificFeature.DEFAULT),
                (byte) 0, (byte) 0, new RegisteredDelivery(0), DataCodings.ZERO, receipt.toString().getBytes(),
                new OptionalParameter.Receipted_message_id(message.id),
                new OptionalParameter.Message_state(STATES.get(state).value()));
    }

    static MessageState state(Message message) {
        return STATES.get(message.state);
    }
}
