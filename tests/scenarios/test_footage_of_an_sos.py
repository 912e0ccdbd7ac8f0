"""An SOS at Liberty Market; the control room asks what cameras recorded: one has it, one was down.

The recorder's files are drawn; all else is as a city has it, with time skipped. Clips are read as a player reads them.
"""

import hashlib
import io
import json
import shutil
import uuid
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import requests
from PIL import Image, ImageFilter

from api.schemas import rfc3339
from domain.cameras import observations, queries
from domain.cities import queries as cities
from domain.cities.config import CameraSource
from domain.evidence import custody, taking
from domain.incidents import retention
from domain.vault.errors import Destroyed
from runtime.media import Media
from runtime.sealed import SealedFiles
from runtime.vault import vault
from sandbox.footage import draw_clip, heads
from tests.factories.cameras import camera, hold_city, seen
from tests.factories.people import Signed, staff
from tests.fakes.small_city import SmallCity
from workers import retention as applied

pytestmark = pytest.mark.timeout(180)

SIZE, FPS, SEGMENT_S = (960, 540), 8, 4
WHY = "FIR 212/26: the man in yellow"
COURT = "Sessions court Lahore, order 88 of 23 November"


@dataclass
class Room:
    """The control room's console."""

    city: SmallCity
    who: Signed

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self.who.headers, **options.pop("headers", {})}
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        answer = requests.request(method, self.city.url + path, headers=headers, timeout=60, **options)
        self.city.settle()
        return answer

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def acts(self, evidence: str) -> list[tuple[str, str]]:
        """(act, actor) of the chain of custody, which must hold."""
        told = self.get(f"/v1/evidence/{evidence}/custody")
        assert (told["holds"], told["unanchored"]) == (True, [])
        return [(each["act"], each["actor"]) for each in told["entries"]]


def pictures(clip: bytes) -> list[np.ndarray[Any, Any]]:
    with av.open(io.BytesIO(clip), "r") as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def bare(image: np.ndarray[Any, Any], head: tuple[float, float, float]) -> bool:
    """Whether anything finer than a few cells is left at a head's middle: eyes, brows, the edge of the hair."""
    x, y, radius = head
    grey = Image.fromarray(image).convert("L").crop((x - radius, y - radius, x + radius, y + radius))
    smooth = grey.filter(ImageFilter.GaussianBlur(radius / 3))
    return bool(np.abs(np.asarray(grey, float) - np.asarray(smooth, float)).mean() > 5)


