"""`amaan cameras`: the city's cameras, the keys of their gateways, and one look to see whether a camera shows anything."""

import json
import sys
from typing import Any

import click

from cli.store import audited, connected, show, told
from domain import geo
from domain.cameras import health as health_records
from domain.cameras import observations, queries, registry, rules
from domain.cameras.states import SourceKind
from domain.cities import queries as cities
from domain.clock import utc_now
from domain.ids import new_id

REASON = click.option("--reason", default="", help="Why; it stands on the audit chain.")


@click.group()
def cameras() -> None:
    """Cameras: list, add, check, confirm, retire, make a gateway's key."""


@cameras.command("list")
@click.argument("city")
@told
def list_cameras(city: str) -> None:
    """All cameras of a city with their health."""
    connected()
    rows: list[tuple[Any, ...]] = []
    after = None
    while True:
        page, after = queries.listed(city, after=after, limit=200)
        for camera in page:
            health = camera.get("health") or {}
            service = "on" if camera.get("enabled", True) else "off"
            reasons = " ".join(health.get("reasons") or [])
            rows.append(
                (camera["_id"], camera.get("name"), camera["source"]["kind"], service, health.get("state"), reasons)
            )
        if after is None:
            break
    show(["id", "name", "source", "service", "health", "reasons"], rows)


@cameras.command("add")
@click.argument("city")
@click.argument("name")
@click.option("--at", nargs=2, type=float, required=True, metavar="LAT LON")
@click.option("--bearing", type=click.FloatRange(0, 360), required=True, help="Where it looks: degrees from north.")
@click.option("--fov", type=click.FloatRange(1, 360), default=70.0, show_default=True, help="Field of view in degrees.")
@click.option("--range", "range_m", type=click.FloatRange(1, 2000), default=100.0, show_default=True, help="Metres.")
@click.option("--kind", type=click.Choice([str(each) for each in SourceKind]), required=True)
@click.option("--url", help="Of mjpeg, rtsp and hls; on the city's list.")
@click.option("--path", help="Of file and segments; below a folder of the city's list.")
@click.option("--agency", default="")
@click.option("--gateway", is_flag=True, help="Also make a key by which its gateway posts.")
@REASON
@told
def add(
    city: str,
    name: str,
    at: tuple[float, float],
    bearing: float,
    fov: float,
    range_m: float,
    kind: str,
    url: str | None,
    path: str | None,
    agency: str,
    gateway: bool,
    reason: str,
) -> None:
    """Register a camera."""
    settings, now = connected(), utc_now()
    facts = {
        "name": name,
        "agency": agency,
        "position": {"lat": at[0], "lon": at[1]},
        "bearing_deg": bearing,
        "fov_deg": fov,
        "range_m": range_m,
        "source": {key: value for key, value in (("kind", kind), ("url", url), ("path", path)) if value},
    }
    if not geo.is_position(*at):
        raise click.BadParameter("not a place", param_hint="--at")
    camera_id = new_id("cam", now)
    config = cities.current(city)
    audited(city, "camera.added", camera_id, reason, now)
    registry.add(camera_id, facts, config, secret=settings.signing_key, now=now)
    click.echo(camera_id)
    if gateway:
        click.echo(f"gateway key: {registry.issue_key(camera_id, secret=settings.signing_key, now=now)}")


@cameras.command("check")
@click.argument("camera_id")
@click.option("--json", "as_json", is_flag=True, help="The whole answer, for machines.")
@told
def check(camera_id: str, as_json: bool) -> None:
    """Look once, now, and say what the camera shows. No picture is kept; its health is. Ends 1 when it shows nothing."""
    settings = connected()
    camera = queries.camera(camera_id)
    if observations.is_gateways(camera["source"]):
        raise click.ClickException("its gateway looks for itself: see `amaan cameras list` for its last word")
    try:
        from workers.vision.child import Looker  # the camera libraries are for those who look
        from workers.vision.jobs import see
    except ImportError as error:
        raise click.ClickException(f"camera analytics is not installed here ({error.name})") from None
    now = utc_now()
    span = rules.span({**camera["source"], "recorded_at": None}, now, now)
    window = {"start": span.start, "seconds": span.seconds, "recorded": False}
    with Looker() as looker:
        answer = see(camera, window, looker, settings)
    stills = answer.pop("stills")
    observations.note_health(camera, answer, now)
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _print(camera, answer, len(stills))
    sys.exit(0 if answer["verdict"] in {"seen", "clear"} else 1)


def _print(camera: queries.Camera, answer: dict[str, Any], stills: int) -> None:
    found, health = answer["summary"], answer["health"]
    troubles = [name for name, value in health.items() if value is True] + (
        [health["reason"]] if health["reason"] else []
    )
    findings = ", ".join(f"{each['kind']} {each['confidence']:.0%} at {each['t']:.0f} s" for each in found["findings"])
    rows = [
        ("camera", f"{camera.get('name')} ({camera['_id']})"),
        ("view", answer["verdict"]),
        ("look", f"{answer['status']}, {answer['seconds']:.1f} s, {answer['frames']['judged']} pictures judged"),
        ("people", f"{found['people_max']} at most"),
        ("findings", findings or "none"),
        ("trouble", ", ".join(troubles) or "none"),
        ("pictures", f"{stills} that would be kept, faces blurred"),
    ]
    for name, value in rows:
        click.echo(f"{name:<9} {value}")


@cameras.command("confirm")
@click.argument("camera_id")
@REASON
@told
def confirm(camera_id: str, reason: str) -> None:
    """Say that a camera which was turned may look where it looks now; give its new bearing over HTTP."""
    connected()
    audited(queries.camera(camera_id)["city"], "camera.view_confirmed", camera_id, reason)
    if not health_records.confirm_scene(camera_id):
        raise click.ClickException("nobody has sampled it yet")


@cameras.command("retire")
@click.argument("camera_id")
@REASON
@told
def retire(camera_id: str, reason: str) -> None:
    """Take a camera out of the register."""
    connected()
    audited(queries.camera(camera_id)["city"], "camera.retired", camera_id, reason)
    registry.retire(camera_id, now=utc_now())


@cameras.command("key")
@click.argument("camera_id")
@click.option("--revoke", is_flag=True, help="Make none; the present one opens nothing any more.")
@REASON
@told
def key(camera_id: str, revoke: bool, reason: str) -> None:
    """Make a new key for a camera's gateway; the one before it opens nothing any more."""
    settings = connected()
    audited(queries.camera(camera_id)["city"], "camera.key_revoked" if revoke else "camera.key_made", camera_id, reason)
    if revoke:
        registry.revoke_key(camera_id, now=utc_now())
    else:
        click.echo(registry.issue_key(camera_id, secret=settings.signing_key, now=utc_now()))
