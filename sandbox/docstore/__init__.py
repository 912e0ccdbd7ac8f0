"""Where the embedded document server is, how it is started, and how it is built.

Java 17 and Maven, because the library that it extends is Java. The jar is never committed: `build` makes it.
"""

from pathlib import Path

from sandbox.java import BuildError as BuildError
from sandbox.java import Jar

HERE = Path(__file__).parent
IN_MEMORY = ":memory:"
_jar = Jar(HERE, "docstore")


def jar_path() -> Path:
    """Where the jar is, once it is built."""
    return _jar.path


def is_current() -> bool:
    """True when the jar is there and no source is newer."""
    return _jar.is_current()


def command(port: int, file: str | Path) -> list[str]:
    """The command line of a server on 127.0.0.1. Port 0 takes a free one; file `:memory:` keeps nothing."""
    # The quick compiler alone: on two shared cores the thorough one costs more than it gains for minutes (the contract
    # tests take 24 s instead of 56). For a test's server also the collector that takes the least memory.
    java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1"]
    if str(file) == IN_MEMORY:
        java.append("-XX:+UseSerialGC")
    return [*java, "-jar", str(jar_path()), "--port", str(port), "--file", str(file)]


def build(quiet: bool = True) -> None:
    """Make the jar when it is missing or older than its sources. Raises BuildError."""
    _jar.build(quiet)
