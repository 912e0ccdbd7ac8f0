"""The local carriers, seen through the vendors' real client libraries."""

from tests.fakes.carriers_process import CarriersProcess


def test_a_sent_sms_reaches_the_phone_and_is_delivered(carriers: CarriersProcess) -> None:
    sent = carriers.twilio().messages.create(to="+923001230001", from_=carriers.number, body="مدد آ رہی ہے")
    assert sent.status == "queued"
    (sms,) = carriers.inbox("+923001230001")["sms"]
    assert (sms["sid"], sms["body"], sms["segments"]) == (sent.sid, "مدد آ رہی ہے", 1)
    carriers.wait_for(lambda: carriers.twilio().messages(sent.sid).fetch().status == "delivered")
