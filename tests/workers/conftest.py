"""What the workers' tests share."""

from tests.fakes.recorder_world import world

__all__ = ["world"]
