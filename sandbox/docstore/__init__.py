"""Where the embedded document server is, how it is started, and how it is built.

Java 17 and Maven, because the library that it extends is Java. The jar is never committed: `build` makes it.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
IN_MEMORY = ":memory:"


class BuildError(RuntimeError):
    """The jar could not be built; the message says what to do."""


def jar_path() -> Path:
    """Where the jar is, once it is built."""
    return HERE / "target" / "docstore.jar"


def is_current() -> bool:
    """True when the jar is there and no source is newer."""
    jar = jar_path()
    sources = [HERE / "pom.xml", *(HERE / "src" / "main").rglob("*.java")]
    return jar.exists() and jar.stat().st_mtime >= max(source.stat().st_mtime for source in sources)


def command(port: int, file: str | Path) -> list[str]:
    """The command line of a server on 127.0.0.1. Port 0 takes a free one; file `:memory:` keeps nothing."""
    # The quick compiler alone: on two shared cores the thorough one costs more than it gains for minutes (the contract
    # tests take 24 s instead of 56). For a test's server also the collector that takes the least memory.
    java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1"]
    if str(file) == IN_MEMORY:
        java.append("-XX:+UseSerialGC")
    return [*java, "-jar", str(jar_path()), "--port", str(port), "--file", str(file)]


def build(quiet: bool = True) -> None:
    """Make the jar when it is missing or older than its sources. Of several callers, one builds.

    Raises BuildError when Java or Maven is missing or the build fails. A running server keeps its own jar.
    """
    target = HERE / "target"
    target.mkdir(exist_ok=True)
    with (target / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_current():
            return
        missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
        if missing:
            raise BuildError(f"{' and '.join(missing)} missing: apt-get install openjdk-17-jdk-headless maven")
        output = target / "build"
        maven = ["mvn", "-B", "-Dstyle.color=never", f"-Ddocstore.output={output}", "-DskipTests", "package"]
        if quiet:
            maven.insert(1, "-q")
        done = subprocess.run(maven, cwd=HERE, capture_output=quiet, text=True, check=False)
        if done.returncode != 0:
            print(done.stdout or "", done.stderr or "", file=sys.stderr)
            raise BuildError("the document server does not build: run `mvn package` in sandbox/docstore")
        os.replace(output / "docstore.jar", jar_path())
