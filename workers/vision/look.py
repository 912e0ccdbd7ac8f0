"""One look: a source and a window in, an observation out.

The stages are those of the pipeline: admit, decode, quality, motion, people, poses, faces, stills. It runs in the child
process (``child``), which is where limits are kept; called directly it is the same, without a net.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from workers.vision import faces, judge, people, pose, quality
from workers.vision.admit import Unseen
from workers.vision.boxes import within, zone_of
from workers.vision.config import VisionConfig, Window
from workers.vision.cv import Image, cv2, narrowed
from workers.vision.detector import described
from workers.vision.follow import Followed, Follower, same
from workers.vision.graphs import to_rgb
from workers.vision.models import Models, loaded
from workers.vision.motion import Motion, MotionGate, looked_at
from workers.vision.observation import Box, Detection, DetectorInfo, Observation, Still, Status, at, blind
from workers.vision.source import Footage, opened
from workers.vision.stills import Gallery, Shot
from workers.vision.tracks import Tracker

BATCH = 60  # samples judged together: 10 s at 6 Hz, about 40 MB
COMPLETE = 0.9  # decoded of declared, from which a clip counts as whole
MOTION_WIDTH = 320
WIDEST = 1920  # full pictures are kept at most so wide


@dataclass
class Sample:
    """One judged picture: ``small`` for people and poses, ``grey`` for motion and light, ``full`` once a second."""

    t: float
    small: Image
    grey: Image
    full: Image | None
    motion: Motion | None = None
    faces: list[Box] = field(default_factory=list)
    heads: list[Box] = field(default_factory=list)
    people: list[Box] = field(default_factory=list)


def look(source: Mapping[str, Any], window: Window, config: VisionConfig) -> Observation:
    """Look once. Never raises for what the source is or sends; the dict is described in ``source``."""
    began = time.monotonic()
    try:
        with opened(source, window, config) as footage:
            return _Look(footage, window, config, began).run()
    except Unseen as unseen:
        return blind(unseen.status, unseen.reason, down=unseen.down, not_allowed=unseen.not_allowed)
    except cv2.error:
        return blind(Status.CORRUPT, "not_decodable")
    except MemoryError:
        return blind(Status.UNSUPPORTED, "too_much_memory")
    except OSError:
        return blind(Status.CORRUPT, "unreadable")


class _Look:
    def __init__(self, footage: Footage, window: Window, config: VisionConfig, began: float) -> None:
        self.footage, self.config = footage, config
        self.seconds = min(window.seconds, config.max_seconds)
        self.deadline = began + config.budget_s + (self.seconds if footage.live else 0.0)
        self.models: Models = loaded()
        self.evidence = judge.Evidence()
        self.detections: list[Detection] = []
        self.tracker = Tracker()
        self.follower = Follower(self.models.reader, self.models.finder, config.poses_per_frame)
        self.gallery = Gallery(config, self.models.faces)
        self.gate: MotionGate | None = None
        self.spent: dict[str, float] = {}
        self.decoded = self.judged = 0
        self.size = (0, 0)
        self.last_t = 0.0
        self.failed: str = ""  # why the look is not whole, one word
        self.before: Image | None = None
        self.next_count = self.next_faces = 0.0
        self.covering: Image | None = None

    def run(self) -> Observation:
        batch: list[Sample] = []
        samples = self._samples()
        while True:
            with self._timed("decode"):
                sample = next(samples, None)
            if sample is not None:
                batch.append(sample)
            if batch and (sample is None or len(batch) == BATCH):
                self._judge(batch)
                batch = []
            if sample is None:
                return self._observation()

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent[stage] = self.spent.get(stage, 0.0) + (time.perf_counter() - began) * 1000

    def _late(self) -> bool:
        return time.monotonic() > self.deadline

    def _samples(self) -> Iterator[Sample]:
        step, next_t, next_full = 1 / self.config.sample_hz, 0.0, 0.0
        while True:
            if self._late():
                self.failed = "out_of_time"
                return
            try:
                t = self.footage.grab()
                if t is None or t >= self.seconds:
                    return
                self.decoded += 1
                self.last_t = t
                if t + 1e-3 < next_t:
                    continue
                image = self.footage.retrieve()
            except Unseen as unseen:
                if self.judged == 0 and self.decoded == 0:
                    raise
                self.failed = unseen.reason
                return
            if image is None:
                self.failed = "not_decodable"
                continue
            next_t = max(next_t + step, t + step / 2)
            self.size = (image.shape[1], image.shape[0])
            full = None
            if t + 1e-3 >= next_full:
                full, next_full = narrowed(image, WIDEST), t + 1 / self.config.faces_hz
            yield self._sample(t, image, full)

    def _sample(self, t: float, image: Image, full: Image | None) -> Sample:
        if self.config.masks:
            image = cv2.bitwise_and(image, image, mask=looked_at(self.size, self.config.masks))
            full = None if full is None else narrowed(image, WIDEST)
        small = narrowed(image, self.config.width)
        grey: Image = cv2.cvtColor(narrowed(small, MOTION_WIDTH), cv2.COLOR_BGR2GRAY)
        return Sample(t, small, grey, full)

    def _judge(self, batch: list[Sample]) -> None:
        if self.gate is None:
            shape = batch[0].grey.shape
            self.gate = MotionGate((shape[1], shape[0]), self.config.masks)
            with self._timed("motion"):
                self.gate.prime(sample.grey for sample in batch)
        for sample in batch:
            if self._late():
                self.failed = "out_of_time"
                break
            self._see(sample)
        with self._timed("stills"):
            self.gallery.add([Shot(s.t, s.small, s.full, s.faces, s.heads, s.people) for s in batch[: self.judged or None]])

    def _see(self, sample: Sample) -> None:
        assert self.gate is not None
        with self._timed("quality"):
            if self.before is not None and self.before.shape != sample.grey.shape:
                self.gate = MotionGate((sample.grey.shape[1], sample.grey.shape[0]), self.config.masks)
            self.evidence.qualities.append(quality.measure(sample.grey, self.before))
            self.before = sample.grey
        with self._timed("motion"):
            sample.motion = self.gate.see(sample.grey)
            self.evidence.shares.append(sample.motion.share)
            self.evidence.whole += sample.motion.whole
        self._people(sample)
        if sample.full is not None and sample.t + 1e-3 >= self.next_faces:
            self.next_faces = sample.t + 1 / self.config.faces_hz
            with self._timed("faces"):
                self._faces(sample)
            self._extra(sample)
        self.judged += 1

    def _people(self, sample: Sample) -> None:
        assert sample.motion is not None
        detector, t = self.models.people, sample.t
        counting = t + 1e-3 >= self.next_count
        found: list[Detection] = []
        with self._timed("people"):
            if counting:
                self.next_count = t + 1 / self.config.people_hz
                detector.moving = sample.motion.boxes
                found = detector.detect(sample.small)
        with self._timed("poses"):
            suspects = [track.box for track in self.tracker.live(t)]
            suspects += [box for box in sample.motion.boxes if box[2] * box[3] > 0.01]
            bodies = self.follower.see(to_rgb(sample.small), t, detector.bodies if counting else None, suspects)
        together = [Detection("person", body.score, body.box) for body in bodies]
        together += [one for one in found if not any(same(one.bbox, b.box) or within(b.box, one.bbox) > 0.7 for b in bodies)]
        tracks = self.tracker.update(t, together)
        sample.heads = [body.head for body in bodies]
        sample.people = [one.bbox for one in together]
        for body, track in zip(bodies, tracks, strict=False):
            if track is not None:
                self.evidence.bodies.setdefault(track.number, []).append(judge.Seen(t, body.attitude, body.box))
        if counting:
            self._count(t, together, tracks)

    def _count(self, t: float, together: Sequence[Detection], tracks: Sequence[Any]) -> None:
        believed = 0
        for one, track in zip(together, tracks, strict=True):
            if track is None:
                continue
            believed += track.believed
            zone = zone_of(one.bbox, self.config.zones)
            self.detections.append(at(one, t, track.number, zone))
        self.evidence.counts.append(believed)

    def _faces(self, sample: Sample) -> None:
        assert sample.full is not None
        seen = self.models.faces.detect(sample.full)
        sample.faces = [one.bbox for one in seen]
        sure = [at(one, sample.t) for one in seen if one.score >= 0.5]
        self.evidence.faces = max(self.evidence.faces, len(sure))
        self.detections += sure

    def _extra(self, sample: Sample) -> None:
        for name in self.config.detectors:
            with self._timed(f"detector:{name}"):
                try:
                    seen = self.models.extra(name, self.config.detector_options.get(name, {})).detect(sample.small)
                except Exception:  # whatever a detector that is not ours does, the look goes on and says so
                    self.failed = f"detector_failed:{name}"
                    continue
                self.detections += [at(one, sample.t, zone=zone_of(one.bbox, self.config.zones)) for one in seen]

    def _status(self) -> Status:
        if self.judged == 0:
            return Status.TIMEOUT if self.failed == "out_of_time" else Status.CORRUPT
        declared = self._declared()
        if self.failed or self.footage.gap or (declared and self.decoded < COMPLETE * declared):
            return Status.PARTIAL
        return Status.OK

    def _declared(self) -> int | None:
        """What the source declared for the part of it that was asked for."""
        declared = self.footage.declared
        rate = getattr(self.footage, "rate", None)
        return min(declared, int(self.seconds * rate)) if declared and rate else declared

    def _observation(self) -> Observation:
        step = 1 / self.config.sample_hz
        found = judge.findings(self.evidence.bodies, step)
        with self._timed("stills"):
            stills: tuple[Still, ...] = tuple(self.gallery.kept(found))
        status = self._status()
        reason = self.failed or ("no_pictures" if self.judged == 0 else "gap" if self.footage.gap else "")
        how = judge.health(self.evidence, step, reason or ("incomplete" if status is Status.PARTIAL else ""))
        what = judge.summary(self.evidence, found)
        return Observation(
            status=status,
            verdict=judge.verdict(status, self.judged, what, how),
            frames_declared=self.footage.declared,
            frames_decoded=self.decoded,
            frames_judged=self.judged,
            seconds=self.last_t,
            width=self.size[0],
            height=self.size[1],
            sha256=self.footage.sha256,
            detectors=self._detectors(),
            detections=tuple(self.detections),
            summary=what,
            health=how,
            timings_ms=tuple(self.spent.items()),
            stills=stills,
        )

    def _detectors(self) -> tuple[DetectorInfo, ...]:
        ours = [
            described(self.models.people, people.PARAMETERS),
            described(self.models.faces, faces.PARAMETERS),
            DetectorInfo("pose", "1", described(self.models.people, pose.PARAMETERS).parameters),
        ]
        for name in self.config.detectors:
            try:
                ours.append(described(self.models.extra(name, {}), self.config.detector_options.get(name, {})))
            except Exception:  # it failed to load: the look is partial and says so already
                continue
        return tuple(ours)


__all__ = ["Followed", "look"]
