"""Her own copy: everything that is kept of her request and its case, as PDF, in Urdu or English, on her request."""

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Response

from api.blueprint import Blueprint, Call
from api.helpline import schemas
from api.helpline.access import PUBLIC, SECURITY, hers, the_vault
from domain.audit import chain as audit
from domain.cities import queries as cities
from domain.helpline import cases, chat, directory
from domain.helpline import service as helpline
from domain.helpline.questions import QUESTIONS as QUESTIONS_EN
from domain.helpline.questions import QUESTIONS_UR
from runtime.paper import Section, sheet

blp = Blueprint("helpline_export", __name__, url_prefix="/v1/helpline", description="Her own copy.")

MESSAGES_MOST: Final = 5000
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("What the helpline has of you", "آپ کے بارے میں ہیلپ لائن کے پاس کیا ہے"),
    "made": ("Made on", "تاریخ"),
    "asked": ("Asked on", "رابطہ کیا"),
    "answered": ("Answered on", "جواب ملا"),
    "closed": ("Closed on", "ختم ہوا"),
    "told": ("What you told", "آپ نے کیا بتایا"),
    "name": ("Name", "نام"),
    "phone": ("Phone", "فون"),
    "position": ("Place", "مقام"),
    "codeword": ("Codeword", "خفیہ لفظ"),
    "safe_to_call": ("When you may be called", "کب فون کیا جا سکتا ہے"),
    "consents": ("What you agreed to", "آپ نے کس بات کی اجازت دی"),
    "chat_consent": ("in writing", "تحریری طور پر"),
    "voice_consent": ("on the telephone", "فون پر"),
    "app_consent": ("in the app", "ایپ میں"),
    "case": ("that a case is opened", "کیس کھولنا"),
    "request": ("that another request of yours belongs to it", "آپ کی ایک اور درخواست کو ساتھ ملانا"),
    "referral": ("a referral", "کہیں بھیجنا"),
    "picture": ("(a picture or a voice)", "(تصویر یا آواز)"),
    "answers": ("Your answers", "آپ کے جوابات"),
    "yes": ("Yes", "ہاں"),
    "no": ("No", "نہیں"),
    "talk": ("The talk", "گفتگو"),
    "citizen": ("You", "آپ"),
    "counsellor": ("Counsellor", "کونسلر"),
    "notes": ("Notes of the counsellors", "کونسلرز کے نوٹس"),
    "referrals": ("Referrals", "کہاں بھیجا گیا"),
    "stages": ("Police and court", "پولیس اور عدالت"),
    "follow_ups": ("To be looked after", "آگے کیا کرنا ہے"),
    "fir": ("Police (FIR)", "پولیس (ایف آئی آر)"),
    "court": ("Court", "عدالت"),
    "asked_stage": ("handed in", "درخواست دی گئی"),
    "registered": ("registered", "درج ہوا"),
    "refused": ("refused", "انکار ہوا"),
    "under_way": ("under way", "جاری ہے"),
    "ordered": ("ordered", "حکم ہوا"),
    "decided": ("decided", "فیصلہ ہوا"),
    "withdrawn": ("withdrawn", "واپس لیا گیا"),
    "done": ("done", "ہو گیا"),
}
_DAYS: Final[dict[str, tuple[str, str]]] = {
    "mon": ("Mon", "پیر"), "tue": ("Tue", "منگل"), "wed": ("Wed", "بدھ"), "thu": ("Thu", "جمعرات"),
    "fri": ("Fri", "جمعہ"), "sat": ("Sat", "ہفتہ"), "sun": ("Sun", "اتوار"),
}  # fmt: skip
_MONTHS_UR: Final = "جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر"


