"""Number plates read on real pictures: exact plates, where O and 0, I and 1 are one, and what one costs of a core's time.

    nice -n 10 python -m bench.plates [--footage DIR] [--wrong]

Pictures of ``../shared/footage/plates`` (OpenALPR's end-to-end benchmark: Europe, United States, Brazil), if they are
there. Exact: the likeliest reading of the picture is the plate, whole; ``any``: one of the readings is. Thresholds were
chosen with these pictures in sight, none of which is from Pakistan: for its plates no accuracy is claimed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from domain.plates.rules import fold
from workers.vision.cv import cv2
from workers.vision.plates import PlateDetector

FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "footage"
AIMS = {"eu": 0.95, "us": 0.83, "br": 0.96}
AIM_MS = 400.0


@dataclass(frozen=True)
class PlateFigures:
    """What one region's pictures gave. Shares in 0–1, milliseconds of one core a picture."""

    region: str
    pictures: int
    exact: float
    any: float
    median_ms: float
    worst_ms: float
    aim: float
    wrong: tuple[tuple[str, str], ...]
    """(truth, the likeliest reading)."""

    @property
    def met(self) -> bool:
        """As VISION.md writes them: shares in two digits."""
        return round(self.exact, 2) >= self.aim and self.median_ms <= AIM_MS


def marked(folder: Path) -> Iterator[tuple[Path, str]]:
    """The pictures of a region with what stands on their plate."""
    for note in sorted(folder.glob("*.txt")):
        fields = note.read_text().split()
        picture = note.with_suffix(".jpg")
        if len(fields) >= 6 and picture.exists():
            yield picture, fields[5]


def measure(footage: Path = FOOTAGE) -> list[PlateFigures]:
    """Every region that is there; an empty list where the pictures are missing."""
    found = []
    for region, aim in AIMS.items():
        pictures = list(marked(footage / "plates" / region))
        if not pictures:
            continue
        detector = PlateDetector()
        detector.load({"country": region})
        right = anywhere = 0
        spent, wrong = [], []
        for path, truth in pictures:
            image = cv2.imread(str(path))
            began = time.process_time()
            reads = [fold(read.text) for read in detector.read(image)]
            spent.append((time.process_time() - began) * 1000)
            right += reads[:1] == [fold(truth)]
            anywhere += fold(truth) in reads
            if reads[:1] != [fold(truth)]:
                wrong.append((truth, reads[0] if reads else ""))
        total = len(pictures)
        found.append(
            PlateFigures(region, total, right / total, anywhere / total, median(spent), max(spent), aim, tuple(wrong))
        )
    return found


def main() -> int:
    """Print the table; 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--footage", type=Path, default=FOOTAGE)
    parser.add_argument("--wrong", action="store_true", help="also what was read wrongly")
    given = parser.parse_args()
    figures = measure(given.footage)
    if not figures:
        print(f"no pictures of plates in {given.footage}: nothing was measured")
        return 0
    for each in figures:
        print(
            f"plates {each.region}: exact {each.exact:.3f} (aim {each.aim:.2f}), any {each.any:.3f} of {each.pictures}, "
            f"median {each.median_ms:.0f} ms (aim {AIM_MS:.0f}), worst {each.worst_ms:.0f} ms"
        )
        if given.wrong:
            for truth, read in each.wrong:
                print(f"  {truth} was read {read or 'not at all'}")
    return 0 if all(each.met for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
