"""What people read and hear: purposes and their parts, in their language, safe and counted.

A **purpose** says why a message is sent (`assignment_offered`, with variants such as `assignment_offered.priority`), a
**part** where it is read: `sms`, `push_title`, `push_body` or `voice`. Texts are in `locale/*.po`. The parts of a
push name nobody and nothing, since a stranger may read them on a locked screen.
"""

from notifications.render.catalogue import LANGUAGES, NoText, best_language
from notifications.render.text import MissingParam, Sms, UnknownField, distance, render, render_sms

__all__ = [
    "LANGUAGES",
    "MissingParam",
    "NoText",
    "Sms",
    "UnknownField",
    "best_language",
    "distance",
    "render",
    "render_sms",
]
