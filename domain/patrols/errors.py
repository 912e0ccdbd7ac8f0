"""What can go wrong with beats and patrols."""

from domain.errors import Conflict, Invalid, LimitReached, NotFound


class BeatNotFound(NotFound):
    """There is no such beat, or it is of a group that is not the caller's."""

    code = "beat_not_found"


class BeatInvalid(Invalid):
    """The shape of a beat cannot be, or does not lie in its group's area."""

    code = "beat_invalid"


class TooManyBeats(LimitReached):
    """More beats than a group can look after."""

    code = "too_many_beats"


class PatrolNotFound(NotFound):
    """There is no such patrol, or it is of a group that is not the caller's."""

    code = "patrol_not_found"


class PatrolInvalid(Invalid):
    """Times or dates that cannot be."""

    code = "patrol_invalid"


class TooManyPatrols(LimitReached):
    """More patrols are planned than a group can walk."""

    code = "too_many_patrols"


class PatrolOver(Conflict):
    """It was cancelled, has begun or has passed."""

    code = "patrol_over"


class PatrolFull(Conflict):
    """Every place is taken."""

    code = "patrol_full"


class OnAnotherPatrol(Conflict):
    """The same person is on another patrol at that time."""

    code = "on_another_patrol"


class NotOnPatrol(Conflict):
    """Only who signed up checks in, offers their place or gives it back."""

    code = "not_on_patrol"


class NothingOffered(Conflict):
    """Nobody offers their place, or somebody took it first."""

    code = "nothing_offered"


class NotAtTheBeat(Conflict):
    """The phone is not at the beat; where it is, is not kept."""

    code = "not_at_the_beat"


class NotTheTime(Conflict):
    """A check-in is taken from a quarter of an hour before the patrol begins until it ends."""

    code = "not_the_time"
