"""The embedded document server as a program: how it is built and started, and what it says when it cannot start."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect

from sandbox import docstore
from tests import local_servers


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """The jar."""
    docstore.build(quiet=True)


def refused(*arguments: str) -> tuple[int, str]:
    """Exit code and stderr of a server that must not start."""
    command = [*docstore.command(0, "x")[:-4], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert done.stdout == ""
    return done.returncode, done.stderr.strip()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "usage: docstore --port N --file PATH"),
        (["--port", "0"], 2, "usage:"),
        (["--port", "0", "--file", "a", "--host", "0.0.0.0"], 2, "usage:"),
        (["--port", "http", "--file", ":memory:"], 2, "--port is a number"),
        (["--port", "65536", "--file", ":memory:"], 2, "--port is a number"),
        (["--port", "0", "--file", "/no/such/folder/city.db"], 1, "cannot be opened"),
    ],
)
def test_a_wrong_argument_is_one_line(arguments: list[str], code: int, says: str) -> None:
    returned, said = refused(*arguments)

    assert returned == code
    assert says in said
    assert len(said.splitlines()) == 1


def test_a_port_in_use_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = refused("--port", str(port), "--file", ":memory:")

    assert code == 1
    assert said == f"docstore: port {port} cannot be used: Address already in use"


def test_a_file_that_is_no_store_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "city.db"
    file.write_bytes(os.urandom(50_000))
    code, said = refused("--port", "0", "--file", str(file))

    assert code == 1
    assert said == f"docstore: {file} is corrupt, or no document store"


def test_a_file_in_use_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "city.db"
    with local_servers.embedded_docstore(tmp_path, str(file)):
        code, said = refused("--port", "0", "--file", str(file))

    assert code == 1
    assert said == f"docstore: {file} is in use by another server"


def test_it_listens_on_loopback_only(mongodb_url: str, tmp_path: Path) -> None:
    with local_servers.embedded_docstore(tmp_path) as (url, _):
        port = int(url.rstrip("/").rsplit(":", 1)[1])
        others = [info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)]
        for address in [address for address in others if not str(address).startswith("127.")]:
            with socket.socket() as probe:
                probe.settimeout(1)
                assert probe.connect_ex((address, port)) != 0
        assert url.startswith("mongodb://127.0.0.1:")


def test_sigterm_closes_the_file(tmp_path: Path) -> None:
    file = tmp_path / "city.db"
    log = tmp_path / "server.log"
    with local_servers.running(docstore.command(0, file), log) as process:
        url = local_servers.docstore_url(process, log)
        with MongoClient[dict[str, Any]](url) as client:
            client.city.things.insert_many([{"_id": i} for i in range(100)])
            process.terminate()
            assert process.wait(30) == 128 + signal.SIGTERM  # as Java ends on a signal, after closing the file
    with local_servers.embedded_docstore(tmp_path, str(file)) as (url, _), MongoClient[dict[str, Any]](url) as client:
        assert client.city.things.count_documents({}) == 100


def test_the_file_stays_small(tmp_path: Path) -> None:
    """A thousand writes of one document leave far less than a thousand copies."""
    file = tmp_path / "city.db"
    with (
        local_servers.embedded_docstore(tmp_path, str(file)) as (url, _),
        MongoClient[dict[str, Any]](url) as client,
    ):
        things = client.city.things
        things.insert_one({"_id": 1, "n": 0, "text": "x" * 10_000})
        until = time.monotonic() + 30
        for _ in range(1000):
            things.update_one({"_id": 1}, {"$inc": {"n": 1}})
        while file.stat().st_size > 5_000_000 and time.monotonic() < until:
            things.update_one({"_id": 1}, {"$inc": {"n": 1}})
            time.sleep(0.2)
        assert file.stat().st_size <= 5_000_000


def test_a_full_disk_ends_it_and_loses_nothing(tmp_path: Path) -> None:
    """What could not be written is not acknowledged; the server says so and ends, for whoever started it to see."""
    file = tmp_path / "city.db"
    log = tmp_path / "server.log"
    small = ["bash", "-c", 'ulimit -f 2000; exec "$@"', "--", *docstore.command(0, file)]  # blocks of 1 KiB
    acknowledged: list[int] = []

    def fill(things: Collection[dict[str, Any]]) -> None:
        for number in range(10_000):
            things.insert_one({"_id": number, "text": "x" * 2000})
            acknowledged.append(number)

    with local_servers.running(small, log) as process:
        url = local_servers.docstore_url(process, log)
        with MongoClient[dict[str, Any]](url, retryWrites=False) as client:
            with pytest.raises(AutoReconnect):
                fill(client.city.things)
            assert process.wait(20) == 1
    assert "docstore: the file cannot be written" in log.read_text()
    with local_servers.embedded_docstore(tmp_path, str(file)) as (url, _), MongoClient[dict[str, Any]](url) as client:
        found = {thing["_id"] for thing in client.city.things.find()}
        assert set(acknowledged) <= found
        assert len(found) <= len(acknowledged) + 1


def test_nothing_personal_is_printed(tmp_path: Path) -> None:
    """The library would log the query of a command that failed, and queries hold phones and positions."""
    with local_servers.embedded_docstore(tmp_path) as (url, _), MongoClient[dict[str, Any]](url) as client:
        client.city.people.insert_one({"_id": 1, "phone": "+923001234567"})
        for wrong in ({"$push": {"phone": "+923007654321"}}, {"$nonsense": {"phone": "+923007654321"}}):
            with pytest.raises(Exception, match=r".+"):
                client.city.people.update_one({"phone": "+923001234567"}, wrong)
    said = "".join(log.read_text() for log in tmp_path.glob("docstore-*.log"))
    assert "listening on" in said
    assert "92300" not in said


@pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")
def test_no_server_outlives_its_tests(tmp_path: Path) -> None:
    """A test run that is killed takes its servers with it."""
    script = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from tests import local_servers
        with local_servers.embedded_docstore(Path(sys.argv[1])) as (url, process):
            print(process, flush=True)
            time.sleep(60)
    """)
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=root, stdout=subprocess.PIPE, text=True
    ) as runner:
        assert runner.stdout is not None
        server = int(runner.stdout.readline())
        runner.kill()
        runner.wait()
        until = time.monotonic() + 10
        while Path(f"/proc/{server}").exists() and time.monotonic() < until:
            if Path(f"/proc/{server}/status").read_text().split("State:")[1].split()[0] == "Z":
                break
            time.sleep(0.05)
        else:
            assert not Path(f"/proc/{server}").exists()


def test_the_java_tests_pass(tmp_path: Path) -> None:
    """Its classes' own tests, among them that what was awaited is in the file."""
    if shutil.which("mvn") is None:
        pytest.skip("mvn is not installed")
    command = ["mvn", "-q", "-B", "-Dstyle.color=never", f"-Ddocstore.output={tmp_path / 'target'}", "test"]
    done = subprocess.run(command, cwd=docstore.HERE, capture_output=True, text=True, check=False, timeout=110)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert list((tmp_path / "target" / "surefire-reports").glob("*GroupCommitTest.txt"))
