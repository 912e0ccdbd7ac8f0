package amaan.smsc;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashMap;
import java.util.Map;
import org.jsmpp.session.SMPPServerSession;
import org.jsmpp.session.SMPPServerSessionListener;
import org.jsmpp.session.connection.ServerConnection;
import org.jsmpp.session.connection.ServerConnectionFactory;
import org.jsmpp.session.connection.socket.ServerSocketConnection;

/**
 * A short message service centre on one laptop, on loopback alone: takes submit_sm, sends delivery receipts, answers
 * query_sm, and misbehaves as it is told. jsmpp speaks the protocol; its own simulator knows no failures and no query_sm.
 */
public final class Smsc {
    private Smsc() {}

    public static void main(String[] args) throws Exception {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            options.put(args[i].substring(2), args[i + 1]);
        }
        Network network = new Network(Long.parseLong(options.getOrDefault("receipt-ms", "200")));
        Sessions sessions = new Sessions(
                network, options.getOrDefault("system-id", "amaan"), options.getOrDefault("password", "smsc-pw"));
        Loopback loopback = new Loopback();
        int port = Integer.parseInt(options.getOrDefault("port", "2775"));
        // A message that is answered late holds one of these: the others go on.
        SMPPServerSessionListener listener = new SMPPServerSessionListener(port, loopback);
        listener.setPduProcessorDegree(32);
        listener.setMessageReceiverListener(sessions);
        Control control = new Control(network, Integer.parseInt(options.getOrDefault("control-port", "0")));
        System.out.println("listening on 127.0.0.1:" + loopback.port + " control 127.0.0.1:" + control.port());
        while (true) {
            SMPPServerSession session = listener.accept();
            Thread thread = new Thread(() -> sessions.welcome(session), "bind");
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** The library's own listens on every address of the machine. */
    private static final class Loopback implements ServerConnectionFactory {
        private int port;

        @Override
        public ServerConnection listen(int wanted) throws IOException {
            return listen(wanted, 0, 64);
        }

        @Override
        public ServerConnection listen(int wanted, int timeout) throws IOException {
            return listen(wanted, timeout, 64);
        }

        @Override
        public ServerConnection listen(int wanted, int timeout, int backlog) throws IOException {
            ServerSocket socket = new ServerSocket(wanted, backlog, InetAddress.getLoopbackAddress());
            socket.setSoTimeout(timeout);
            port = socket.getLocalPort();
            return new ServerSocketConnection(socket);
        }
    }
}
