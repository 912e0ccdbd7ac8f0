"""Drawn camera footage, so that the demo and the tests need nobody's picture and no file that is not ours.

    draw_clip("cam-1.mp4", "fall")                      # a person walks in, falls and lies
    with MjpegServer({"cam-1": "cam-1.mp4"}) as server: # http://127.0.0.1:PORT/cam-1, looping at its own speed
        …

    python -m sandbox.footage draw fall cam-1.mp4
    python -m sandbox.footage serve cam-1.mp4 cam-2.mp4 --port 8600     # prints "listening on 127.0.0.1:8600"

The real detectors see the drawn people (tests/workers/vision/test_drawn_scenes.py). Nothing drawn is ever committed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import av
import cv2 as _cv2
import numpy as np

from sandbox.car import CarPainter
from sandbox.figure import Image, Painter, Pose, look_of, skeleton
from sandbox.street import Sensor, background, person_height, stamp

cv2: Any = _cv2
STRIDE = 0.42  # body heights that a walker covers in one step
STEPS_PER_S = 1.7
PHASES = 12  # drawn positions of one double step
FALL_S = 0.8


def draw_clip(
    path: str | Path,
    scene: str,
    seconds: float = 10.0,
    size: tuple[int, int] = (1280, 720),
    fps: int = 12,
    seed: int = 0,
) -> Path:
    """Draw ``scene`` (one of ``SCENES``) into ``path``: .mp4 (H.264) or .avi (MJPEG). ``size`` is (width, height), even.

    10 s of 720p take about 6 s and 1 MB. Raises ``ValueError`` for an unknown scene or suffix.
    """
    target = Path(path)
    codecs = {".mp4": ("libx264", "yuv420p"), ".avi": ("mjpeg", "yuvj420p")}
    if target.suffix not in codecs:
        raise ValueError(f"no drawing into {target.suffix or 'a file without suffix'}: .mp4 or .avi")
    codec, pixels = codecs[target.suffix]
    pictures = draw(scene, seconds, size, fps, seed)
    with av.open(str(target), "w") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], pixels
        stream.options = {"preset": "veryfast", "crf": "25"} if codec == "libx264" else {"qscale": "4"}
        stream.codec_context.thread_count = 1
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return target


def draw(scene: str, seconds: float, size: tuple[int, int], fps: int, seed: int) -> Iterator[Image]:
    """The pictures of a scene, HxWx3 BGR, one after another. Raises ``ValueError`` for an unknown one."""
    if scene in PLAYED:
        return _film(PLAYED[scene](seconds, seed), seconds, size, fps, seed)
    if scene in SPOILT:
        return SPOILT[scene](seconds, size, fps, seed)
    raise ValueError(f"no scene {scene!r}: one of {', '.join(SCENES)}")


Place = tuple[tuple[float, float], Pose]  # soles in shares of the picture, and the pose
Actor = tuple[Painter | CarPainter, Callable[[float], Place]]


def _film(
    actors: list[Actor],
    seconds: float,
    size: tuple[int, int],
    fps: int,
    seed: int,
    light: float = 1.0,
    noise: float = 3.0,
) -> Iterator[Image]:
    width, height = size
    street, sensor = background(size, seed), Sensor(size, seed, noise)
    for index in range(round(seconds * fps)):
        t = index / fps
        picture = street.copy()
        placed = [(painter, *where(t)) for painter, where in actors]
        for painter, (x, y), pose in sorted(placed, key=lambda entry: entry[1][1]):  # who stands lower is nearer
            foot = (x * width, y * height)
            tall = person_height(foot[1], height)
            _shadow(picture, foot, tall, pose)
            painter.paint(picture, foot, tall, pose)
        if light != 1.0:
            picture = cv2.convertScaleAbs(picture, alpha=light)
        else:
            stamp(picture, f"CAM {seed:03d}  2026-01-01 12:{int(t) // 60:02d}:{int(t) % 60:02d}")
        yield sensor.expose(picture)


def _shadow(picture: Image, foot: tuple[float, float], tall: float, pose: Pose) -> None:
    lying = abs(pose.roll) / 90
    centre_x = foot[0] + np.sign(pose.roll) * lying * tall * 0.45
    axes = (int(tall * (0.13 + 0.4 * lying)), max(2, int(tall * 0.045)))
    left, top = int(centre_x - axes[0] * 1.3), int(foot[1] - axes[1] * 2)
    right, bottom = int(centre_x + axes[0] * 1.3), int(foot[1] + axes[1] * 2)
    left, top = max(0, left), max(0, top)
    part = picture[top:bottom, left:right]
    if min(part.shape[:2]) < 3:
        return
    dark = np.zeros(part.shape[:2], np.float32)
    cv2.ellipse(dark, (int(centre_x) - left, int(foot[1]) - top), axes, 0, 0, 360, 0.45, -1)
    dark = cv2.GaussianBlur(dark, (0, 0), max(1.0, axes[1] * 0.4))
    part[:] = np.clip(part * (1 - dark[..., None]), 0, 255).astype(np.uint8)


def _walking(t: float, yaw: float, offset: float = 0.0) -> Pose:
    phase = round((t * STEPS_PER_S / 2 + offset) * PHASES) % PHASES / PHASES
    swing = float(np.sin(2 * np.pi * phase))
    back = float(np.cos(2 * np.pi * phase))
    knees = (8 + 34 * max(0.0, back) * (swing < 0.9), 8 + 34 * max(0.0, -back))
    return Pose(
        yaw=yaw,
        hips=(24 * swing, -24 * swing),
        knees=knees,
        swing=(-22 * swing, 22 * swing),
        elbows=(20, 20),
        lift=0.012,
    )


def _walker(start: float, y: float, speed: float, seed: int) -> Actor:
    """Somebody who walks across at depth ``y``; ``speed`` in picture widths a second, to and fro between the edges."""

    def where(t: float) -> Place:
        way = (start + abs(speed) * t) % 2.0 if speed > 0 else (2.0 - start + abs(speed) * t) % 2.0
        right = way < 1.0
        x = 0.06 + 0.88 * (way if right else 2.0 - way)
        return (x, y), _walking(t, 58.0 if right else -58.0, seed * 0.17)

    return Painter(look_of(seed)), where


def _walk(seconds: float, seed: int) -> list[Actor]:
    return [_walker(0.05, 0.86, 0.085, seed)]


def _fall(seconds: float, seed: int, start: float = 0.2) -> list[Actor]:
    """Walks for two fifths of the time, goes down within 0.8 s, lies for the rest."""
    down_at = 0.4 * seconds

    def where(t: float) -> Place:
        x = start + 0.075 * min(t, down_at)
        if t < down_at:
            return (x, 0.86), _walking(t, 55.0)
        share = min(1.0, (t - down_at) / FALL_S)
        eased = share * share * (3 - 2 * share) if share < 1 else 1.0
        buckle = float(np.sin(np.pi * share))
        pose = Pose(
            yaw=55 - 25 * eased,
            roll=86 * eased,
            hips=(24 * buckle, 14 * buckle + 6 * eased),
            knees=(60 * buckle + 12 * eased, 40 * buckle + 22 * eased),
            swing=(30 * buckle, 10 * buckle),
            spread=(9 + 38 * eased, 9 + 16 * eased),
            lift=0.07 * eased,
        )
        return (x, 0.86), pose

    return [(Painter(look_of(seed)), where)]


def _street(seconds: float, seed: int) -> list[Actor]:
    """A car drives up and stops, somebody passes behind, and somebody walks, falls and lies."""

    def car(t: float) -> Place:
        way = min(1.0, t / 2.5)
        return (1.25 - 0.42 * way * (2 - way), 0.82), Pose()

    return [*_fall(seconds, seed, start=0.05), _walker(0.1, 0.66, -0.06, seed + 5), (CarPainter(), car)]


def _hands_up(seconds: float, seed: int) -> list[Actor]:
    """Stands, and holds up both hands from one third of the time on."""

    def where(t: float) -> Place:
        raised = min(1.0, max(0.0, (t - seconds / 3) / 0.6))
        spread = 9 + 143 * round(raised * 8) / 8
        return (0.5, 0.88), Pose(yaw=12, spread=(spread, spread), elbows=(12 + 18 * raised, 12 + 18 * raised))

    return [(Painter(look_of(seed)), where)]


def _crowd(seconds: float, seed: int) -> list[Actor]:
    """Seven people at different depths, each on a way of their own."""
    rng = np.random.default_rng(seed)
    actors = []
    for index in range(7):
        speed = float(rng.uniform(0.04, 0.08)) * (1 if index % 2 else -1)
        actors.append(_walker(0.12 + 0.26 * index % 2.0, 0.66 + 0.04 * index, speed, seed * 31 + index))
    return actors


def _scatter(seconds: float, seed: int) -> list[Actor]:
    """Eight people stand about together; after three eighths of the time all run from each other, out of the picture."""
    flee_at = 0.375 * seconds

    def one(index: int) -> Actor:
        side = 1 if index % 2 else -1
        start, depth = 0.5 + side * (0.04 + 0.045 * (index // 2)), 0.74 + 0.05 * (index // 2 % 3)

        def where(t: float) -> Place:
            sway = 0.006 * float(np.sin(2.1 * t + index))
            if t < flee_at:
                return (start + sway, depth), Pose(yaw=20.0 * side)
            return (start + side * 0.3 * (t - flee_at), depth), _walking(2 * t, 62.0 * side, index * 0.17)

        return Painter(look_of(seed * 31 + index)), where

    return [one(index) for index in range(8)]


def _empty(seconds: float, seed: int) -> list[Actor]:
    return []


def _dark(seconds: float, size: tuple[int, int], fps: int, seed: int) -> Iterator[Image]:
    """The lamps are out: somebody walks there, and nobody could say so."""
    return _film(_walk(seconds, seed), seconds, size, fps, seed, light=0.035, noise=2.0)


def _frozen(seconds: float, size: tuple[int, int], fps: int, seed: int) -> Iterator[Image]:
    """The recorder repeats its last picture, clock and noise included."""
    first = next(_film(_walk(1.0, seed), 1.0, size, fps, seed))
    return (first for _ in range(round(seconds * fps)))


def _covered(seconds: float, size: tuple[int, int], fps: int, seed: int) -> Iterator[Image]:
    """A cloth over the lens: light comes through, no shape does."""
    width, height = size
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    veil = 62 + 18 * np.sin(xx / width * 2.2) + 10 * yy / height
    cloth: Image = np.clip(veil[..., None] * np.array([0.8, 0.92, 1.05]), 0, 255).astype(np.uint8)
    sensor = Sensor(size, seed, 1.2)
    return (sensor.expose(cloth) for _ in range(round(seconds * fps)))


PLAYED: Mapping[str, Callable[[float, int], list[Actor]]] = {
    "fall": _fall,
    "street": _street,
    "walk": _walk,
    "empty": _empty,
    "crowd": _crowd,
    "scatter": _scatter,
    "hands_up": _hands_up,
}
SPOILT: Mapping[str, Callable[[float, tuple[int, int], int, int], Iterator[Image]]] = {
    "dark": _dark,
    "frozen": _frozen,
    "covered": _covered,
}
SCENES = (*PLAYED, *SPOILT)


def heads(
    scene: str, t: float, seconds: float, size: tuple[int, int], seed: int = 0
) -> list[tuple[float, float, float]]:
    """The truth about a played scene: x, y and radius in pixels of every head in view that nobody stands in front of."""
    width, height = size
    placed = sorted((where(t) for _, where in PLAYED[scene](seconds, seed)), key=lambda place: place[0][1])
    seen: list[tuple[float, float, float]] = []
    for (x, y), pose in placed:
        tall = person_height(y * height, height)
        joints = skeleton(pose)
        # Who comes later in this order is nearer, and hides whatever head lies behind his trunk or legs.
        ends = [joints["head"], (joints["left_ankle"] + joints["right_ankle"]) / 2]
        (ax, ay), (bx, by) = ((x * width + float(p[0]) * tall, y * height - float(p[1]) * tall) for p in ends)
        seen = [head for head in seen if _beside(head, (ax, ay), (bx, by)) > 0.17 * tall]
        if 0 <= ax < width and 0 <= ay < height:
            seen.append((ax, ay, 0.075 * tall))
    return seen


def _beside(point: tuple[float, ...], a: tuple[float, float], b: tuple[float, float]) -> float:
    """The distance of a point from the line between two others."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    share = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / max(dx * dx + dy * dy, 1e-9)
    share = min(1.0, max(0.0, share))
    return float(np.hypot(point[0] - a[0] - share * dx, point[1] - a[1] - share * dy))


