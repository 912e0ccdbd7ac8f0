"""The child may die; the one who asks does not, and the next look is answered by another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workers.vision import cameras
from workers.vision.child import Looker

Clip = Callable[..., Path]


def pid_of(looker: Looker) -> int:
    assert looker._child is not None
    return looker._child.pid


def alive(pid: int) -> bool:
    """Whether the process runs; a dead one whose parent has not asked for it yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ask(looker: Looker, path: Path, **config: Any) -> dict[str, Any]:
    return looker.look(
        {"kind": "file", "path": str(path)}, {"seconds": 10}, {"allowed_roots": [str(path.parent)], **config}
    )


def test_looks_in_a_row_share_one_warm_child(looker: Looker, clip: Clip) -> None:
    ask(looker, clip("empty"))
    pid = pid_of(looker)
    assert ask(looker, clip("dark"))["verdict"] == "cannot_tell"
    assert pid_of(looker) == pid


def test_a_look_over_its_wall_limit_is_killed_and_the_next_one_answered(looker: Looker, clip: Clip) -> None:
    ask(looker, clip("empty"))
    pid, began = pid_of(looker), time.monotonic()
    answer = ask(looker, clip("walk"), wall_s=0.05)
    assert (answer["status"], answer["verdict"], answer["health"]["reason"]) == (
        "timeout",
        "cannot_tell",
        "out_of_time",
    )
    assert time.monotonic() - began < 3
    assert not alive(pid)
    assert ask(looker, clip("walk"))["verdict"] == "seen"
    assert pid_of(looker) != pid


def test_a_look_over_its_budget_answers_with_what_it_has(looker: Looker, clip: Clip) -> None:
    answer = ask(looker, clip("empty"), budget_s=0.05)
    assert answer["status"] in ("partial", "timeout")
    assert answer["verdict"] == "cannot_tell"
    assert answer["health"]["reason"] == "out_of_time"


def test_a_child_that_dies_of_its_footage_is_a_finding(looker: Looker) -> None:
    with cameras.Camera("http", cameras.silent) as camera:
        ready = looker.warm()
        assert ready
        pid = pid_of(looker)
        threading.Timer(0.5, os.kill, (pid, signal.SIGSEGV)).start()
        answer = looker.look(
            {"kind": "mjpeg", "url": camera.address}, {"seconds": 2}, {"allowed_addresses": [camera.address]}
        )
        assert (answer["status"], answer["health"]["reason"]) == ("corrupt", "decoder_died")
        assert answer["verdict"] == "cannot_tell"


def test_too_little_memory_is_said_and_not_died_of(clip: Clip) -> None:
    with Looker() as poor:
        answer = ask(poor, clip("empty"), memory_mb=300)
        assert answer["verdict"] == "cannot_tell"
        assert answer["health"]["reason"] == "analytics_unavailable"
        assert ask(poor, clip("empty"))["verdict"] == "clear"


def test_an_interrupted_look_leaves_no_half_read_answer(
    looker: Looker, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    ask(looker, clip("empty"))
    with monkeypatch.context() as patch:
        patch.setattr("workers.vision.child._read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            ask(looker, clip("walk"))
    assert ask(looker, clip("empty"))["verdict"] == "clear"


@pytest.mark.parametrize(
    ("window", "config"),
    [
        ({"seconds": -1}, {}),
        ({"second": 5}, {}),
        ({"start": "2026-01-01T12:00:00"}, {}),
        ({}, {"allowed_root": ["/"]}),
        ({}, {"zones": {"gate": [[0, 0], [1, 1]]}}),
        ({}, {"sample_hz": 0}),
    ],
)
def test_a_wrong_question_is_the_callers_fault(looker: Looker, window: dict[str, Any], config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        looker.look({"kind": "file", "path": "x"}, window, config)


def test_the_child_goes_when_its_parent_is_gone() -> None:
    code = (
        "import sys, time\n"
        "from workers.vision.child import Looker\n"
        "looker = Looker(); looker.warm(); print(looker._child.pid, flush=True); time.sleep(60)\n"
    )
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and alive(child):
        time.sleep(0.1)
    assert not alive(child)


def test_whoever_asks_stays_light() -> None:
    code = (
        "import sys; import workers.vision.child; print([m for m in ('cv2', 'mediapipe', 'numpy') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[3]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
