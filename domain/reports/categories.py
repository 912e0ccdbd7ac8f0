"""What neighbours report: one table beside the incidents' one (`cities/shared/pakistan.toml`), with the incident that a
report of a kind becomes when it is believed. A kind without one is no emergency: nobody is dispatched to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.cities.config import Text


@dataclass(frozen=True, slots=True)
class ReportCategory:
    """A kind of report. `incident` is the city's category of what it becomes, or empty."""

    code: str
    names: Text
    incident: str = ""


_ALL: Final = (
    ReportCategory("explosion", Text(en="Explosion", ur="دھماکہ"), "explosion"),
    ReportCategory("shooting", Text(en="Gunfire", ur="فائرنگ"), "shooting"),
    ReportCategory("fire", Text(en="Fire or smoke", ur="آگ یا دھواں"), "fire"),
    ReportCategory("gas_leak", Text(en="Smell of gas", ur="گیس کی بو"), "gas_leak"),
    ReportCategory("building_collapse", Text(en="Collapsed building", ur="عمارت کا گرنا"), "building_collapse"),
    ReportCategory("assault", Text(en="Somebody is attacked", ur="کسی پر حملہ"), "assault"),
    ReportCategory("harassment", Text(en="Somebody is harassed", ur="کسی کو ہراساں کیا جا رہا ہے"), "harassment"),
    ReportCategory("robbery", Text(en="Robbery or snatching", ur="ڈکیتی یا چھینا جھپٹی"), "robbery"),
    ReportCategory("burglary", Text(en="Break-in", ur="چوری کی واردات"), "burglary"),
    ReportCategory("disorder", Text(en="Fight or riot", ur="جھگڑا یا ہنگامہ"), "disorder"),
    ReportCategory("child_in_danger", Text(en="Child in danger", ur="خطرے میں بچہ"), "child_in_danger"),
    ReportCategory("missing_person", Text(en="Missing person", ur="لاپتہ شخص"), "missing_person"),
    ReportCategory("road_accident", Text(en="Road accident", ur="سڑک کا حادثہ"), "road_accident"),
    ReportCategory("flood", Text(en="Flooding", ur="سیلابی پانی"), "flood"),
    ReportCategory("suspicious", Text(en="Suspicious behaviour", ur="مشکوک حرکات"), "suspicious"),
    ReportCategory("street_light", Text(en="Street light out", ur="سٹریٹ لائٹ بند")),
    ReportCategory("open_manhole", Text(en="Open manhole", ur="کھلا مین ہول")),
    ReportCategory("hanging_wire", Text(en="Hanging electric wire", ur="لٹکتی بجلی کی تار")),
    ReportCategory("stray_dogs", Text(en="Aggressive dogs", ur="خطرناک کتے")),
    ReportCategory("noise", Text(en="Noise", ur="شور")),
    ReportCategory("other", Text(en="Something else", ur="کچھ اور")),
)
CATEGORIES: Final[Mapping[str, ReportCategory]] = {each.code: each for each in _ALL}
"""Code → category, in the order in which a phone shows them."""
