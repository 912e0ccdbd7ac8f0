package amaan.smsc;

import java.time.Instant;
import java.util.HexFormat;
import org.jsmpp.bean.SubmitSm;

/** One submit_sm that was taken, and what the network made of it. */
final class Message {
    final String id;
    final String sender;
    final String to;
    final int esmClass;
    final int dataCoding;
    final byte[] text;
    final String validity;
    final boolean wantsReceipt;
    final Instant at = Instant.now();
    volatile String state = "ENROUTE";

    Message(String id, SubmitSm pdu) {
        this.id = id;
        this.sender = pdu.getSourceAddr();
        this.to = pdu.getDestAddress();
        this.esmClass = pdu.getEsmClass() & 0xff;
        this.dataCoding = pdu.getDataCoding() & 0xff;
        this.text = pdu.getShortMessage();
        this.validity = pdu.getValidityPeriod() == null ? "" : pdu.getValidityPeriod();
        this.wantsReceipt = (pdu.getRegisteredDelivery() & 0x03) != 0;
    }

    /** How long the network tries, in seconds, from a relative time (YYMMDDhhmmss000R); a day without one. */
    long lifetime() {
        if (validity.length() != 16 || !validity.endsWith("R")) {
            return 86_400;
        }
        long days = number(0) * 365 + number(2) * 30 + number(4);
        return ((days * 24 + number(6)) * 60 + number(8)) * 60 + number(10);
    }

    private long number(int at) {
        return Long.parseLong(validity.substring(at, at + 2));
    }

    /** As JSON; every text in it is of our own alphabet or hexadecimal. */
    String json() {
        return String.format(
                "{\"id\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"esm_class\":%d,\"data_coding\":%d,\"text\":\"%s\","
                        + "\"validity\":\"%s\",\"receipt\":%b,\"state\":\"%s\",\"at\":\"%s\"}",
                id, plain(sender), plain(to), esmClass, dataCoding, HexFormat.of().formatHex(text), plain(validity),
                wantsReceipt, state, at);
    }

    private static String plain(String text) {
        return text.replaceAll("[^A-Za-z0-9+ ._-]", "?");
    }
}
