"""A local SMSC: where it is, how it is started and built. SMPP 3.4 by jsmpp, on loopback, with failures to switch on.

`amaan up` starts it where the table of SMS gateways names one on this machine; the tests start their own.
"""

from pathlib import Path

from sandbox.java import Jar

jar = Jar(Path(__file__).parent, "smsc")
SYSTEM_ID, PASSWORD = "amaan", "smsc-pw"
"""Invented; they open nothing but this server."""


def build(quiet: bool = True) -> None:
    """Make the jar when it is missing or older than its sources. Raises `sandbox.java.BuildError`."""
    jar.build(quiet)


def command(port: int, control_port: int = 0, *, receipt_ms: int = 200, password: str = PASSWORD) -> list[str]:
    """The command line of a server on 127.0.0.1. Port 0 takes a free one.

    It prints `listening on 127.0.0.1:PORT control 127.0.0.1:PORT` when it takes connections.
    """
    java = ["java", "-Xmx96m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", str(jar.path)]
    options = {"port": port, "control-port": control_port, "receipt-ms": receipt_ms, "system-id": SYSTEM_ID}
    return [
        *java,
        *(part for name, value in options.items() for part in (f"--{name}", str(value))),
        "--password",
        password,
    ]
