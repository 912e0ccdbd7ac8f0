package amaan.smsc;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.jsmpp.session.SMPPServerSession;

/**
 * The tests' side, over HTTP on loopback: GET /messages?to=, GET /asked?to=, DELETE /messages, PUT /faults?to=&amp;status=…, DELETE /faults,
 * DELETE /sessions (every connection breaks), GET /sessions (how many are bound).
 */
final class Control {
    private final Network network;
    private final HttpServer server;

    Control(Network network, int port) throws IOException {
        this.network = network;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 64);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/", this::handle);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        int status = 200;
        String body;
        try {
            body = answer(exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath(), query(exchange));
        } catch (IllegalArgumentException wrong) {
            status = 400;
            body = "{\"error\":\"a value that it cannot have\"}";
        }
        if (body == null) {
            status = 404;
            body = "{\"error\":\"not found\"}";
        }
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private String answer(String asked, Map<String, String> query) {
        switch (asked) {
            case "GET /messages":
                return network.messages().stream()
                        .filter(each -> !query.containsKey("to") || each.to.equals(query.get("to")))
                        .map(Message::json)
                        .collect(Collectors.joining(",", "[", "]"));
            case "DELETE /messages":
                network.forget();
                return "{}";
            case "PUT /faults":
                network.setFault(query.getOrDefault("to", "*"), new Fault(query));
                return "{}";
            case "DELETE /faults":
                network.clearFaults();
                return "{}";
            case "GET /asked":
                return "{\"asked\":" + network.asked(query.getOrDefault("to", "")) + "}";
            case "GET /sessions":
                return "{\"bound\":" + network.sessions().size() + "}";
            case "DELETE /sessions":
                network.sessions().forEach(SMPPServerSession::close);
                return "{}";
            case "POST /unbind":
                network.sessions().forEach(SMPPServerSession::unbindAndClose);
                return "{}";
            default:
                return null;
        }
    }

    private static Map<String, String> query(HttpExchange exchange) {
        Map<String, String> found = new HashMap<>();
        String raw = exchange.getRequestURI().getRawQuery();
        for (String pair : raw == null ? new String[0] : raw.split("&")) {
            int at = pair.indexOf('=');
            String name = at < 0 ? pair : pair.substring(0, at);
            String value = at < 0 ? "" : pair.substring(at + 1);
            found.put(name, URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        return found;
    }
}
