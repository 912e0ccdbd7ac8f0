"""The shape of a city: frozen dataclasses that `rules.parse` makes from data and nobody changes afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo


class Service(StrEnum):
    """What an incident can ask for; each has its own slot, ladder and winner."""

    POLICE = "police"
    """Somebody threatens, harms or takes, or the law must be present."""
    MEDICAL = "medical"
    """Somebody is hurt or ill: an ambulance."""
    FIRE = "fire"
    """Fire, gas, collapse or water: fire and rescue."""
    ESCORT = "escort"
    """Somebody walks along: women police or vetted volunteers. Asked for by itself, never by an SOS."""


ALARMS = (Service.POLICE, Service.MEDICAL, Service.FIRE)
"""What an SOS can ask for, and every city has."""


class Severity(StrEnum):
    """How much is at stake, in the words of CAP 1.2 (OASIS, §3.2.2)."""

    EXTREME = "Extreme"
    """Extraordinary threat to life or property."""
    SEVERE = "Severe"
    """Significant threat to life or property."""
    MODERATE = "Moderate"
    """Possible threat to life or property."""
    MINOR = "Minor"
    """Minimal to no known threat to life or property."""
    UNKNOWN = "Unknown"
    """Nobody can say yet."""


class Urgency(StrEnum):
    """How soon somebody must act, in the words of CAP 1.2."""

    IMMEDIATE = "Immediate"
    """Act at once."""
    EXPECTED = "Expected"
    """Act within the next hour."""
    FUTURE = "Future"
    """Act in the near future."""
    PAST = "Past"
    """It is over; nobody need act against it."""
    UNKNOWN = "Unknown"
    """Nobody can say yet."""


class Certainty(StrEnum):
    """How sure we are, in the words of CAP 1.2."""

    OBSERVED = "Observed"
    """It has happened or is going on."""
    LIKELY = "Likely"
    """More than even odds."""
    POSSIBLE = "Possible"
    """Even odds or less."""
    UNLIKELY = "Unlikely"
    """Not expected to be so."""
    UNKNOWN = "Unknown"
    """Nobody can say yet."""


class Who(StrEnum):
    """Whom a rung of the ladder asks."""

    OPERATOR_CALLBACK = "operator_callback"
    """An operator calls the citizen back first, at most 60 s; where trust is low; units follow by themselves."""
    UNITS = "units"
    """The k nearest available units of the service within the radius."""
    WIDER = "wider"
    """The next k units, in a wider ring and with those already asked left out."""
    SUPERVISORS = "supervisors"
    """The supervisors on duty of the agencies that give the service."""
    ALL_ON_DUTY = "all_on_duty"
    """Every unit and supervisor of the service on duty, wherever they are; asked again until somebody has it."""


class ChannelName(StrEnum):
    """How somebody is told."""

    FCM = "fcm"
    """A push to the app: free and quick, never the only one."""
    SMS = "sms"
    """A text message: where no receipt came from the device."""
    VOICE = "voice"
    """A call that speaks and takes a key: for whoever must wake up."""


class AgencyKind(StrEnum):
    """What an agency is."""

    POLICE = "police"
    """A police force."""
    RESCUE = "rescue"
    """A public rescue service with ambulances, fire engines or boats."""
    AMBULANCE = "ambulance"
    """An ambulance service, public or charitable."""
    FIRE = "fire"
    """A fire brigade."""
    HELPLINE = "helpline"
    """Gives advice, protection or shelter, and sends nobody."""
    TOURIST_POLICE = "tourist_police"
    """Looks after visitors: put beside the others where a foreign number calls for help."""
    VOLUNTEERS = "volunteers"
    """Vetted volunteers, who walk along and are sent to no alarm."""
    UTILITY = "utility"
    """Gas, power or water: called in, not dispatched."""


class Purpose(StrEnum):
    """What a number of ours is for, when somebody sends to it or calls it."""

    SOS = "sos"
    """A message or call to it raises an SOS."""
    HELPLINE = "helpline"
    """A call to it asks for a counsellor."""
    REPLIES = "replies"
    """Responders answer offers to it with reply codes."""


class Kept(StrEnum):
    """What a city keeps for a limited time."""

    INCIDENTS = "incidents"
    """Closed incidents with their timeline; figures without persons stay."""
    TRACKS = "tracks"
    """Positions of citizens and units."""
    DELIVERIES = "deliveries"
    """Who was sent what, and the receipts."""
    OBSERVATIONS = "observations"
    """What camera analytics saw, with its stills, where it is not evidence."""
    PLATES = "plates"
    """Keyed hashes of plates that cameras read and nobody looks for."""
    MEDIA = "media"
    """What citizens uploaded."""
    EVIDENCE = "evidence"
    """Footage kept for a case."""
    REPORTS = "reports"
    """What neighbours reported."""
    HELPLINE = "helpline"
    """Helpline requests and their vault."""
    AUDIT = "audit"
    """The hash-chained log of who did and saw what."""
    TOMBSTONES = "tombstones"
    """What a phone that synchronises must learn is gone."""


class Fate(StrEnum):
    """What becomes of a closed incident when its time is over."""

    ANONYMISE = "anonymise"
    """What figures are made of stays: what, how quickly, how it ended; nothing of who, where exactly or in which words."""
    DELETE = "delete"
    """Nothing stays but the figures that were counted of it."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in English and Urdu."""

    en: str
    ur: str

    def in_language(self, language: str) -> str:
        """Urdu for any Urdu tag of BCP 47 (`ur`, `ur-PK`), English for all else and where there is no Urdu."""
        return self.ur if language.lower().split("-")[0] == "ur" and self.ur else self.en


