"""The states of helpline requests and of those who answer them."""

from enum import StrEnum


class HelplineStatus(StrEnum):
    """Where a helpline request stands."""

    WAITING = "waiting"
    """In the line: nobody has it, or it came back to the line with its old place."""
    CLAIMED = "claimed"
    """One counsellor has it."""
    CLOSED = "closed"
    """It is over; `outcome` says how."""


class Mode(StrEnum):
    """How she wants to be answered."""

    CHAT = "chat"
    """In writing, in the app."""
    CALL_BACK = "call_back"
    """By a call, inside the times that she named as safe, and never outside them."""
    SILENT = "silent"
    """In writing, with nothing that sounds, shows or says what it is; whoever writes gives the codeword."""


class Channel(StrEnum):
    """How a helpline request came."""

    APP = "app"
    """From the app."""
    SMS = "sms"
    """A message to the city's helpline number; answered the same way."""
    VOICE = "voice"
    """A call to the city's helpline number; she is called back."""


class Wanted(StrEnum):
    """Whom she wants to talk to."""

    WOMAN = "woman"
    """A woman: so where nothing is said."""
    MAN = "man"
    """A man."""
    ANYONE = "anyone"
    """Whoever is free first."""


class Disguise(StrEnum):
    """What a notification on her phone pretends to be."""

    NOTHING = "nothing"
    """Nothing is shown: the app looks for itself when it is opened."""
    SHOP = "shop"
    """A shop's news."""
    WEATHER = "weather"
    """A weather app."""
    PLAIN = "plain"
    """A notification that says only that there is something."""


class Danger(StrEnum):
    """How soon somebody must talk to her. From the five questions, or a counsellor's judgement over them."""

    NOW = "now"
    """She says that she is in danger at this moment."""
    HIGH = "high"
    """Four or five of the five questions: high danger of being killed."""
    RAISED = "raised"
    """Three of them."""
    UNKNOWN = "unknown"
    """Not asked yet."""
    USUAL = "usual"
    """None, one or two of them."""


class Outcome(StrEnum):
    """How a helpline request ended."""

    HELPED = "helped"
    """She got what she asked for, as far as talking can give it."""
    REFERRED = "referred"
    """A shelter, a lawyer, a hospital or another helpline has it now, with her consent."""
    SOS = "sos"
    """It became an SOS, and that is over."""
    ENDED_BY_HER = "ended_by_her"
    """She closed it herself."""
    UNREACHABLE = "unreachable"
    """She could not be reached in any of her safe times, or nobody of the two did anything for as long as the city waits."""
    UNANSWERED = "unanswered"
    """Nobody of the helpline ever took it, for as long as the city waits: the figures count it as not answered."""
    NOT_FOR_US = "not_for_us"
    """A wrong number, a joke, or something that no helpline answers."""


class Ground(StrEnum):
    """Why somebody reads, takes or gives back a request that another one has: what the audit chain says of it. The words
    for it are sealed with the request.
    """

    HER_WISH = "her_wish"
    """She asked for it."""
    SAFETY = "safety"
    """Somebody may be harmed otherwise."""
    COUNSELLOR_AWAY = "counsellor_away"
    """Whoever has it cannot go on."""
    SECOND_OPINION = "second_opinion"
    """The counsellor asked for another look."""
    COMPLAINT = "complaint"
    """Somebody complained about how it was answered."""
    COURT_ORDER = "court_order"
    """A court or an authority orders it."""
    OTHER = "other"
    """Something else: the words say what."""


class CounsellorState(StrEnum):
    """Whether a counsellor can be asked."""

    AVAILABLE = "available"
    """On shift; new requests are offered."""
    BREAK = "break"
    """On shift and not asked for a while; keeps who is talking to her."""
    OFF = "off"
    """Not on shift; whoever she still had is back in the line, before those who came later."""


class Side(StrEnum):
    """Who of the two wrote, or read."""

    CITIZEN = "citizen"
    """The one who asked."""
    COUNSELLOR = "counsellor"
    """The one who answers."""


class ReferralKind(StrEnum):
    """What a referral gives."""

    SHELTER = "shelter"
    """A house where she is safe."""
    LEGAL = "legal"
    """A lawyer's advice, or somebody who goes to court with her."""
    MEDICAL = "medical"
    """Treatment, and a medico-legal certificate where she wants one."""
    POLICE_STATION = "police_station"
    """Where a First Information Report is registered."""
    CYBERCRIME = "cybercrime"
    """What was done to her online."""


class Consent(StrEnum):
    """How she agreed that something is shared."""

    CHAT = "chat"
    """She wrote it in the talk."""
    VOICE = "voice"
    """She said it on the telephone."""
    APP = "app"
    """She pressed it on her own phone."""


class Track(StrEnum):
    """Which way of the law a stage belongs to."""

    FIR = "fir"
    """The police: from the complaint to the First Information Report and the investigation (CrPC s. 154 to 173)."""
    COURT = "court"
    """A court: protection order, family suit or criminal trial."""


class Stage(StrEnum):
    """How far it has come."""

    ASKED = "asked"
    """A complaint or an application was handed in."""
    REGISTERED = "registered"
    """There is a number: the FIR is registered, the case is filed."""
    REFUSED = "refused"
    """The police or the court would not take it."""
    UNDER_WAY = "under_way"
    """Investigation or hearings go on."""
    ORDERED = "ordered"
    """A charge sheet was sent, or an order was made."""
    DECIDED = "decided"
    """Judged, or settled."""
    WITHDRAWN = "withdrawn"
    """She took it back."""
