"""Chapter `watch`: neighbours walk a patrol, a blast is reported two thousand times within seconds, and a street light that it
put out is handed to the office that sees to it.

Nothing is read from the store: every step is seen through the API, at the phones, or as the office's own system sees it.
"""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import requests
from lxml import etree

from cli.chapters.observed import NotObserved, Story, wait_for
from cli.chapters.phones import Phone, Town, rfc3339
from domain import geo
from sandbox.neighbourhood import Neighbourhood, Resident
from sandbox.townspeople import PLACE, Cast

REPORTS, PHONES, MEMBERS, AT_ONCE = 2_000, 1_500, 60, 8
SPREAD_M: Final = 900.0
_ZONE: Final = ZoneInfo("Asia/Karachi")
_SAID: Final = ("", "dhamaka hua hai, sheeshe toot gaye", "بہت زور کا دھماکہ ہوا ہے", "Huge blast, windows broken")

Seen = tuple[str, float | None] | None


def play(town: Town, cast: Cast, story: Story, *, operator_token: str) -> None:
    """Play it. Steps that are not seen in time are recorded as missed; what hangs on them is not tried."""
    if town.around is None:
        raise NotObserved("nobody lives around here")
    story.say(f"{PHONES} neighbours of Liberty Market have had the app for two months.")
    operator = Phone(town, cast.operator_phone)
    operator.access = operator_token
    street = _Street(town, town.around, story, operator)
    story.begin()
    try:
        group = street.found_a_group()
        street.walk_a_patrol(group)
        street.hear_a_blast()
        street.hand_over_a_light(group)
    except (NotObserved, requests.RequestException, LookupError) as error:
        story.missed("story", "The story goes on", f"{type(error).__name__}: {error}")


