"""The local SMSC as a real process, once per test session (per xdist worker): fixture `smsc`."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from notifications.gateway_table import SmppGateway
from sandbox import smsc as local_smsc
from tests import local_servers


class SmscProcess:
    """A running SMSC, and what tests do with it."""

    def __init__(self, log: Path, *, receipt_ms: int = 30) -> None:
        local_smsc.build()
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                local_smsc.command(0, receipt_ms=receipt_ms),
                stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                preexec_fn=local_servers.die_with_parent,
            )  # fmt: skip
        end = time.monotonic() + 30
        while "control" not in (said := log.read_text()) or not said.endswith("\n"):
            assert self.process.poll() is None, f"the SMSC did not start: {said}"
            assert time.monotonic() < end, f"the SMSC did not start: {said}"
            time.sleep(0.02)
        words = said.split()
        self.port, self.control = int(words[2].rpartition(":")[2]), f"http://{words[4]}"
        self._http = requests.Session()

    def stop(self) -> None:
        """End it, as a crash would."""
        self.process.kill()
        self.process.wait(10)
        self._http.close()

    def gateway(self, **fields: Any) -> SmppGateway:
        """Its line in a table of gateways."""
        made = {
            "name": "local_smpp", "sender": "+924200000016", "host": "127.0.0.1", "port": self.port,
            "system_id": local_smsc.SYSTEM_ID, "password": SecretStr(local_smsc.PASSWORD),
        }  # fmt: skip
        return SmppGateway(**{**made, **fields})

    def call(self, method: str, path: str, **query: Any) -> Any:
        """A request to its control side."""
        answer = self._http.request(method, f"{self.control}{path}", params=query, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def fault(self, to: str = "*", **values: Any) -> None:
        """Mistreat what goes to a number, or everything: status, slow_ms, drop, receipt, error, queue_ms, times."""
        written = {name: "true" if value is True else str(value) for name, value in values.items()}
        self.call("PUT", "/faults", to=to.lstrip("+"), **written)

    def clear(self) -> None:
        """No faults any more, and nothing was ever sent."""
        self.call("DELETE", "/faults")
        self.call("DELETE", "/messages")

    def messages(self, to: str) -> list[dict[str, Any]]:
        """What was taken for a number, oldest first."""
        found: list[dict[str, Any]] = self.call("GET", "/messages", to=to.lstrip("+"))
        return found

    def texts(self, to: str) -> list[str]:
        """What the phone shows: the parts of joined messages put together."""
        return ["".join(map(text_of, parts)) for parts in _joined(self.messages(to))]

    def bound(self) -> int:
        """How many connections are bound."""
        return int(self.call("GET", "/sessions")["bound"])

    def wait_for(self, found: Callable[[], Any], timeout: float = 10.0) -> Any:
        """The first true answer of `found()`."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if answer := found():
                return answer
            time.sleep(0.02)
        raise AssertionError("it did not happen in time")


def octets_of(message: dict[str, Any]) -> tuple[bytes, bytes]:
    """(header of a joined message, text) of a part."""
    octets = bytes.fromhex(message["text"])
    length = octets[0] + 1 if message["esm_class"] & 0x40 else 0
    return octets[:length], octets[length:]


def text_of(message: dict[str, Any]) -> str:
    """A part's text; of the GSM alphabet only what is the same in ASCII."""
    _, text = octets_of(message)
    return text.decode("utf-16-be") if message["data_coding"] == 8 else text.decode("latin-1")


def _joined(messages: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    groups: dict[Any, list[dict[str, Any]]] = {}
    for number, message in enumerate(messages):
        header, _ = octets_of(message)
        groups.setdefault(header[3] if header else f"alone {number}", []).append(message)
    return [sorted(parts, key=lambda part: octets_of(part)[0]) for parts in groups.values()]


@pytest.fixture(scope="session")
def smsc_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmscProcess]:
    """The process itself, once per session."""
    process = SmscProcess(tmp_path_factory.mktemp("smsc") / "smsc.log")
    yield process
    process.stop()


@pytest.fixture
def smsc(smsc_process: SmscProcess) -> Iterator[SmscProcess]:
    """The SMSC without faults before and after the test."""
    smsc_process.clear()
    yield smsc_process
    smsc_process.clear()