@dataclass(frozen=True, slots=True)
class Span:
    """Days of the week (0 Monday … 6 Sunday) and local times; past midnight where `until` ≤ `since`."""

    days: frozenset[int]
    since: time
    until: time


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody answers. `stated` False: no public source says, so a phone shows the fallback beside it."""

    spans: tuple[Span, ...]
    stated: bool = True

    @property
    def always(self) -> bool:
        """Round the clock, every day."""
        return self.stated and not self.spans


@dataclass(frozen=True, slots=True)
class Agency:
    """Who sends units, or is called in. `services` empty: it sends nobody."""

    id: str
    names: Text
    kind: AgencyKind
    services: tuple[Service, ...]
    phone: str
    hours: Hours


@dataclass(frozen=True, slots=True)
class Helpline:
    """A public number as a citizen sees it. `verified` only with a public source and the date of the last look."""

    number: str
    names: Text
    region: str
    hours: Hours
    source: str
    last_verified: str
    fallback: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of incident. `skills` are preferred in a unit, never required; `agency` is told besides those who send."""

    code: str
    names: Text
    services: tuple[Service, ...]
    severity: Severity
    urgency: Urgency
    certainty: Certainty
    skills: tuple[str, ...]
    discreet: bool
    agency: str | None


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder. `after_s` counts from the rung before it (the first: from the opening of the slot).

    `k` is how many are asked and `radius_m` how far; both 0 for supervisors and all on duty, who are all asked.
    """

    who: Who
    channels: tuple[ChannelName, ...]
    after_s: int
    k: int = 0
    radius_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who is asked for a service until somebody has it. It ends in all on duty, again every `repeat_after_s`."""

    id: str
    service: Service
    categories: frozenset[str]
    rungs: tuple[Rung, ...]
    callback_s: int
    offer_ttl_s: int
    receipt_wait_s: int
    stall_after_s: int
    repeat_after_s: int

    def climb(self, *, callback_first: bool = False) -> tuple[Rung, ...]:
        """The rungs in order. With `callback_first` an operator calls back for `callback_s` before the first one."""
        if not callback_first or not self.callback_s:
            return self.rungs
        callback = Rung(Who.OPERATOR_CALLBACK, (), 0)
        first = self.rungs[0]
        units = Rung(first.who, first.channels, first.after_s + self.callback_s, first.k, first.radius_m)
        return (callback, units, *self.rungs[1:])


@dataclass(frozen=True, slots=True)
class Targets:
    """Times that the city holds itself to, for 90 % of its incidents."""

    answer_s: int
    dispatch_s: int
    arrival_s: Mapping[Service, int]


@dataclass(frozen=True, slots=True)
class Embassy:
    """Who helps a country's citizens. `country` is ISO 3166-1 alpha-2; `verified` as with a helpline."""

    country: str
    names: Text
    number: str
    source: str
    last_verified: str
    verified: bool


@dataclass(frozen=True, slots=True)
class CameraSource:
    """A place that camera addresses may point to. `host` is a name or a network (CIDR); `path` a prefix."""

    scheme: str
    host: str
    path: str