class MjpegServer:
    """Clips as MJPEG streams on the loopback, each viewer from its beginning, looping, at the clip's own speed.

    ``clips`` maps a name to a file; ``url(name)`` is what a camera's source holds. Port 0 takes a free one.
    """

    def __init__(self, clips: Mapping[str, str | Path], port: int = 0) -> None:
        self._clips: dict[str, Path | None] = {name: Path(path) for name, path in clips.items()}
        self._over = Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet: what matters is said by the demo."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def show(self, name: str, path: str | Path | None) -> None:
        """From now on this camera shows another clip, to those who are watching too; None: it is gone."""
        self._clips[name] = None if path is None else Path(path)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.strip("/")
        if self._clips.get(name) is None:
            request.send_error(404)
            return
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        request.end_headers()
        began, sent = time.monotonic(), 0
        try:
            while (path := self._clips.get(name)) is not None and not self._over.is_set():
                capture = cv2.VideoCapture(str(path))
                rate = capture.get(cv2.CAP_PROP_FPS) or 12.0
                while self._clips.get(name) == path and not self._over.is_set():
                    good, picture = capture.read()
                    if not good:
                        break
                    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    request.wfile.write(head.encode() + jpeg + b"\r\n")
                    sent += 1
                    time.sleep(max(0.0, began + sent / rate - time.monotonic()))
                capture.release()
                if sent == 0:
                    return  # nothing in the file: end the stream rather than spin
        except OSError:
            return  # the viewer has gone

    def start(self) -> MjpegServer:
        self._thread.start()
        return self

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> MjpegServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_mjpeg(path: str | Path, port: int = 0) -> MjpegServer:
    """Serve one clip, under its name without suffix; the caller closes the server."""
    return MjpegServer({Path(path).stem: path}, port).start()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.footage", description="Drawn camera footage.")
    commands = parser.add_subparsers(dest="command", required=True)
    drawing = commands.add_parser("draw", help="draw one scene into a file")
    drawing.add_argument("scene", choices=list(SCENES))
    drawing.add_argument("path")
    drawing.add_argument("--seconds", type=float, default=10.0)
    drawing.add_argument("--seed", type=int, default=0)
    serving = commands.add_parser("serve", help="serve clips as MJPEG, each under its name without suffix")
    serving.add_argument("paths", nargs="+")
    serving.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    if given.command == "draw":
        draw_clip(given.path, given.scene, given.seconds, seed=given.seed)
        return
    server = MjpegServer({Path(path).stem: path for path in given.paths}, given.port).start()
    print(f"listening on 127.0.0.1:{server.port}", flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        server.close()


if __name__ == "__main__":
    main()
