"""The detectors that a city adds to ours, in one look: installed ones and its own models. What they do harms nothing but
their own answer: the look goes on and says which of them failed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from statistics import mean
from typing import Any

from workers.vision import pose
from workers.vision.config import VisionConfig
from workers.vision.cv import Image
from workers.vision.detector import Detector, described
from workers.vision.left_alone import LOAD_S, shown
from workers.vision.models import Models
from workers.vision.observation import Detection, DetectorInfo, Finding
from workers.vision.own_models import ModelError

SIGHTINGS = 2  # pictures in which something must be seen before a human is asked, unless there is but one


class Beside:
    """``see`` each full picture; ``failed`` is one stable word once one of them did not work."""

    def __init__(self, config: VisionConfig, models: Models) -> None:
        self._config, self._models = config, models
        self._used: list[tuple[Detector, DetectorInfo, int]] = []  # the last as the config counts them
        self._out: set[str] = set()
        self.failed = ""
        for name in config.detectors:
            options = config.detector_options.get(name, {})
            self._use(name, partial(models.other, name, options), options)
        for path in config.models:
            self._use(path, partial(models.own, path), {})

    def _at_work(self, number: int, seconds: float) -> AbstractContextManager[None]:
        note = self._models.note
        return note.at_work(number, seconds) if note is not None else nullcontext()

    def _use(self, added: str, load: Callable[[], Detector], options: Mapping[str, Any]) -> None:
        number, name = self._config.added.index(added), shown(added)
        if added in self._config.left_alone:
            self.failed = self.failed or f"detector_failed:{name}:hangs"
            return
        try:
            with self._at_work(number, LOAD_S):
                detector = load()
        except ModelError as error:
            self.failed = self.failed or f"detector_failed:{name}:{error.code}"
        except Exception:  # a detector that is not ours may raise anything
            self.failed = self.failed or f"detector_failed:{name}"
        else:
            self._used.append((detector, described(detector.name, detector.version, options), number))

    @property
    def infos(self) -> list[DetectorInfo]:
        return [info for _, info, _ in self._used]

    def see(self, frame: Image) -> list[Detection]:
        """What all of them find in one picture; one that failed is not asked again in this look."""
        found: list[Detection] = []
        for detector, _, number in self._used:
            if detector.name in self._out:
                continue
            try:
                with self._at_work(number, self._config.detector_s):
                    seen = detector.detect(frame)
            except Exception:  # as above: whatever it does, the look goes on, and says so
                self._out.add(detector.name)
                self.failed = self.failed or f"detector_failed:{detector.name}"
                continue
            found += seen
        return found

    def findings(self, detections: list[Detection], pictures: int, step_s: float) -> list[Finding]:
        """What a human is asked about: the kinds that a detector lists as ``ask``, seen in two pictures at least."""
        asked = {kind for detector, _, _ in self._used for kind in getattr(detector, "ask", ())}
        found = []
        for kind in sorted(asked):
            seen = [one for one in detections if one.kind == kind and one.track is None]
            times = sorted({one.t for one in seen})
            if len(times) < min(SIGHTINGS, pictures):
                continue
            best = max(seen, key=lambda one: one.score)
            spell = pose.Spell(times[0], times[-1] + step_s, mean(one.score for one in seen))
            found.append(Finding(kind, spell.confidence, spell.start, spell.seconds, None, best.bbox))
        return found
