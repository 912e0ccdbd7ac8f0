"""TwiML that answers an SMS with one SMS, or with nothing (www.twilio.com/docs/messaging/twiml)."""

from twilio.twiml.messaging_response import MessagingResponse


def reply(text: str = "") -> str:
    """One message to whoever wrote; without a text nobody is answered."""
    response = MessagingResponse()
    if text:
        response.message(text)
    return str(response)