@pytest.fixture
def street(small_city: SmallCity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[SmallCity, Path]:
    """Two cameras at the place: a recorder's folder that keeps its last eight seconds, and a stream that is down."""
    city, folder = small_city, tmp_path / "recorder"
    folder.mkdir()
    queries.cameras().delete_many({})
    config = hold_city(monkeypatch, CameraSource("file", "", f"{folder}/"), CameraSource("http", "cams.example", "/"))
    camera("Bank corner", source={"kind": "segments", "path": str(folder), "segment_s": SEGMENT_S}, config=config)
    lost = camera("Parking", bearing=90.0, source={"kind": "mjpeg", "url": "http://cams.example/2"}, config=config)
    observations.note_health(lost, seen("down", people=0, reason="no_answer"), city.now() - timedelta(minutes=20))
    drawn = draw_clip(tmp_path / "walk.mp4", "walk", SEGMENT_S, SIZE, FPS)
    now = city.now()
    for index in (2, 1):
        at = (now - timedelta(seconds=index * SEGMENT_S)).astimezone(UTC)
        shutil.copyfile(drawn, folder / f"cam-{at:%Y%m%dT%H%M%SZ}.mp4")
    return city, folder


def test_the_control_room_asks_for_two_minutes(street: tuple[SmallCity, Path]) -> None:
    city, folder = street
    sara, imran = Room(city, staff(city.now(), "operator")), Room(city, staff(city.now(), "operator"))
    sos = city.sos()["id"]
    city.settle()
    last = max(folder.iterdir()).name
    end = datetime.strptime(last, "cam-%Y%m%dT%H%M%SZ.mp4").replace(tzinfo=UTC) + timedelta(seconds=SEGMENT_S)

    # Nobody gets a day of a street: what is asked for is short, near and has a reason.
    here = f"/v1/incidents/{sos}/footage-requests"
    window = {"since": rfc3339(end - timedelta(seconds=120)), "until": rfc3339(end)}
    long = sara.call("POST", here, json={**window, "since": rfc3339(end - timedelta(minutes=6)), "reason": WHY})
    assert (long.status_code, list(long.json()["errors"])) == (422, ["until"])
    assert sara.call("POST", here, json=window).status_code == 422
    far = sara.call("POST", here, json={**window, "position": {"lat": 31.6, "lon": 74.3}, "reason": WHY})
    assert list(far.json()["errors"]) == ["position"]

    # Two minutes of both cameras: one kept its last eight seconds, one was down all the time. Both are said.
    asked = sara.call("POST", here, json={**window, "reason": WHY})
    assert asked.status_code == 201, asked.text
    said = sara.get(f"{here}/{asked.json()['id']}")
    assert said["state"] == "answered"
    bank, parking = ({each["name"]: each for each in said["cameras"]}[name] for name in ("Bank corner", "Parking"))
    assert (parking["found"], [each["why"] for each in parking["missing"]]) == ("nothing", ["down"])
    assert (bank["found"], [each["why"] for each in bank["missing"]]) == ("part", ["overwritten"])
    assert [each["seconds"] for each in bank["have"]] == [pytest.approx(2 * SEGMENT_S)]
    evidence = bank["evidence"]
    here = f"/v1/evidence/{evidence}"

    # What was taken is the recorder's own bytes, hashed and sealed; the working copy shows no face.
    found = sara.get(here)
    assert (found["state"], found["clock"]["by"], found["held"]) == ("ready", "recorder", False)
    assert {each["sha256"] for each in found["original"]["files"]} == {
        Media.name_of(file.read_bytes()) for file in folder.iterdir()
    }
    assert {each["name"] for each in found["copy"]["detectors"]} >= {"faces", "people"}

    # She looks, with a reason. Every picture carries her id; nobody else can use her view.
    view = sara.call("POST", f"{here}/views", json={"reason": WHY}).json()
    clip = sara.call("GET", view["clip"])
    assert (clip.headers["Content-Type"], clip.headers["Cache-Control"]) == ("video/mp4", "private, no-store")
    shown = pictures(clip.content)
    assert len(shown) == found["copy"]["frames"]
    assert shown[0].shape[0] > SIZE[1]  # the line under the picture
    assert all(image[SIZE[1] :].max() > 200 for image in shown), "a line under a picture is empty"
    assert found["copy"]["first"] == pytest.approx(120 - 2 * SEGMENT_S, abs=0.1)  # of the two minutes
    still = sara.call("GET", view["stills"][0])
    assert Image.open(io.BytesIO(still.content)).size[1] > SIZE[1]
    assert imran.call("GET", view["clip"]).json()["code"] == "view_not_found"

    # The original is opened for a stated reason once somebody else says yes; nobody says yes to themselves.
    wanted = {"copy": "original", "reason": COURT}
    assert sara.call("POST", f"{here}/views", json=wanted).json()["code"] == "opening_needed"
    opening = sara.call("POST", f"{here}/openings", json={"reason": COURT}).json()
    yes = {"approve": True, "reason": "The order is before me"}
    assert sara.call("POST", f"/v1/reviews/{opening['id']}/answer", json=yes).json()["code"] == "own_question"
    assert imran.call("POST", f"/v1/reviews/{opening['id']}/answer", json=yes).status_code == 200
    opened = sara.call("POST", f"{here}/views", json=wanted).json()
    assert (opened["review"], opened["stills"]) == (opening["id"], [])
    original = pictures(sara.call("GET", opened["clip"]).content)
    assert imran.call("POST", f"{here}/views", json=wanted).json()["code"] == "opening_needed"
    working = pictures(Media(city.settings.media_url).get(found["copy"]["sha256"]))  # before marks are on it
    faces = [
        (bare(original[index], head), bare(working[index], head))
        for index in range(0, SEGMENT_S * FPS, 4)
        for head in heads("walk", index / FPS, SEGMENT_S, SIZE)
    ]
    assert sum(there for there, _ in faces) >= len(faces) / 2, "nobody was to be seen in the first place"
    assert not any(left for _, left in faces), faces

    # The court gets the recorder's own files; whatever else leaves shows no face, and says through whom it left.
    exported = sara.call("POST", f"{here}/exports", json={"copy": "original", "reason": COURT})
    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        assert archive.testzip() is None
        given = {hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist() if "original/" in name}
        assert given == {each["sha256"] for each in json.loads(archive.read("manifest.json"))["original"]["files"]}
        assert json.loads(archive.read("custody.json"))[-1]["act"] == "exported"
    assert imran.call("POST", f"{here}/exports", json=wanted).json()["code"] == "opening_needed"
    exported = sara.call("POST", f"{here}/exports", json={"reason": WHY})
    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        assert archive.namelist() == ["redacted.mp4", "manifest.json", "custody.json"]
        assert pictures(archive.read("redacted.mp4"))[0].shape[0] > SIZE[1]

    # All of it stands on the chain of custody, and the chain holds: here, by command, and not when it was changed.
    me, other = sara.who.person_id, imran.who.person_id
    assert sara.acts(evidence) == [
        ("taken", me), ("sealed", "system:evidence"), ("redacted", "system:evidence"), ("opened", me), ("viewed", me),
        ("viewed", me), ("opened", me), ("viewed", me), ("exported", me), ("exported", me),
    ]  # fmt: skip
    assert other not in str(sara.acts(evidence))
    row = custody.custody().find_one({"evidence": evidence, "seq": 5}) or {}
    custody.custody().update_one({"_id": row["_id"]}, {"$set": {"actor": other}})
    assert sara.get(f"{here}/custody")["broken_at"] == 5
    custody.custody().update_one({"_id": row["_id"]}, {"$set": {"actor": me}})
    custody.custody().delete_one({"_id": f"{evidence}:000010"})  # cut off at its end: the audit chain knows better
    assert sara.get(f"{here}/custody")["broken_at"] == 10


def test_what_is_over_goes_and_a_hold_keeps(street: tuple[SmallCity, Path]) -> None:
    city, folder = street
    min(folder.iterdir()).unlink()  # four seconds are enough here
    sara = Room(city, staff(city.now(), "operator"))
    kept, gone = city.sos()["id"], city.sos()["id"]
    city.settle()
    found = {}
    for sos in (kept, gone):
        asked = sara.call("POST", f"/v1/incidents/{sos}/footage-requests", json={"reason": WHY}).json()
        said = sara.get(f"/v1/incidents/{sos}/footage-requests/{asked['id']}")
        found[sos] = next(each["evidence"] for each in said["cameras"] if each["name"] == "Bank corner")
    view = sara.call("POST", f"/v1/evidence/{found[gone]}/views", json={"reason": WHY}).json()

    # And by the city's rule, without anybody asking: sealed, and seen by nobody.
    city.skip(150)
    city.skip(21)  # of the two, one may have waited for the other
    for sos in (kept, gone):
        (by_rule,) = (each for each in sara.get(f"/v1/incidents/{sos}/evidence")["items"] if each.get("kept"))
        assert (by_rule["by"], by_rule["state"], len(by_rule["original"]["files"])) == ("system:footage", "sealed", 1)
        assert sara.acts(by_rule["id"])[:2] == [("taken", "system:footage"), ("sealed", "system:evidence")]
    for sos in (kept, gone):
        sara.call("POST", f"/v1/incidents/{sos}/resolve", json={"resolution": "helped", "reason": "They are fine"})

    # A court wants the one case kept: that stands on the chain of its footage.
    retention.hold(kept, by="system:cli", reason=COURT, now=city.now())
    city.context.enqueue("drain", "incidents", kept)
    city.settle()
    assert sara.acts(found[kept])[-1] == ("held", "system:cli")
    assert sara.get(f"/v1/evidence/{found[kept]}")["held"]

    # Years later: bytes, key and document of the one are gone and its chain says so; the other is as it was.
    store = SealedFiles(vault(city.settings), Media(city.settings.media_url))
    part = taking.get(found[gone])["parts"][0]
    assert len(b"".join(store.open(found[gone], part))) == part["size"]
    city.ahead += timedelta(days=1826)
    applied.of_city(cities.current("lahore"), city.context)
    sara = Room(city, staff(city.now(), "operator"))
    for path in (f"/v1/evidence/{found[gone]}", view["clip"], view["stills"][0]):
        assert sara.call("GET", path).json()["code"] == "evidence_not_found"
    with pytest.raises(Destroyed):
        next(store.open(found[gone], part))
    media = Media(city.settings.media_url)
    for piece in part["pieces"]:
        with pytest.raises(FileNotFoundError):
            media.get(piece["sha256"])
    assert sara.acts(found[gone])[-1] == ("deleted", "system:retention")
    again = sara.call("POST", f"/v1/evidence/{found[kept]}/views", json={"reason": COURT}).json()
    assert sara.call("GET", again["stills"][0]).status_code == 200

    # The order is lifted: now it goes, too.
    retention.lift(kept, by="system:cli", reason=COURT, now=city.now())
    city.context.enqueue("drain", "incidents", kept)
    city.settle()
    applied.of_city(cities.current("lahore"), city.context)
    assert [act for act, _ in sara.acts(found[kept])[-2:]] == ["released", "deleted"]
