"""What can go wrong with a drill."""

from domain.errors import Conflict, NotFound


class DrillNotFound(NotFound):
    """There is no such drill, or it is out of reach."""

    code = "drill_not_found"


class DrillRunning(Conflict):
    """One drill at a time: people would not know which one they answered."""

    code = "drill_running"


class QuietHours(Conflict):
    """The city sleeps; nobody is called for a drill now."""

    code = "quiet_hours"


class DrillOver(Conflict):
    """The drill has ended or was withdrawn."""

    code = "drill_over"
