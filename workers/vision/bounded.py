"""One task in a process of its own, with limits: memory, time, and an end when whoever asked is gone.

    answer = run("blur", {"folder": …}, memory_mb=2560, wall_s=600)

Unlike a look's child (`child.py`) it is not kept warm: what it does takes long, nobody at the scene waits for it, and what
footage did to the libraries ends with it. The task's name is a line in ``TASKS``; request and answer are JSON.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from workers.vision.child import follow_parent

TASKS: Final[Mapping[str, str]] = {
    "blur": "workers.vision.copying:copy",
    "length": "workers.vision.copying:length",
    "photo": "workers.vision.photos:photo",
    "faces": "workers.vision.face_search:search",
}
NICE: Final = 10
_ROOT = Path(__file__).resolve().parents[2]
_log = logging.getLogger(__name__)


class TaskFailed(Exception):
    """The task did not answer; the text is one stable word: out_of_time, died, unavailable."""


def run(task: str, request: Mapping[str, Any], *, memory_mb: int, wall_s: float) -> dict[str, Any]:
    """The task's answer. Raises ``TaskFailed``: the child was killed, died of the footage, or could not begin."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "workers.vision.bounded", task, str(memory_mb), str(int(wall_s))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            cwd=_ROOT,
            start_new_session=True,
        )
        try:
            answer, _ = child.communicate(json.dumps(dict(request)).encode(), timeout=wall_s)
        except subprocess.TimeoutExpired:
            raise TaskFailed("out_of_time") from None
        finally:
            if child.poll() is None:  # too late, or we are stopped ourselves
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    pipe.close()
        if child.returncode != 0:
            said.seek(0, os.SEEK_END)
            said.seek(max(0, said.tell() - 2000))
            _log.warning("a task ended with %s: %s", child.returncode, said.read().decode(errors="replace"))
            raise TaskFailed("unavailable" if child.returncode == _CANNOT_BEGIN else "died")
    found: dict[str, Any] = json.loads(answer)
    return found


_CANNOT_BEGIN: Final = 3


def _task(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    module, _, function = TASKS[name].partition(":")
    found: Callable[[dict[str, Any]], dict[str, Any]] = getattr(importlib.import_module(module), function)
    return found


def main(arguments: list[str]) -> int:
    """Do one task: name, memory in MiB, seconds."""
    logging.basicConfig(stream=sys.stderr)
    parent = os.getppid()
    threading.Thread(target=follow_parent, args=(parent,), daemon=True).start()
    name, memory, seconds = arguments[0], int(arguments[1]) << 20, int(arguments[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(seconds + 10)
    os.nice(NICE)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # native libraries print to stdout when they like
    try:
        do = _task(name)
    except ImportError:
        _log.exception("the camera libraries are not installed here")
        return _CANNOT_BEGIN
    answer = do(json.load(sys.stdin))
    answers.write(json.dumps(answer).encode())
    answers.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
