"""CAP documents of others: what the schema takes is taken in any order, what it does not is refused with a reason."""

import random
from pathlib import Path

import pytest
from lxml import etree

from domain.alerts import cap_reading
from domain.alerts.cap import CAP
from domain.alerts.errors import CapRefused

SHARED = Path(__file__).parents[4] / "shared" / "specs" / "cap"
SAMPLES = sorted((SHARED / "alerts").glob("*"))
BAD = sorted((SHARED / "invalid").glob("*"))
ONLY_OUT_OF_ORDER = "cap-ts__mockXML"

GOOD = f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="{CAP}">
  <identifier>pmd-7</identifier><sender>cap@met.example.pk</sender><sent>2026-11-23T09:00:00+05:00</sent>
  <status>Actual</status><msgType>Update</msgType><scope>Public</scope>
  <references>cap@met.example.pk,pmd-6,2026-11-23T08:00:00+05:00</references>
  <info><language>en-PK</language><category>Met</category><event>Rain</event><urgency>Expected</urgency>
    <severity>Severe</severity><certainty>Likely</certainty><expires>2026-11-23T21:00:00+05:00</expires>
    <headline>Heavy rain</headline>
    <area><areaDesc>Lahore</areaDesc><polygon>31.4,74.2 31.6,74.2 31.6,74.5 31.4,74.5 31.4,74.2</polygon>
      <circle>31.5,74.3 2.5</circle></area></info>
</alert>"""


def refused(document: str | bytes) -> str:
    """The reason for which it is refused."""
    with pytest.raises(CapRefused) as caught:
        cap_reading.read(document.encode() if isinstance(document, str) else document)
    return str(caught.value.data["reason"])


def test_everything_that_is_told_is_understood() -> None:
    reading = cap_reading.read(GOOD.encode())
    assert (reading.identifier, reading.msg_type, reading.sent.isoformat()) == (
        "pmd-7", "Update", "2026-11-23T04:00:00+00:00",
    )  # fmt: skip
    assert reading.references == (("cap@met.example.pk", "pmd-6", "2026-11-23T08:00:00+05:00"),)
    (info,) = reading.infos
    assert (info.event, info.severity, info.areas) == ("Rain", "Severe", ("Lahore",))
    polygon, circle = info.shapes
    assert polygon.bounds == (74.2, 31.4, 74.5, 31.6)
    assert circle.bounds[3] - circle.bounds[1] == pytest.approx(5.0 / 111.2, rel=0.01)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("cap:1.2", "cap:1.1", "namespace"),
        ("<status>Actual</status>", "", "missing"),
        ("<status>Actual</status>", "<status>Maybe</status>", "value"),
        ("<severity>Severe</severity>", "<severity>Bad</severity>", "value"),
        ("<category>Met</category>", "<category>Met</category><category>Rainy</category>", "value"),
        ("<event>Rain</event>", "<event>Rain</event><event>Hail</event>", "repeated"),
        ("<event>Rain</event>", "<event>Rain</event><Type>x</Type>", "unknown"),
        ("<event>Rain</event>", "<event>R<b>ai</b>n</event>", "unknown"),
        ("<event>Rain</event>", "", "missing"),
        ("09:00:00+05:00", "09:00:00Z", "time"),
        ("09:00:00+05:00", "25:00:00+05:00", "time"),
        ("<expires>2026-11-23T21:00:00+05:00</expires>", "<expires>soon</expires>", "time"),
        ("en-PK", "en_PK", "value"),
        ("</alert>", "", "not_xml"),
        ("<alert ", "<!DOCTYPE alert><alert ", "doctype"),
    ],
)
def test_what_the_schema_does_not_take_is_refused_with_a_reason(old: str, new: str, reason: str) -> None:
    assert old in GOOD
    assert refused(GOOD.replace(old, new, 1)) == reason


def test_an_entity_bomb_is_not_even_parsed() -> None:
    levels = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE alert [<!ENTITY a0 "boom">{levels}]><alert xmlns="{CAP}">&a12;</alert>'
    assert refused(bomb) == "doctype"
    assert refused(bomb.encode("utf-16")) == "doctype"
    files = f'<!DOCTYPE alert [<!ENTITY f SYSTEM "file:///etc/passwd">]><alert xmlns="{CAP}">&f;</alert>'
    assert refused(files) == "doctype"


@pytest.mark.parametrize("junk", [b"", b"\x00", b"{}", b"<alert/>", b"\xff\xfe<", b"<a>" * 400])
def test_junk_is_refused(junk: bytes) -> None:
    assert refused(junk) in {"not_xml", "namespace"}


def test_more_than_a_megabyte_is_not_read() -> None:
    assert refused(b"<alert>" + b" " * cap_reading.MAX_BYTES) == "too_large"


@pytest.mark.parametrize(
    "polygon",
    ["", "31,74", "a,b c,d e,f a,b", "31,74 31,75", "91,74 31,75 32,75 91,74", "nan,74 31,75 32,75 nan,74", "1 2 3 4"],
)
def test_a_polygon_that_cannot_be_drawn_is_left_out(polygon: str) -> None:
    whole = "31.4,74.2 31.6,74.2 31.6,74.5 31.4,74.5 31.4,74.2"
    (info,) = cap_reading.read(GOOD.replace(whole, polygon).encode()).infos
    assert len(info.shapes) == 1  # the circle


@pytest.mark.skipif(not SAMPLES, reason="the shared samples are not here")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name[:40])
def test_real_alerts_are_taken_in_any_order(sample: Path) -> None:
    document = sample.read_bytes()
    straight = cap_reading.read(document)
    root = etree.fromstring(document)
    draw = random.Random(7)
    for parent in [root, *root.findall(f"{{{CAP}}}info")]:
        infos = [child for child in parent if child.tag == f"{{{CAP}}}info"]  # their own order means something
        others = [child for child in parent if child not in infos]
        draw.shuffle(others)
        parent[:] = [*others[: len(others) // 2], *infos, *others[len(others) // 2 :]]
    shuffled = cap_reading.reading_of(root)
    assert (shuffled.identifier, shuffled.sent, len(shuffled.infos)) == (
        straight.identifier, straight.sent, len(straight.infos),
    )  # fmt: skip


@pytest.mark.skipif(not BAD, reason="the shared samples are not here")
@pytest.mark.parametrize("sample", BAD, ids=lambda path: path.name[:40])
def test_bad_alerts_are_refused(sample: Path) -> None:
    if sample.name.startswith(ONLY_OUT_OF_ORDER):
        assert cap_reading.read(sample.read_bytes()).infos
    else:
        assert refused(sample.read_bytes()) in {"namespace", "missing", "time", "unknown", "signature", "value"}
