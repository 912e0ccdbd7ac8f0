"""What can go wrong with people, each with its stable code."""

from domain.errors import Conflict, Gone, Invalid, NotAllowed, Unauthenticated


class OtpWrong(Unauthenticated):
    """The code is wrong, used, over, or its challenge unknown: which of these is not told."""

    code = "otp_wrong"


class TokenExpired(Unauthenticated):
    """The access token is over: refresh it."""

    code = "token_expired"


class SessionEnded(Unauthenticated):
    """The session is over: sign in again."""

    code = "session_ended"


class RefreshReused(Unauthenticated):
    """A refresh token came a second time: somebody has a copy, so the session was ended."""

    code = "refresh_reused"


class ProofNeeded(NotAllowed):
    """This needs the old PIN or a fresh one-time code."""

    code = "proof_needed"


class ProofWrong(NotAllowed):
    """The one-time code given as proof is not right, or is of another number."""

    code = "proof_wrong"


class PinsInvalid(Invalid):
    """These two PINs cannot stand together."""

    code = "pins_invalid"


class GuardianInvalid(Invalid):
    """One cannot be one's own guardian."""

    code = "guardian_invalid"


class DeviceIdInvalid(Invalid):
    """A device id has letters, digits, `-` and `_`."""

    code = "device_id_invalid"


class RoleInvalid(Invalid):
    """A role lacks the place where it holds."""

    code = "role_invalid"


class WrongPin(NotAllowed):
    """Neither the safe nor the duress PIN."""

    code = "wrong_pin"


class SecondFactorWrong(NotAllowed):
    """The second factor's code is wrong, or was used already."""

    code = "second_factor_wrong"


class EnrolmentWrong(NotAllowed):
    """The enrolment code is wrong or over: ask an admin for a new one."""

    code = "enrolment_wrong"


class SecondFactorExists(Conflict):
    """There is a confirmed second factor already; an admin can take it away."""

    code = "second_factor_exists"


class TooManyGuardians(Conflict):
    """No more guardians can be added."""

    code = "too_many_guardians"


class GuardianSaidNo(Conflict):
    """This guardian said no; only they can change that, by their link."""

    code = "guardian_declined"


class LinkOver(Gone):
    """The link is unknown or over."""

    code = "link_over"
