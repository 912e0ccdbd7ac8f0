"""How soon somebody must talk to her: the five questions, and what their answer is worth in the line. Pure.

The five questions are the Danger Assessment-5: Messing, Campbell and Snider, "Validation and adaptation of the danger
assessment-5: A brief intimate partner violence risk assessment", Journal of Advanced Nursing 73 (2017), 3220-3230.
Four or five yes: high danger; three: raised. The counsellor's judgement stands over it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from domain.helpline.states import Danger

QUESTIONS: Final[Mapping[str, str]] = {
    "worse": "Has the physical violence increased in frequency or severity over the past year?",
    "weapon": "Has your partner or former partner ever used a weapon against you, or threatened you with one?",
    "capable": "Do you believe that your partner or former partner is capable of killing you?",
    "choked": "Has your partner or former partner ever tried to choke or strangle you?",
    "jealous": "Is your partner or former partner violently and constantly jealous of you?",
}
QUESTIONS_UR: Final[Mapping[str, str]] = {
    "worse": "کیا پچھلے ایک سال میں مار پیٹ زیادہ یا شدید ہوئی ہے؟",
    "weapon": "کیا ساتھی یا سابق ساتھی نے کبھی آپ پر ہتھیار استعمال کیا یا اس کی دھمکی دی؟",
    "capable": "کیا آپ سمجھتی ہیں کہ وہ آپ کو قتل کر سکتا ہے؟",
    "choked": "کیا اس نے کبھی آپ کا گلا دبانے کی کوشش کی؟",
    "jealous": "کیا وہ شدید اور مسلسل شک کرتا ہے؟",
}
"""Our translation, not a validated one: a counsellor asks in her own words."""
SOURCE: Final = "Danger Assessment-5: Messing, Campbell, Snider, Journal of Advanced Nursing 73 (2017), 3220-3230"
HEAD_START: Final[Mapping[Danger, timedelta]] = {
    Danger.NOW: timedelta(days=1),
    Danger.HIGH: timedelta(minutes=45),
    Danger.RAISED: timedelta(minutes=20),
    Danger.UNKNOWN: timedelta(minutes=5),
    Danger.USUAL: timedelta(0),
}
"""How much earlier than it came a request stands in the line. Time, not a rank: whoever waits long enough comes first in
the end, but for those who are in danger at this moment."""


def level(answers: Mapping[str, bool]) -> Danger:
    """How many yes of the five questions; fewer than all five answered say nothing below `raised`."""
    yes = sum(answers.get(name) is True for name in QUESTIONS)
    if yes >= 4:
        return Danger.HIGH
    if yes == 3:
        return Danger.RAISED
    return Danger.USUAL if QUESTIONS.keys() <= answers.keys() else Danger.UNKNOWN


def line_at(asked_at: datetime, danger: Danger | str) -> datetime:
    """Where it stands in the line: whoever has the earliest comes first."""
    return asked_at - HEAD_START[Danger(danger)]