@dataclass(frozen=True, slots=True)
class CameraDetector:
    """What camera analytics looks for beyond its own: an installed detector by `name` with `options`, or an ONNX `model`
    by the path of its `model.toml`."""

    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""


@dataclass(frozen=True, slots=True)
class DrillPlan:
    """When a city tests by itself whether its people can be reached: on these days of each month, at a local time."""

    days: tuple[int, ...]
    at: time
    roles: tuple[str, ...]
    channels: tuple[ChannelName, ...]
    answer_within: timedelta


@dataclass(frozen=True, slots=True)
class Price:
    """What a city pays a carrier: for one segment of an SMS, or one call, to numbers that begin with `prefix`."""

    carrier: str
    prefix: str
    currency: str
    amount: float


@dataclass(frozen=True, slots=True)
class CapFeed:
    """Another system's alerts. `issues`: they go out without an operator; `hosts`: where else what it links to may lie."""

    id: str
    names: Text
    url: str
    issues: bool
    every_s: int
    hosts: frozenset[str]


@dataclass(frozen=True, slots=True)
class CityConfig:
    """Everything that differs between cities, at one version (0: read from the preset on disk, not from the store)."""

    id: str
    names: Text
    zone: ZoneInfo
    languages: tuple[str, ...]
    boundary_file: str
    places_file: str
    boundary_slack_m: float
    inbound: Mapping[str, Purpose]
    agencies: Mapping[str, Agency]
    helplines: tuple[Helpline, ...]
    categories: Mapping[str, Category]
    ladders: tuple[Ladder, ...]
    quiet: Span
    retention_days: Mapping[Kept, int]
    targets: Targets
    camera_sources: tuple[CameraSource, ...]
    cap_feeds: Mapping[str, CapFeed]
    default_category: str
    closed_incidents: Fate = Fate.ANONYMISE
    """What becomes of them after their days."""
    embassies: tuple[Embassy, ...] = ()
    camera_detectors: tuple[CameraDetector, ...] = ()
    place_audits_k: int = 5
    """Of a cell and hour nothing is told before so many people have rated it."""
    watch_settled_days: int = 7
    """So old are a watch group and the account of whoever leads it before they reach others than the group's members."""
    helpline_idle_days: int = 14
    """A helpline request with which nobody did anything for so long is over; what is kept of it is kept from then on."""
    drills: DrillPlan | None = None
    prices: tuple[Price, ...] = ()
    face_search: bool = False
    """Whether faces in an incident's footage may be compared at all, for a missing person or on a court's warrant."""
    report_looks: frozenset[str] = frozenset()
    """Kinds of neighbours' reports about which cameras may be asked before they are believed."""
    plates_country: str = ""
    """Whose formats of number plates settle which look-alike was meant (`domain/plates/countries.py`); empty: nobody's."""
    recording_minutes: int = 0
    """How much of each live camera the rolling recorder keeps, where the camera says nothing else; 0: nothing."""
    keep_footage: frozenset[str] = frozenset()
    """The categories of incidents of which what near cameras recorded is kept without anybody asking."""
    version: int = 0

    def category(self, code: str | None) -> Category:
        """The category of that code, or the city's default: an SOS with an unknown one is taken all the same."""
        return self.categories.get(code or "", self.categories[self.default_category])

    def ladder(self, service: Service | str, category: str | None = None) -> Ladder:
        """The ladder of a service, the one made for this category where there is one. Every service has one."""
        usual = None
        for ladder in self.ladders:
            if ladder.service == service:
                if category in ladder.categories:
                    return ladder
                if not ladder.categories:
                    usual = ladder
        if usual is None:
            raise KeyError(service)  # parse() refuses a city without one
        return usual

    def price(self, carrier: str, address: str) -> Price | None:
        """What a message to this address costs with a carrier: by the longest prefix; None where nobody said."""
        if not self.prices:
            return None
        fitting = [each for each in self.prices if each.carrier == carrier and address.startswith(each.prefix)]
        return max(fitting, key=lambda each: len(each.prefix), default=None)

    def agencies_for(self, service: Service | str) -> tuple[Agency, ...]:
        """The agencies that send units for a service, in the city's order."""
        return tuple(agency for agency in self.agencies.values() if service in agency.services)
