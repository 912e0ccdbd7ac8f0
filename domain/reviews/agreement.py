"""How often humans agreed with a detector: what measures it on a city's own pictures. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from domain.reviews.states import ReviewStatus

BANDS: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Confidences are counted in these bands, each from its figure to the next."""

_COUNTS_AS: Final[Mapping[str, str]] = {
    ReviewStatus.APPROVED: "yes",
    ReviewStatus.REFUSED: "no",
    ReviewStatus.CANNOT_TELL: "cannot_tell",
    ReviewStatus.EXPIRED: "unanswered",
}


@dataclass
class Agreement:
    """One detector and one kind of finding. `bands`: confidence from which → (yes, no)."""

    detector: str
    finding: str
    yes: int = 0
    no: int = 0
    cannot_tell: int = 0
    unanswered: int = 0
    bands: dict[float, tuple[int, int]] = field(default_factory=dict)

    @property
    def precision(self) -> float | None:
        """The share of yes among yes and no; None before anybody said either."""
        said = self.yes + self.no
        return round(self.yes / said, 3) if said else None


def figures(reviews: Iterable[Mapping[str, Any]]) -> list[Agreement]:
    """Decided reviews about pictures, counted by detector (name and version) and finding; what was withdrawn is not."""
    found: dict[tuple[str, str], Agreement] = {}
    for review in reviews:
        about, said = review.get("about") or {}, _COUNTS_AS.get(review["status"])
        if said is None:
            continue
        key = (str(about.get("detector") or "unknown"), str(about.get("finding") or "unknown"))
        counted = found.setdefault(key, Agreement(*key))
        setattr(counted, said, getattr(counted, said) + 1)
        if said in ("yes", "no"):
            band = max(each for each in BANDS if each <= float(about.get("confidence") or 0.0))
            yes, no = counted.bands.get(band, (0, 0))
            counted.bands[band] = (yes + (said == "yes"), no + (said == "no"))
    return [found[key] for key in sorted(found)]
