"""One look: a source and a window in, an observation out.

The stages are those of the pipeline: admit, decode, light, motion, faces, the city's own, people, poses, crowd, stills.
It runs in the child process (``child``), which is where limits are kept; called directly it is the same, without a net.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from workers.vision import crowd, faces, judge, light, motion, people, plates, pose, running
from workers.vision.admit import Unseen
from workers.vision.beside import Beside
from workers.vision.boxes import around, grown, within, zone_of
from workers.vision.config import VisionConfig, Window
from workers.vision.crowd import CrowdDetector
from workers.vision.cv import Image, cv2
from workers.vision.decode import Decoder, Sample, batches
from workers.vision.detector import described
from workers.vision.follow import Followed, explains
from workers.vision.light import LightDetector
from workers.vision.models import Models, loaded
from workers.vision.motion import MotionDetector
from workers.vision.observation import Box, Detection, DetectorInfo, Observation, Status, at, blind
from workers.vision.plates_seen import PlatesSeen
from workers.vision.source import Footage, opened
from workers.vision.stills import Gallery
from workers.vision.stirs import Stirs
from workers.vision.tracks import START, Tracker, gone

BATCH = 60  # samples judged together: 10 s at 6 Hz, about 40 MB
NEAR = 0.16  # of the picture: smaller bodies have no joints that could be read
SPECK = 0.08  # of a body's box: smaller moving parts say nothing of its outline
SETTLED = 3  # pictures for which a body must have lain before its joints are trusted to show the head
LEANING = 20.0  # degrees
UNSURE = 0.69  # score of a body by its joints: not believed at once
CARRIED = 0.35  # score of somebody who is only carried on
COMPLETE = 0.9  # decoded of declared, from which a clip counts as whole


def look(source: Mapping[str, Any], window: Window, config: VisionConfig) -> Observation:
    """Look once. Never raises for what the source is or sends; the dict is described in ``source``."""
    began = time.monotonic()
    try:
        with opened(source, window, config) as footage:
            return look_at(footage, window, config, began)
    except Unseen as unseen:
        return blind(unseen.status, unseen.reason, down=unseen.down, not_allowed=unseen.not_allowed)
    except cv2.error:
        return blind(Status.CORRUPT, "not_decodable")
    except MemoryError:
        return blind(Status.UNSUPPORTED, "too_much_memory")
    except OSError:
        return blind(Status.CORRUPT, "unreadable")


def look_at(
    footage: Footage,
    window: Window,
    config: VisionConfig,
    began: float,
    *,
    seen: Callable[[Sample], None] | None = None,
) -> Observation:
    """Look at footage that is open. ``began`` (``time.monotonic``) is when the look's budget began to run; ``seen`` gets
    every sample once its faces and heads are known, which is what whoever blurs a clip needs.
    """
    return _Look(footage, window, config, began, seen).run()


class _Look:
    def __init__(
        self,
        footage: Footage,
        window: Window,
        config: VisionConfig,
        began: float,
        seen: Callable[[Sample], None] | None = None,
    ) -> None:
        self.footage, self.config, self.seen = footage, config, seen
        self.seconds = min(window.seconds, config.max_seconds)
        self.deadline = began + config.budget_s + (self.seconds if footage.live else 0.0)
        self.decoder = Decoder(footage, self.seconds, config, self.deadline)
        self.models: Models = loaded()
        self.evidence = judge.Evidence()
        self.detections: list[Detection] = []
        self.counted: list[float] = []  # times at which people were counted
        self.tracker = Tracker()
        self.models.pose.begin(config.poses_per_look)
        self.light, self.moving, self.crowd = LightDetector(), MotionDetector(), CrowdDetector()
        for detector, options in ((self.light, {}), (self.moving, {"masks": config.masks}), (self.crowd, {})):
            detector.load(options)
        self.stirs = Stirs()
        self.beside = Beside(config, self.models)
        self.plates = PlatesSeen(self.models.plates(config.country)) if config.plates else None
        self.gallery = Gallery(config, self.models.faces, self.plates.to_blur if self.plates else None)
        self.primed = False
        self.next_count = 0.0
        self.showing: list[Box] = []  # faces, until they are looked for again
        self.judged = self.own_pictures = 0
        self.failed = ""  # why the look is not whole, one word
        self.spent: dict[str, float] = {}

    def run(self) -> Observation:
        whole = batches(iter(self.decoder), BATCH)
        while True:
            with self._timed("decode"):
                batch = next(whole, None)
            if batch is None:
                return self._observation()
            if not self.primed:
                self.primed = True
                with self._timed("motion"):
                    self.moving.prime([sample.grey for sample in batch])
            seen = 0
            for sample in batch:
                if time.monotonic() > self.deadline:
                    self.failed = "out_of_time"
                    break
                self._see(sample)
                seen += 1
                if self.seen is not None:
                    self.seen(sample)
            if self.config.stills_max > 0:
                with self._timed("stills"):
                    self.gallery.add(batch[:seen])

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.process_time()
        try:
            yield
        finally:
            self.spent[stage] = self.spent.get(stage, 0.0) + (time.process_time() - began) * 1000

    def _see(self, sample: Sample) -> None:
        with self._timed("light"):
            self.light.detect(sample.grey)
        with self._timed("motion"):
            self.moving.detect(sample.grey)
        measured, moved = self.light.measured, self.moving.motion
        assert measured is not None
        assert moved is not None
        self.evidence.qualities.append(measured)
        self.evidence.shares.append(moved.share)
        self.evidence.whole += moved.whole
        if sample.full is not None:
            with self._timed("faces"):
                self.showing = self._faces(sample, sample.full)
            with self._timed("own"):
                self._own(sample, sample.full)
            if self.plates is not None:
                with self._timed("plates"):
                    self.plates.see(sample)
        self._people(sample, moved.boxes)
        with self._timed("crowd"):
            self._crowd(sample)
        self.judged += 1

    def _crowd(self, sample: Sample) -> None:
        self.crowd.t = sample.t
        self.crowd.people = [track.box for track in self.tracker.live(sample.t) if track.believed]
        self.detections += [at(one, sample.t) for one in self.crowd.detect(sample.grey)]
        assert self.crowd.glimpse is not None
        self.stirs.see(self.crowd.glimpse)

    def _people(self, sample: Sample, moving: tuple[Box, ...]) -> None:
        detector, t = self.models.people, sample.t
        counting = t + 1e-3 >= self.next_count
        found: list[Detection] = []
        with self._timed("people"):
            if counting:
                self.next_count = t + 1 / self.config.people_hz
                detector.moving = moving
                detector.faces, detector.fresh = self.showing, sample.full is not None
                found = detector.detect(sample.small)
        with self._timed("poses"):
            suspects = [track.box for track in self.tracker.live(t)] + [box for box in moving if box[2] * box[3] > 0.01]
            suspects = [box for box in suspects if max(box[2], box[3]) > NEAR]
            poses = self.models.pose
            poses.t, poses.suspects, poses.found = t, suspects, detector.bodies if counting else None
            poses.detect(sample.small)
            bodies = poses.bodies
        beside = detector.others if counting else []
        together = [Detection("person", self._belief(body, beside, moving), body.box) for body in bodies]
        told = [one for one in together if one.score >= START]
        beyond = {box for _, box in beside}  # of these, joints that were read into furniture hide nobody
        for one in found:
            if not any(explains(other.bbox, one.bbox) for other in (told if one.bbox in beyond else together)):
                together.append(one)
        tracks = self.tracker.update(t, together)
        for index, (one, track) in enumerate(zip(together, tracks, strict=True)):
            number = track.number if track else 0
            if index < len(bodies):
                sample.heads.append((number, self._hidden_head(sample, bodies[index], number, moving)))
            else:
                sample.people.append((number, one.bbox))
            if track is None:
                continue
            if index < len(bodies) and bodies[index].t == t:
                seen = judge.Seen(t, bodies[index].attitude, bodies[index].box)
                self.evidence.bodies.setdefault(track.number, []).append(seen)
            if counting:
                self.detections.append(at(one, t, track.number, zone_of(one.bbox, self.config.zones)))
        met = {track.number: one.bbox for one, track in zip(together, tracks, strict=True) if track is not None}
        self._carry(sample, moving, met, counting)
        if counting:
            self.counted.append(t)

    def _hidden_head(self, sample: Sample, body: Followed, track: int, moving: tuple[Box, ...]) -> Box:
        """What to blur of a body in a kept picture: its head; all of it while it goes down, when joints lag behind."""
        before = self.evidence.bodies.get(track, [])[-SETTLED:]
        lies = len(before) == SETTLED and all(s.attitude.posture is pose.Posture.LYING for s in before)
        if body.attitude.posture is not pose.Posture.LYING or not lies:
            leaning = body.attitude.posture is not pose.Posture.UPRIGHT or body.attitude.angle > LEANING
            if leaning:
                sample.tumult = True
                reach = grown(body.box, 0.3)
                return grown(around([body.box, *(box for box in moving if within(box, reach) > 0.3)]), 0.05)
        stale = sample.t - body.t  # not read in this picture, because others were: the head has moved on
        return grown(body.head, 0.3 + min(1.0, 2 * stale))

    def _belief(self, body: Followed, beside: list[tuple[float, Box]], moving: tuple[Box, ...]) -> float:
        """Joints are read into table legs too: only who was found twice, has a face, or was found by HOG opens a track.

        Unless there is but one picture. A body too small for joints must move as well.
        """
        if self.footage.declared == 1:
            return body.score
        faced = any(within(face, grown(body.head, 0.5)) > 0.5 for face in self.showing)
        small = max(body.box[2], body.box[3]) < NEAR
        if small and not faced and not any(within(box, grown(body.box, 0.3)) > 0.5 for box in moving):
            return CARRIED
        other = max((score for score, box in beside if explains(body.box, box)), default=0.0)
        return max(other, min(body.score, UNSURE if faced or body.confirmations > 1 else CARRIED))

    def _carry(self, sample: Sample, moving: tuple[Box, ...], met: Mapping[int, Box], counting: bool) -> None:
        """What moves where somebody was is still him, seen or not; its outline tells of falls that joints do not."""
        t, shape = sample.t, sample.small.shape[1] / sample.small.shape[0]
        for track in self.tracker.live(t):
            place = grown(track.box, 0.3)
            parts = [box for box in moving if within(track.box, box) > 0.7] or [
                box
                for box in moving
                if within(box, place) > 0.5 and box[2] * box[3] > SPECK * track.box[2] * track.box[3]
            ]
            if not parts:
                continue
            outline = around(parts)
            self.evidence.shapes.setdefault(track.number, []).append(
                judge.Shape(t, outline, outline[2] * shape, outline[3])
            )
            if (
                track.number not in met
                and not any(explains(other, outline) for other in met.values())
                and not gone(track, outline)
            ):
                self.tracker.carry(track, t, outline)
                sample.people.append((track.number, outline))
                if counting:
                    carried = Detection("person", CARRIED, outline)
                    self.detections.append(at(carried, t, track.number, zone_of(outline, self.config.zones)))

    def _faces(self, sample: Sample, full: Image) -> list[Box]:
        seen = self.models.faces.detect(full)
        sample.faces = [one.bbox for one in seen]
        sure = [at(one, sample.t) for one in seen if one.score >= faces.PARAMETERS["counts"]]
        self.evidence.faces = max(self.evidence.faces, len(sure))
        self.detections += sure
        return [one.bbox for one in sure]

    def _own(self, sample: Sample, full: Image) -> None:
        self.own_pictures += 1
        seen = self.beside.see(full)
        self.detections += [at(one, sample.t, zone=zone_of(one.bbox, self.config.zones)) for one in seen]

    def _believed(self) -> list[Detection]:
        """Without the tracks that never grew into somebody; counts what is left."""
        somebody = {track.number for track in self.tracker.all if track.believed}
        kept = [one for one in self.detections if one.track is None or one.track in somebody]
        times = [
            one.t for one in kept if one.kind == "person" and one.track is not None
        ]  # a city's model counts nobody
        self.evidence.counts = [times.count(t) for t in self.counted]
        self.evidence.bodies = {track: seen for track, seen in self.evidence.bodies.items() if track in somebody}
        return kept

    def _status(self) -> Status:
        if self.judged == 0:
            return Status.TIMEOUT if self.failed == "out_of_time" else Status.CORRUPT
        declared, rate = self.footage.declared, getattr(self.footage, "rate", None)
        if declared and rate:
            declared = min(declared, int(self.seconds * rate))  # of the part that was asked for
        if self.failed or self.footage.gap or (declared and self.decoder.decoded < COMPLETE * declared):
            return Status.PARTIAL
        return Status.OK

    def _observation(self) -> Observation:
        step = 1 / self.config.sample_hz
        if self.footage.live and self.decoder.decoded == 0:
            return blind(Status.TIMEOUT, self.decoder.failed or "no_picture_in_time", down=True)
        self.failed = self.failed or self.beside.failed or self.decoder.failed
        if self.footage.live and self.decoder.last_t < COMPLETE * self.seconds - 1:
            self.failed = self.failed or "stream_ended"
        kept = self._believed() + (self.plates.detections if self.plates else [])
        found = judge.findings(self.evidence.bodies, step)
        joints = {finding.track for finding in found if finding.kind in ("lying", "fall")}
        found += [f for f in judge.collapses(self.evidence.bodies, self.evidence.shapes, step) if f.track not in joints]
        with self._timed("crowd"):
            self.evidence.stirs = self.stirs.all()
        found += judge.movements(self.evidence, self.tracker.all, self.decoder.size)
        found += self.beside.findings(kept, self.own_pictures, 1 / self.config.faces_hz)
        status = self._status()
        reason = self.failed or ("no_pictures" if self.judged == 0 else "gap" if self.footage.gap else "")
        how = judge.health(self.evidence, step, reason or ("incomplete" if status is Status.PARTIAL else ""))
        what = judge.summary(self.evidence, found)
        return Observation(
            status=status,
            verdict=judge.verdict(status, self.judged, what, how),
            frames_declared=self.footage.declared,
            frames_decoded=self.decoder.decoded,
            frames_judged=self.judged,
            seconds=self.decoder.last_t,
            width=self.decoder.size[0],
            height=self.decoder.size[1],
            sha256=self.footage.sha256,
            detectors=self._detectors(),
            counts=tuple(zip(self.counted, self.evidence.counts, strict=True)),
            detections=tuple(kept),
            summary=what,
            health=how,
            timings_ms=tuple(self.spent.items()),
            stills=tuple(self.gallery.kept(found)),
            plates=tuple(self.plates.plates()) if self.plates else (),
        )

    def _detectors(self) -> tuple[DetectorInfo, ...]:
        ours = [
            described("people", self.models.people.version, people.PARAMETERS),
            described("pose", pose.VERSION, pose.PARAMETERS),
            described("faces", self.models.faces.version, faces.PARAMETERS),
            described("light", light.VERSION, light.PARAMETERS),
            described("motion", motion.VERSION, motion.PARAMETERS),
            described("crowd", crowd.VERSION, crowd.PARAMETERS),
            described("running", running.VERSION, running.PARAMETERS),
        ]
        if self.plates is not None:
            ours.append(described("plates", plates.PlateDetector.version, plates.PARAMETERS))
        return (*ours, *self.beside.infos)
