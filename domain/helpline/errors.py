"""What can go wrong with helpline requests."""

from domain.errors import Conflict, Invalid, NotAllowed, NotFound


class RequestNotFound(NotFound):
    """There is no such helpline request, or it is not for the caller."""

    code = "helpline_request_not_found"


class AlreadyClaimed(Conflict):
    """Another counsellor has it."""

    code = "already_claimed"


class RequestClosed(Conflict):
    """It is over: ask again, with the returning word to be found."""

    code = "helpline_request_closed"


class NotOnShift(Conflict):
    """Only a counsellor on shift takes requests."""

    code = "not_on_shift"


class NotYours(NotAllowed):
    """Another counsellor has it: ask for an opening, with a reason, or for a transfer."""

    code = "helpline_not_yours"


class ContactStopped(Conflict):
    """She asked not to be contacted."""

    code = "contact_stopped"


class CallNotSafe(Conflict):
    """It is outside the times in which she may be called; `next_at` says when the next begins."""

    code = "call_not_safe"


class WindowsInvalid(Invalid):
    """A call-back needs a number and at least one time at which it is safe."""

    code = "safe_to_call_needed"


class TooBusy(Conflict):
    """It changed too often at once; try again."""

    code = "helpline_request_busy"


class OpeningNeeded(NotAllowed):
    """Ask for an opening with a reason, and wait for a second person's approval."""

    code = "opening_needed"


class QuickUnknown(Invalid):
    """Neither a text nor a quick reply that there is."""

    code = "message_empty"


class ConsentNeeded(NotAllowed):
    """Only she can allow it."""

    code = "consent_needed"


class NoCall(Conflict):
    """No call of this request goes on that somebody could hear."""

    code = "no_call"


class NumberMissing(Conflict):
    """She gave no phone number, and none may be taken from elsewhere."""

    code = "number_missing"


class TooLongForSms(Invalid):
    """She writes by SMS: an answer has to fit one, in any language."""

    code = "too_long_for_sms"


class ReferralUnknown(Invalid):
    """The directory of this city has no such entry."""

    code = "referral_unknown"


class CaseNotFound(NotFound):
    """There is no such case, or it is not for the caller."""

    code = "case_not_found"


class MediaUnknown(Invalid):
    """What came is neither a picture nor a voice that can be played."""

    code = "media_unknown"


class NotWhomSheWants(Conflict):
    """She wants a woman (or a man), and has not taken the offer of somebody else."""

    code = "not_whom_she_wants"
