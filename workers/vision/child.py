"""The way into camera analytics: ``Looker``, which looks in a process that may die so that the caller does not.

    looker = Looker()                       # one per worker process, kept: the first look loads the models (2–3 s)
    answer = looker.look(
        {"kind": "file", "path": "cam-7/20260131T235900Z.mp4"},        # or segments, mjpeg, rtsp: see ``source``
        {"seconds": 10, "start": "2026-01-31T23:59:10+00:00"},         # see ``config.Window``
        {"allowed_roots": ["/srv/footage"], "zones": {"gate": [[0, .5], [.4, .5], [.4, 1], [0, 1]]}},  # ``config.VisionConfig``
    )
    jpegs = answer.pop("stills")            # list of bytes, faces blurred; ``answer["still_details"]`` has the same order
    store(answer)                           # the rest is JSON: see ``observation.Observation.to_document``

``answer["summary"]`` has people_max, people_median, motion, luma, faces and findings (lying, fall, hands_up: each with
confidence, t, seconds, bbox, and ``ask``, since only a human decides); ``answer["counts"]`` is the people over time.
``answer["status"]`` is ok, partial, corrupt, timeout or unsupported; ``answer["verdict"]`` is seen, clear, cannot_tell or
down; ``answer["health"]["reason"]`` says in one stable word why not ok. ``look`` answers so for any footage whatever,
within ``wall_s`` (and ``seconds`` more for a live stream, and start-up once); it raises ``ValueError`` for a wrong window
or config, which is a fault of the caller's. ``busy`` and ``not covering`` are not for a look to say: who sheds load says so.
Where a detector of the city's hangs, the look is done again without it, and ``answer["hangs"]`` names it: true once it is
left alone (``left_alone``).

The child is ``python -m workers.vision.child``: it loads the models once, serves look after look, is killed when a look
exceeds its wall limit or its memory (RLIMIT_AS), and is replaced by the next look. It ends by itself when its parent is
gone. Keep a ``Looker`` in a worker that does not fork for each job (RQ's ``SimpleWorker``), else every look starts cold;
one ``Looker`` serves one thread at a time (the others wait).
"""

from __future__ import annotations

import json
import logging
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

from workers.vision.config import VisionConfig, Window
from workers.vision.left_alone import Hangs, LeftAlone, Note, shown
from workers.vision.observation import Observation, Status, blind

WATCH_S = 0.5
START_S = 60.0  # importing and loading on a busy machine
LOOKS_PER_CHILD = 200  # native libraries leak a little; then a fresh one
_LENGTH = struct.Struct(">I")
_ROOT = Path(__file__).resolve().parents[2]
_log = logging.getLogger(__name__)


