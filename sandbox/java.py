"""How the sandbox's Java programs are built: by Maven, into one jar beside their sources, never committed.

Java 17 and Maven, because the libraries that they extend are Java.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


class BuildError(RuntimeError):
    """A jar could not be built; the message says what to do."""


@dataclass(frozen=True)
class Jar:
    """One program: its folder, which has the pom, and its name, which the pom's output property begins with."""

    here: Path
    name: str

    @property
    def path(self) -> Path:
        """Where the jar is, once it is built."""
        return self.here / "target" / f"{self.name}.jar"

    def is_current(self) -> bool:
        """True when the jar is there and no source is newer."""
        sources = [self.here / "pom.xml", *(self.here / "src" / "main").rglob("*.java")]
        return self.path.exists() and self.path.stat().st_mtime >= max(source.stat().st_mtime for source in sources)

    def build(self, quiet: bool = True) -> None:
        """Make the jar when it is missing or older than its sources. Of several callers, one builds.

        Raises BuildError when Java or Maven is missing or the build fails. A running server keeps its own jar.
        """
        target = self.here / "target"
        target.mkdir(exist_ok=True)
        with (target / "build.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.is_current():
                return
            missing = [name for name in ("java", "mvn") if shutil.which(name) is None]
            if missing:
                raise BuildError(f"{' and '.join(missing)} missing: apt-get install openjdk-17-jdk-headless maven")
            output = target / "build"
            maven = ["mvn", "-B", "-Dstyle.color=never", f"-D{self.name}.output={output}", "-DskipTests", "package"]
            if quiet:
                maven.insert(1, "-q")
            done = subprocess.run(maven, cwd=self.here, capture_output=quiet, text=True, check=False)
            if done.returncode != 0:
                print(done.stdout or "", done.stderr or "", file=sys.stderr)
                raise BuildError(f"{self.name} does not build: run `mvn package` in {self.here.name}")
            os.replace(output / f"{self.name}.jar", self.path)