@blp.endpoint(
    "GET /requests/<request_id>/export",
    public=PUBLIC,
    query=schemas.CopyQuery,
    security=SECURITY,
    responses={"200": {"description": "A PDF.", "content": {"application/pdf": {}}}},
)
def export(call: Call, request_id: str) -> Any:
    """Her own copy as PDF. Neither its name nor its properties say what it is. On the audit chain before it answers."""
    doc = hers(request_id)
    audit.append(doc["city"], "citizen", "helpline.exported", request_id, now=call.now)
    copy = _Copy(call.query["language"], cities.current(doc["city"]).zone, call.now)
    body = sheet(copy.word("title"), copy.sections(doc), fonts=call.services.settings.fonts_dir)
    answer = Response(body, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="document-{call.now:%Y%m%d}.pdf"'
    return answer


class _Copy:
    """The words of one copy in one language."""

    def __init__(self, language: str, zone: ZoneInfo, now: datetime) -> None:
        self.language, self._zone, self._now = language, zone, now

    def word(self, name: str) -> str:
        """A label."""
        return _WORDS[name][1 if self.language == "ur" else 0]

    def time(self, at: datetime) -> str:
        """A moment in the city's own time."""
        local = at.astimezone(self._zone)
        month = _MONTHS_UR.split()[local.month - 1] if self.language == "ur" else f"{local:%B}"
        return self.both(f"{local.day} {month} {local.year}", f"{local:%H:%M}")

    def both(self, one: str, other: str) -> str:
        """Two things, with the comma of the language."""
        return f"{one}{'،' if self.language == 'ur' else ','} {other}"

    def sections(self, doc: dict[str, Any]) -> list[Section]:
        """All that there is, in the order in which she knows it."""
        box = the_vault().box(doc["_id"])
        told = helpline.opened(doc, box)
        times = [("made", self._now), ("asked", doc["asked_at"]), ("answered", doc.get("answered_at"))]
        times.append(("closed", doc.get("closed_at")))
        found = [Section("", [(self.word(name), self.time(at)) for name, at in times if at])]
        if rows := self._told(told):
            found.append(Section(self.word("told"), rows))
        talk = [
            (
                self.both(self.word(each["side"]), self.time(each["at"])),
                chat.view(each, box)["text"] or self.word("picture"),
            )
            for each in chat.after(doc["_id"], 0, limit=MESSAGES_MOST)
        ]
        notes = [
            (self.time(each["at"]), box.open(f"note:{each['id']}", each["sealed"])) for each in doc.get("notes") or []
        ]
        found += [Section(self.word(name), rows) for name, rows in (("talk", talk), ("notes", notes)) if rows]
        return found + [section for case in cases.of_request(doc) for section in self._case(doc, case)]

    def _told(self, told: dict[str, Any]) -> list[tuple[str, str]]:
        rows = [(self.word(name), told[name]) for name in ("name", "phone", "codeword") if told.get(name)]
        weekly = [each for each in told.get("safe_to_call") or [] if "days" in each]
        rows += [
            (self.word("safe_to_call"), f"{self._days(each['days'])} {each['from']}-{each['until']}") for each in weekly
        ]
        if place := told.get("position"):
            rows.append((self.word("position"), f"{place['lat']:.5f}, {place['lon']:.5f}"))
        questions = QUESTIONS_UR if self.language == "ur" else QUESTIONS_EN
        rows += [
            (questions[name], self.word("yes" if yes else "no")) for name, yes in (told.get("answers") or {}).items()
        ]
        return rows

    def _case(self, doc: dict[str, Any], held: cases.Case) -> list[Section]:
        case = cases.view(held, the_vault())
        names = {each["id"]: each["names"] for each in directory.listed(doc["city"], kind=None, now=self._now)}
        referrals = [
            (self.time(each["at"]), f"{names.get(each['to'], {}).get(self.language, each['to'])}\n{each['note'] or ''}")
            for each in case["referrals"]
        ]
        stages = [
            (
                self.both(self.word(each["track"]), self.time(each["at"])),
                self.both(self._stage(each["stage"]), each["note"] or ""),
            )
            for each in case["stages"]
        ]
        follow_ups = [
            (self.time(each["due_at"]), f"{each['note'] or ''} {self.word('done') if each.get('done_at') else ''}")
            for each in case["follow_ups"]
        ]
        consents = [
            (self.time(each["at"]), self.both(self._agreed(each["what"], names), self.word(f"{each['how']}_consent")))
            for each in case["consents"]
        ]
        parts = (("consents", consents), ("referrals", referrals), ("stages", stages), ("follow_ups", follow_ups))
        return [Section(self.word(name), rows) for name, rows in parts if rows]

    def _days(self, days: list[str]) -> str:
        return " ".join(_DAYS[day][1 if self.language == "ur" else 0] for day in days)

    def _agreed(self, what: str, names: dict[str, dict[str, str]]) -> str:
        """`case`, `request hlp_…` or `referral dar_ul_aman_…` in words."""
        kind, _, to = what.partition(" ")
        named = names.get(to, {}).get(self.language, "")
        return f"{self.word(kind)}: {named}" if named else self.word(kind)

    def _stage(self, stage: str) -> str:
        return self.word("asked_stage" if stage == "asked" else stage)
