"""What belongs to one person: read by its id, or only where it is that person's; whoever it is not, learns nothing of it."""

from typing import Any, Final

from pymongo.collection import Collection

from domain.errors import NotFound

Kept = dict[str, Any]


class Owned:
    """The documents of one kind. `missing` is raised for one that is not there and for another's alike, with `words`."""

    def __init__(self, document: Any, missing: type[NotFound], words: str) -> None:
        self._document: Final = document
        self._missing: Final = missing
        self._words: Final = words

    def collection(self) -> Collection[Kept]:
        """The raw collection."""
        found: Collection[Kept] = self._document._get_collection()
        return found

    def get(self, kept_id: str) -> Kept:
        """It as it is stored."""
        found = self.collection().find_one({"_id": kept_id})
        if found is None:
            raise self._missing(self._words)
        return found

    def own(self, kept_id: str, person: str) -> Kept:
        """It, if it is this person's (`person` of the document)."""
        found = self.get(kept_id)
        if found.get("person") != person:
            raise self._missing(self._words)
        return found
