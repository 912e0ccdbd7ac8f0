"""`python -m sandbox.carriers`: the local carriers as a process of their own. Prints one line when they listen."""

from __future__ import annotations

import argparse
import os
import signal
from dataclasses import fields
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from sandbox.carriers.fcm_tokens import write_service_account
from sandbox.carriers.options import NUMBERS, Options


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with one worker of many threads: the state is in its memory, and a hanging answer costs a thread."""

    def __init__(self, options: Options, host: str, port: int, threads: int) -> None:
        self.options, self.bind, self.threads = options, f"{host}:{port}", threads
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings."""
        settings: dict[str, Any] = {
            "bind": self.bind, "workers": 1, "worker_class": "gthread", "threads": self.threads,
            "worker_connections": 4000, "keepalive": 75, "timeout": 0, "graceful_timeout": 1,
            "control_socket_disable": True, "loglevel": "warning",
            "when_ready": self._ready, "post_worker_init": self._end_at_once, "proc_name": "amaan-carriers",
        }  # fmt: skip
        for name, value in settings.items():
            self.cfg.set(name, value)

    def _ready(self, server: Any) -> None:
        host, port = server.LISTENERS[0].sock.getsockname()[:2]
        write_service_account(self.options.service_account, self.options.project, f"http://{host}:{port}")
        print(f"listening on {host}:{port}", flush=True)

    def _end_at_once(self, worker: Any) -> None:
        # Phones that poll keep their connections open and answers may hang: nobody is to wait for them at the end.
        def end(*_: object) -> None:
            self.callable.extensions["carriers"].state.journal.flush()
            os._exit(0)

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, end)

    def load(self) -> Any:
        """The app, made in the worker, since threads do not survive a fork."""
        from sandbox.carriers.app import create_app

        return create_app(self.options)


def main() -> None:
    """Read the options and serve until stopped."""
    parser = argparse.ArgumentParser(
        prog="sandbox.carriers", description="Twilio, FCM and every phone of a city, on this machine."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one, printed when it listens")
    parser.add_argument("--threads", type=int, default=256, help="answers that may be under way (or hang) at once")
    defaults = {f.name: f.default for f in fields(Options)}
    for name, default in defaults.items():
        flag = "--" + name.replace("_", "-")
        if name == "dir":
            parser.add_argument(
                flag, type=Path, required=True, help="where the journal and the service account are kept"
            )
        elif name == "numbers":
            parser.add_argument("--number", dest=name, action="append", help="a number of the city; may be given again")
        else:
            parser.add_argument(flag, type=type(default), default=default)
    given = vars(parser.parse_args())
    host, port, threads = given.pop("host"), given.pop("port"), given.pop("threads")
    given["numbers"] = tuple(given["numbers"] or NUMBERS)
    given["dir"].mkdir(parents=True, exist_ok=True, mode=0o700)
    Server(Options(**given), host, port, threads).run()


if __name__ == "__main__":
    main()
