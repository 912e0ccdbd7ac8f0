"""How far an upload is; what evidence is, how far it is, and what is told of it. Pure."""

from enum import StrEnum


class UploadStatus(StrEnum):
    """Where an upload stands."""

    OPEN = "open"
    """Bytes are missing, or all are here and are being looked at."""
    COMPLETE = "complete"
    """It has become evidence."""
    REFUSED = "refused"
    """It was not what its sender declared (SHA-256)."""
    ENDED = "ended"
    """Its sender gave it up, or it was not finished in time."""


class Kind(StrEnum):
    """What a piece of evidence is."""

    UPLOAD = "upload"
    """What a citizen sent."""
    FOOTAGE = "footage"
    """What a camera's recorder had, taken for a case because somebody asked with a reason."""


class Copy(StrEnum):
    """Which of the two copies."""

    REDACTED = "redacted"
    """Faces, heads and number plates blurred in every picture, no sound: what is worked with, and what leaves."""
    ORIGINAL = "original"
    """The recorder's own bytes, sealed; opened for one person, for a while, after somebody else said yes."""


class EvidenceState(StrEnum):
    """How far a piece of footage is."""

    TAKING = "taking"
    """Its bytes are being copied and sealed; one whose worker died is begun again."""
    SEALED = "sealed"
    """The original is safe (footage: encrypted); the redacted copy is not made yet, so nobody sees anything. Of what a
    rule kept it is made when somebody first asks to see it."""
    READY = "ready"
    """The redacted copy can be seen."""
    UNREADABLE = "unreadable"
    """No redacted copy can be made of it (`reason`); the original is kept as it is."""


class Act(StrEnum):
    """What the chain of custody tells of."""

    TAKEN = "taken"
    """Copied from where it was recorded, with the SHA-256 of each file."""
    SEALED = "sealed"
    """Encrypted with a key of its own; the copy from which it came is no longer needed."""
    REDACTED = "redacted"
    """The working copy was made, with its SHA-256 and what found the faces and plates."""
    OPENED = "opened"
    """Somebody was given the sight of a copy for a while, with the reason; of the original only after a second yes."""
    VIEWED = "viewed"
    """A clip or a still was sent to somebody, with their watermark in it."""
    EXPORTED = "exported"
    """A copy was sent to somebody to be taken elsewhere."""
    SEARCHED = "searched"
    """Faces in it were compared with one that is searched for under a warrant."""
    JOINED = "joined"
    """Another incident of the same place and minute needs it, too: it was not taken again."""
    HELD = "held"
    """A legal hold keeps it whatever its time."""
    RELEASED = "released"
    """The hold was lifted."""
    DELETED = "deleted"
    """Its time was over: bytes and key are gone, this chain stays as long as the audit chain."""


class RequestState(StrEnum):
    """How far a footage request is."""

    OPEN = "open"
    """Recorders are being asked."""
    ANSWERED = "answered"
    """Each camera has said what there is, and what there is was taken."""


class Found(StrEnum):
    """What one camera had to say to a footage request."""

    ASKED = "asked"
    """Its recorder is being asked."""
    WHOLE = "whole"
    """All of the time is there, and was taken as evidence."""
    PART = "part"
    """Some of the time is there, and was taken; `missing` says what is not, and why."""
    NOTHING = "nothing"
    """Nothing is there; `missing` says why."""
    FAILED = "failed"
    """Something is there and could not be taken (`missing` says why)."""


class Why(StrEnum):
    """Why a part of the time is not there."""

    DOWN = "down"
    """The camera could not be reached, or sent nothing."""
    NOT_RECORDED = "not_recorded"
    """The camera's pictures are not recorded: a gateway, or a stream without a recorder."""
    OVERWRITTEN = "overwritten"
    """It was recorded, and the recorder has gone on over it: it keeps only so long."""
    NOT_YET = "not_yet"
    """The recorder had not closed its file when it was asked."""
    OUT_OF_SERVICE = "out_of_service"
    """The camera was switched off or taken out of the register."""
    NOT_ALLOWED = "not_allowed"
    """The city's list of addresses does not have the recorder's folder any more."""
    UNREADABLE = "unreadable"
    """Files are there and cannot be read."""
    TOO_MUCH = "too_much"
    """More bytes than one request may take, or more of one camera than a rule keeps in an hour."""
    NO_ROOM = "no_room"
    """There was no room on the disk for as long as it was tried."""
    NOT_KEPT = "not_kept"
    """The incident was over, as a false alarm, before the rule took anything."""
    UNKNOWN = "unknown"
    """Nothing is there, and nobody knows why."""
