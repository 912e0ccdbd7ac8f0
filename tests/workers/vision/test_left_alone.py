"""A detector that a city added and that hangs costs a look some seconds, and no look its answer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from workers.vision import left_alone
from workers.vision.child import Looker
from workers.vision.left_alone import ALONE_S, HANGS, LeftAlone, Note, shown

HANGING = """
import time

class Stuck:
    name, version, labels = "stuck", "1", ("smoke",)
    def load(self, config): pass
    def detect(self, frame, roi=None): time.sleep(60)
    def close(self): pass
"""


def test_it_is_left_alone_after_it_hung_twice_and_tried_again_later() -> None:
    known, names = LeftAlone(), ["smoke", "models/knives.toml"]
    for hang in range(HANGS):
        assert known.among(names, 10.0) == []
        known.hung("smoke", 10.0 + hang)
    then = 10.0 + HANGS - 1
    assert known.among(names, then + 1) == ["smoke"]
    assert known.among(names, then + ALONE_S + 1) == []
    known.hung("smoke", then + ALONE_S + 2)  # once is enough now
    assert known.among(names, then + ALONE_S + 3) == ["smoke"]
    known.worked(["smoke"])
    known.hung("smoke", 9999.0)
    assert known.among(names, 9999.0) == []
    assert [shown(name) for name in names] == ["smoke", "knives"]


def test_the_note_says_who_is_at_work_too_long(tmp_path: Path) -> None:
    with (tmp_path / "note").open("w+b") as file:
        note, now = Note(file.fileno()), time.monotonic()
        assert note.hangs(now) is None
        with note.at_work(1, 5.0):
            assert note.hangs(now) is None
            assert note.hangs(now + 60) == 1
        assert note.hangs(now + 60) is None


def test_a_look_is_done_again_without_the_detector_that_hangs(
    tmp_path: Path, clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stuck.py").write_text(HANGING)
    about = tmp_path / "stuck-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stuck\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[amaan.detectors]\nstuck = stuck:Stuck\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setattr(left_alone, "HANGS", 1)
    path = clip("walk", 2.0)
    with Looker() as looker:
        for _ in range(2):
            answer = looker.look(
                {"kind": "file", "path": str(path)},
                {"seconds": 10},
                {"allowed_roots": [str(path.parent)], "detectors": ["stuck"], "detector_s": 0.3, "wall_s": 60.0},
            )
            assert answer["hangs"] == {"stuck": True}
            assert (answer["status"], answer["verdict"]) == ("partial", "seen")
            assert answer["health"]["reason"] == "detector_failed:stuck:hangs"
            child = looker._child
        assert looker._child is child  # the second look asked it no more