class Looker:
    """Looks, one at a time, in a child that is kept warm. Usable as a context manager; ``close`` ends the child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._memory_mb = 0
        self._looks = 0
        self._noted: BinaryIO | None = None  # where the child writes down which of the city's detectors is at work
        self._left_alone = LeftAlone()

    def look(
        self, source_spec: Mapping[str, Any], window: Mapping[str, Any], config: Mapping[str, Any]
    ) -> dict[str, Any]:
        """See the module. Raises ``ValueError`` for a wrong window or config only."""
        limits = VisionConfig.from_dict(config)
        asked = Window.from_dict(window)
        wall = limits.wall_s
        if source_spec.get("kind") in ("mjpeg", "rtsp", "hls"):
            wall += min(asked.seconds, limits.max_seconds)
        request = {
            "source": _absolute(source_spec),
            "window": {key: value if isinstance(value, (int, float)) else str(value) for key, value in window.items()},
            "config": {**config, "allowed_roots": [os.path.abspath(root) for root in limits.allowed_roots]},
            "wall_s": wall,
        }
        with self._lock:
            try:
                return self._ask(request, wall, limits.memory_mb, limits.added)
            except BaseException:  # a job's own time-out, Ctrl-C: a half-read answer must not meet the next question
                self._kill()
                raise

    def warm(self, memory_mb: int = VisionConfig.memory_mb) -> bool:
        """Start the child and load the models now; whether it is ready."""
        with self._lock:
            return self._ready(memory_mb)

    def _ask(self, request: dict[str, Any], wall_s: float, memory_mb: int, added: Sequence[str]) -> dict[str, Any]:
        """Ask; where a detector of the city's hangs, again without it, in what is left of the look's time."""
        hung: list[str] = []
        until = None
        while True:
            if not self._ready(memory_mb):
                return answered(blind(Status.TIMEOUT, "analytics_unavailable"))
            until = until or time.monotonic() + wall_s
            alone = self._left_alone.among(added, time.monotonic())
            out = [name for name in added if name in hung or name in alone]
            try:
                answer = self._asked({**request, "config": {**request["config"], "left_alone": out}}, until)
            except Hangs as hangs:
                self._kill()
                hung.append(added[hangs.number])
                self._left_alone.hung(hung[-1], time.monotonic())
                continue
            if answer["frames"]["judged"]:
                self._left_alone.worked(name for name in added if name not in out)
            return {**answer, "hangs": {shown(name): name in alone for name in out}} if out else answer

    def _asked(self, request: dict[str, Any], until: float) -> dict[str, Any]:
        """One question and its answer. Raises ``Hangs``."""
        child = self._child
        assert child is not None
        assert self._noted is not None
        note = Note(self._noted.fileno())
        assert child.stdin is not None
        assert child.stdout is not None

        def watch() -> None:
            number = note.hangs(time.monotonic())
            if number is not None:
                raise Hangs(number)

        self._looks += 1
        try:
            _write(child.stdin, json.dumps(request).encode())
            answer = _read(child.stdout, until, watch)
        except TimeoutError:
            self._kill()
            return answered(blind(Status.TIMEOUT, "out_of_time"))
        except (OSError, EOFError):
            code = self._kill()
            _log.warning("a look ended its process: %s", code)
            return answered(blind(Status.CORRUPT, "decoder_died"))
        return answer

    def _ready(self, memory_mb: int) -> bool:
        alive = self._child is not None and self._child.poll() is None
        if alive and self._memory_mb == memory_mb and self._looks < LOOKS_PER_CHILD:
            return True
        self._kill()
        self._noted = noted = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  (closed with the child)
        with tempfile.TemporaryFile() as said:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "workers.vision.child", str(memory_mb), str(noted.fileno())],
                pass_fds=[noted.fileno()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                cwd=_ROOT,
                start_new_session=True,  # its own process group, so that a kill reaches whatever it started
            )
            self._memory_mb, self._looks = memory_mb, 0
            try:
                assert self._child.stdout is not None
                return "ready" in _read(self._child.stdout, time.monotonic() + START_S)
            except (OSError, EOFError, TimeoutError):
                self._kill()
                said.seek(0)
                _log.error("analytics cannot start: %s", said.read()[-2000:].decode(errors="replace"))
                return False

    def _kill(self) -> int | None:
        child, self._child = self._child, None
        noted, self._noted = self._noted, None
        if noted is not None:
            noted.close()
        if child is None:
            return None
        code = child.poll()
        if code is None:
            os.killpg(child.pid, signal.SIGKILL)
            code = child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # a question that nobody read; the pipe is gone all the same
        return code

    def close(self) -> None:
        with self._lock:
            self._kill()

    def __enter__(self) -> Looker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def answered(observation: Observation) -> dict[str, Any]:
    """The dict that ``Looker.look`` answers for an observation."""
    return {
        **observation.to_document(),
        "stills": [still.jpeg for still in observation.stills],
        "plates": [plate.to_answer() for plate in observation.plates],
    }


def _absolute(source: Mapping[str, Any]) -> dict[str, Any]:
    """The child has another working directory than the caller, so ``./clip.mp4`` is made absolute here when it exists."""
    spec = dict(source)
    path = spec.get("path")
    if isinstance(path, str) and path.startswith(("./", "../")):
        spec["path"] = os.path.abspath(path)
    return spec


def _write(pipe: Any, data: bytes, stills: list[bytes] | None = None) -> None:
    pipe.write(b"".join((_LENGTH.pack(len(data)), data, *(stills or ()))))
    pipe.flush()


def _read(pipe: Any, deadline: float, watch: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """One message: its length, JSON, and the stills whose ``sizes`` it names. Raises ``TimeoutError`` or ``EOFError``, and
    what ``watch`` raises, which is called now and then while nothing comes.
    """

    def exactly(count: int) -> bytes:
        got = bytearray()
        while len(got) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if not select.select([pipe], [], [], min(left, WATCH_S))[0]:
                watch()
                continue
            data = os.read(pipe.fileno(), min(1 << 20, count - len(got)))
            if not data:
                raise EOFError
            got += data
        return bytes(got)

    (length,) = _LENGTH.unpack(exactly(_LENGTH.size))
    message: dict[str, Any] = json.loads(exactly(length))
    sizes = message.pop("sizes", None)
    if sizes is not None:
        message["stills"] = [exactly(size) for size in sizes]
    return message


def serve(questions: BinaryIO, answers: BinaryIO, note: Note) -> None:
    """The child's life: load, say so, answer until the parent closes the pipe."""
    from workers.vision.look import look  # here, so that the parent, which imports this module, stays light
    from workers.vision.models import loaded

    loaded()
    _write(answers, b'{"ready": true}')
    while True:
        head = questions.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return
        request = json.loads(questions.read(_LENGTH.unpack(head)[0]))
        signal.alarm(int(request["wall_s"]) + 10)  # should the parent be gone: nobody else would end a look that hangs
        try:
            window, config = Window.from_dict(request["window"]), VisionConfig.from_dict(request["config"])
            loaded().note = note
            observation = look(request["source"], window, config)
        except (
            Exception
        ):  # a fault of ours on footage nobody foresaw: still a finding, with the trace where it can be read
            _log.exception("a look failed")
            observation = blind(Status.CORRUPT, "look_failed")
            loaded.cache_clear()  # a mediapipe graph that failed once fails for ever: the next look has new ones
        signal.alarm(0)
        document = answered(observation)
        stills: list[bytes] = document.pop("stills")
        _write(answers, json.dumps({**document, "sizes": [len(still) for still in stills]}).encode(), stills)


def follow_parent(parent: int) -> None:
    """End this process when the one that started it is gone; runs in a thread."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(0)


def main() -> None:
    """Look, with memory bounded to the first argument in MiB, the second an open file; dies with whoever started it."""
    logging.basicConfig(stream=sys.stderr)
    parent = os.getppid()
    threading.Thread(target=follow_parent, args=(parent,), daemon=True).start()
    memory = int(sys.argv[1]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # native libraries print to stdout when they like; the answers' pipe is not theirs
    serve(sys.stdin.buffer, answers, Note(int(sys.argv[2])))


if __name__ == "__main__":
    main()
