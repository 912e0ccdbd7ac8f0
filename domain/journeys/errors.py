"""What can be wrong with a journey, beyond the kinds."""

from domain.errors import Invalid, LimitReached, NotFound


class JourneyNotFound(NotFound):
    """No such journey, or not one's own."""

    code = "journey_not_found"


class FakeCallNotFound(NotFound):
    """No such call, or not one's own, or it was taken back."""

    code = "fake_call_not_found"


class TooManyJourneys(LimitReached):
    """So many are under way for this person that another cannot be meant."""

    code = "too_many_journeys"


class GuardianUnknown(Invalid):
    """One of the guardians named is none of this person's, or said no."""

    code = "guardian_unknown"