class _Street:
    """The neighbours as the chapter plays them; the first of them leads the group."""

    def __init__(self, town: Town, around: Neighbourhood, story: Story, operator: Phone) -> None:
        self.town, self.around, self.story, self.operator = town, around, story, operator
        self.members = around.residents[:MEMBERS]
        self._local = threading.local()

    def call(self, who: Resident, method: str, path: str, body: Any = None) -> requests.Response:
        """A request as somebody's app sends it; each thread has a connection of its own."""
        if not hasattr(self._local, "http"):
            self._local.http = requests.Session()
        headers = {"Authorization": f"Bearer {who.bearer}", "Sent-At": rfc3339(), "Idempotency-Key": str(uuid.uuid4())}
        answer: requests.Response = self._local.http.request(
            method, f"{self.town.api}/v1/watch{path}", json=body, headers=headers, timeout=30
        )
        return answer

    def ok(self, who: Resident, method: str, path: str, body: Any = None) -> Any:
        answer = self.call(who, method, path, body)
        if answer.status_code >= 300:
            raise NotObserved(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer.json() if answer.content else {}

    def step(self, name: str, text: str, look: Callable[[], Seen], seconds: float) -> bool:
        try:
            evidence, at = wait_for(text, look, seconds, every_s=0.3)
        except (NotObserved, requests.RequestException) as error:
            self.story.missed(name, text, str(error))
            return False
        self.story.seen(name, text, evidence, at=at)
        return True

    def found_a_group(self) -> str:
        devices = [{"token": each.push_token, "auto_receipt": True, "api_url": self.town.api} for each in self.members]
        numbered = [{**device, "number": f"+923009{index:06d}"} for index, device in enumerate(devices)]
        self.town.http.put(f"{self.town.carriers}/devices", json={"devices": numbered}, timeout=30).raise_for_status()
        lead, *others = self.members
        corners = [geo.destination(*PLACE, bearing, 1_200.0) for bearing in (45.0, 135.0, 225.0, 315.0, 45.0)]
        area = {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in corners]]}
        group = self.ok(lead, "POST", "/groups", {"name": "Liberty", "area": area, "rules": "Say what somebody does."})
        link = self.ok(lead, "POST", f"/groups/{group['id']}/link")["token"]
        body = {"rules_version": group["rules_version"], "link": link}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda who: self.ok(who, "POST", f"/groups/{group['id']}/members", body), others))
        count = self.ok(lead, "GET", f"/groups/{group['id']}")["members"]
        if count != MEMBERS:
            raise NotObserved(f"{count} members instead of {MEMBERS}")
        self.story.seen("group", "A watch group, joined by its link", f"group {group['id']} with {count} members")
        return str(group["id"])

    def walk_a_patrol(self, group: str) -> None:
        lead, walker = self.members[:2]
        corners = [geo.destination(*PLACE, bearing, 200.0) for bearing in (45.0, 135.0, 225.0, 315.0, 45.0)]
        area = {"type": "Polygon", "coordinates": [[[lon, lat] for lat, lon in corners]]}
        beat = self.ok(lead, "POST", "/beats", {"group": group, "name": "Market", "geometry": area})
        starts = datetime.now(_ZONE) + timedelta(minutes=6)
        body = {
            "beat": beat["id"], "dates": [starts.date().isoformat()], "since": f"{starts:%H:%M}",
            "until": f"{starts + timedelta(hours=2):%H:%M}", "capacity": 2,
        }  # fmt: skip
        (patrol,) = self.ok(lead, "POST", "/patrols", body)["items"]
        self.ok(walker, "POST", f"/patrols/{patrol['id']}/places")
        here = {"position": {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 10.0}}
        shown = self.ok(walker, "POST", f"/patrols/{patrol['id']}/check-in", here)
        if shown["mine"] != "checked_in":
            raise NotObserved(f"the patrol says {shown['mine']}")
        self.story.seen("patrol", "A neighbour checks in at the beat", f"patrol {patrol['id']}: checked_in")

    def hear_a_blast(self) -> None:
        began = time.time()
        # Whoever reports first is not told what they said: here that is nobody of the group.
        who = [*self.around.residents[MEMBERS:], *self.members, *self.around.residents[: REPORTS - PHONES]]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(self._report, range(REPORTS), who))
        took = time.time() - began
        statuses = Counter(answer.status_code for answer in answers)
        text = f"{REPORTS} reports of one blast from {PHONES} phones"
        if statuses != {201: REPORTS}:
            self.story.missed("burst", text, str(dict(statuses)))
            return
        self.story.seen("burst", text, f"all taken in {took:.1f} s, {REPORTS / took:.0f} a second")
        ids = [answer.json()["id"] for answer in answers]
        self.step("cluster", "They are one cluster", lambda: self._one_cluster(ids), 40)
        self.step("alert", "Every member was told, once", self._told, 40)
        self.step("incident", "It is one incident, and units are asked", lambda: self._incident(ids), 20)
        self.step("cameras", "Cameras near by were looked at", self._cameras, 40)

    def _report(self, index: int, who: Resident) -> requests.Response:
        draw = random.Random(index)  # whoever stands next to it reports first
        lat, lon = geo.destination(*PLACE, draw.uniform(0, 360), draw.uniform(0, min(SPREAD_M, 40.0 + index)))
        position = {"lat": round(lat, 6), "lon": round(lon, 6), "accuracy_m": 20.0, "captured_at": rfc3339()}
        body = {"category": "explosion", "position": position, "note": draw.choice(_SAID)}
        return self.call(who, "POST", "/reports", body)

    def _one_cluster(self, ids: list[str]) -> Seen:
        lead = self.members[0]
        found = [self.ok(lead, "GET", f"/reports/{each}").get("cluster") or {} for each in ids[:: REPORTS // 10]]
        names = {each.get("id") for each in found}
        held = max((each.get("reports") or 0 for each in found), default=0)
        if len(names) != 1 or held != REPORTS or not found[0]["believed"]:
            return None
        voices, score = found[0]["voices"], found[0]["score"]
        return f"{held} reports in {names.pop()}, {voices} independent voices, score {score}", None

    def _told(self) -> Seen:
        told = Counter(self._alerts(each) for each in self.members)
        if told[0] or set(told) - {1}:
            if set(told) - {0, 1}:
                raise NotObserved(f"alerts on each phone: {dict(told)}")
            return None
        return f"{told[1]} phones of {MEMBERS}, one push each", None

    def _alerts(self, who: Resident) -> int:
        found = self.town.http.get(f"{self.town.carriers}/devices/{who.push_token}.json", timeout=10).json()["pushes"]
        return len([push for push in found if push["data"].get("type") == "watch.alert"])

    def _incident(self, ids: list[str]) -> Seen:
        known = {self._as_operator(f"/v1/watch/reports/{each}").get("incident_id") for each in ids[:40]} - {None}
        if len(known) != 1:
            return None
        self.incident = known.pop()
        asked = self._as_operator(f"/v1/incidents/{self.incident}").get("assignments") or []
        return (f"incident {self.incident}, {len(asked)} units asked", None) if asked else None

    def _as_operator(self, path: str) -> dict[str, Any]:
        answer = self.operator.call("GET", path)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _cameras(self) -> Seen:
        states = [each["state"] for each in self._as_operator(f"/v1/incidents/{self.incident}").get("cameras") or []]
        if not states or any(state in {"asked", "looking"} for state in states):
            return None
        if not set(states) & {"seen", "clear"}:
            raise NotObserved(f"no camera saw anything: {states}")
        return f"{len(states)} cameras: {', '.join(states)}", None

    def hand_over_a_light(self, group: str) -> None:
        lead, _, saw, follower = self.members[:4]
        place = {"lat": PLACE[0], "lon": PLACE[1], "accuracy_m": 8.0}
        said = {"category": "street_light", "position": place, "note": "The blast broke the lamp at the corner."}
        lamp = self.ok(saw, "POST", "/reports", said)
        self.ok(follower, "PUT", f"/reports/{lamp['id']}/follow")
        made = self.ok(lead, "POST", f"/reports/{lamp['id']}/handover")
        own = {"jurisdiction_id": "lahore", "api_key": self.around.api_key}
        fetched = self.town.http.get(f"{self.town.api}/open311/v2/requests.xml", params=own, timeout=10)
        fetched.raise_for_status()
        found = [row for row in etree.fromstring(fetched.content) if row.findtext("service_request_id") == made["id"]]
        if not found or not (found[0].findtext("lat") or "").startswith("31.51"):
            raise NotObserved("the office did not find the request")
        code = found[0].findtext("service_code")
        self.story.seen(
            "handover", "The office fetches it by Open311", f"GET requests.xml: {made['id']} ({code}), open"
        )
        update = {**own, "service_request_id": made["id"], "status": "closed", "description": "New lamp fitted."}
        answer = self.town.http.post(f"{self.town.api}/open311/v2/servicerequestupdates.xml", data=update, timeout=10)
        answer.raise_for_status()
        self.step("they_did", "You said, they did", lambda: self._they_did(saw, follower, lamp["id"], group), 20)

    def _they_did(self, saw: Resident, follower: Resident, report: str, group: str) -> Seen:
        shown = self.ok(saw, "GET", f"/reports/{report}").get("handover") or {}
        (row,) = self.ok(saw, "GET", f"/groups/{group}/handovers")["items"]
        pushed = [self._news(each, report) for each in (saw, follower)]
        if shown.get("status") != "closed" or row["status"] != "closed" or not all(pushed):
            return None
        return f'"{shown["notes"]}" for the reporter, who follows, and the group', None

    def _news(self, who: Resident, report: str) -> bool:
        found = self.town.http.get(f"{self.town.carriers}/devices/{who.push_token}.json", timeout=10).json()["pushes"]
        return any(push["data"].get("subject_id") == report for push in found)
