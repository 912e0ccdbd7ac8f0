"""Reads TwiML, Twilio's XML of what a call or a message should do next. Pure: text in, verbs out.

Source: Twilio's pages on TwiML for Voice and Messaging; verbs and attributes are case-sensitive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree import ElementTree

LONGEST = 64 * 1024


class BadTwiml(Exception):
    """Not TwiML; `code` is Twilio's (12100 parse failure, 12300 wrong content type, 11200 not fetched)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Verb:
    """One element: its name, attributes, own text and children in order."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple[Verb, ...] = ()

    def number(self, attribute: str, default: float) -> float:
        """A numeric attribute; the default where it is missing or no number."""
        try:
            return float(self.attributes.get(attribute, default))
        except ValueError:
            return default


def _verb(element: ElementTree.Element) -> Verb:
    inner = "".join(element.itertext()) if element.tag in ("Say", "Message", "Body") else element.text or ""
    return Verb(element.tag, dict(element.attrib), " ".join(inner.split()), tuple(_verb(child) for child in element))


def parse(body: str, content_type: str = "text/xml") -> list[Verb]:
    """The verbs of a response. An empty body is no verbs; plain text is said. Raises BadTwiml."""
    if len(body) > LONGEST:
        raise BadTwiml(11750, "TwiML response body too large")
    if not body.strip():
        return []
    if content_type.partition(";")[0].strip().lower() == "text/plain":
        return [Verb("Say", {}, body)]
    if "<!DOCTYPE" in body or "<!ENTITY" in body:
        raise BadTwiml(12100, "Document parse failure: a DTD is not taken")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  # no DTD, as checked above
    except ElementTree.ParseError as failure:
        raise BadTwiml(12100, f"Document parse failure: {failure}") from failure
    if root.tag != "Response":
        raise BadTwiml(12100, "Document parse failure: the root is not <Response>")
    return [_verb(child) for child in root]


def spoken_seconds(verb: Verb) -> float:
    """How long a Say, Play or Pause takes: speech at 15 characters a second, a sound 2 s, a pause its length."""
    if verb.name == "Say":
        return len(verb.text) / 15 * max(1.0, verb.number("loop", 1))
    if verb.name == "Play":
        return 2.0
    return verb.number("length", 1) if verb.name == "Pause" else 0.0


def replies(verbs: list[Verb]) -> list[str]:
    """The texts that a messaging response sends back to the person who wrote."""
    texts = []
    for verb in verbs:
        if verb.name in ("Message", "Sms"):
            bodies = [child.text for child in verb.children if child.name == "Body"]
            texts.append(bodies[0] if bodies else verb.text)
        elif verb.name == "Say":
            # Plain text in answer to a message is sent as it stands.
            texts.append(verb.text)
    return [text for text in texts if text]


def absolute(base: str, url: str) -> str:
    """An address in TwiML, which may be relative to the document that it stands in."""
    return urljoin(base, url) if url else base
