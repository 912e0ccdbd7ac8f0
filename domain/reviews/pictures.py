"""Questions about pictures: in which words they are asked, and whether there is still something to look at."""

from collections.abc import Mapping
from typing import Any, Final

from domain.cameras.queries import observations
from domain.faces import queries as faces
from domain.reviews.states import ReviewKind
from domain.watchlists.queries import hits

_PLATE: Final = {
    "en": "Is the plate in the picture the one on the list?",
    "ur": "کیا تصویر میں نمبر پلیٹ وہی ہے جو فہرست میں ہے؟",
}
_FACE: Final = {
    "en": "Is the face in the second picture that of the person in the first, who is searched for?",
    "ur": "کیا دوسری تصویر میں چہرہ اسی شخص کا ہے جو پہلی تصویر میں ہے اور جسے تلاش کیا جا رہا ہے؟",
}
_OTHER: Final = {
    "en": "Does the picture show what the camera's analytics found?",
    "ur": "کیا تصویر میں وہی ہے جو کیمرے کے تجزیے نے بتایا؟",
}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "lying": {"en": "Is somebody lying on the ground?", "ur": "کیا کوئی زمین پر پڑا ہے؟"},
    "hands_up": {"en": "Does somebody hold up both hands?", "ur": "کیا کسی نے دونوں ہاتھ اٹھا رکھے ہیں؟"},
    "running": {"en": "Does somebody run away?", "ur": "کیا کوئی بھاگ رہا ہے؟"},
    "dispersal": {"en": "Does a crowd suddenly scatter?", "ur": "کیا ہجوم اچانک بکھر رہا ہے؟"},
}
"""By what is asked about; whatever is not here is asked as `_OTHER`."""


def question(doc: Mapping[str, Any]) -> Mapping[str, str]:
    """The one question of a review about a picture, in English and Urdu."""
    if doc["kind"] == ReviewKind.PLATE_HIT:
        return _PLATE
    if doc["kind"] == ReviewKind.FACE_LEAD:
        return _FACE
    return WORDS.get((doc.get("about") or {}).get("finding") or "", _OTHER)


def is_kept(doc: Mapping[str, Any]) -> bool:
    """Whether what a review is about is still there; of what is not a picture, whoever asked knows."""
    if doc["kind"] == ReviewKind.CLIP_CHECK:
        return observations().find_one({"_id": doc["subject"]}, {"_id": 1}) is not None
    if doc["kind"] == ReviewKind.PLATE_HIT:
        return hits().find_one({"_id": doc["subject"]}, {"_id": 1}) is not None
    if doc["kind"] == ReviewKind.FACE_LEAD:
        return faces.has_lead(str(doc["about"]["search"]), doc["subject"])
    return True
