"""Every preset on disk, held in memory with its boundary ready to be asked.

An SOS must find its city without the document store and in microseconds, and must not be refused because one city's
file is broken: a preset that cannot be read is left out and logged, the others go on.
"""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.cities.config import CityConfig, Text
from domain.cities.errors import BadCity
from domain.cities.places import Places, parse_places
from domain.cities.presets import PRESETS, preset_paths, read_preset
from domain.cities.rules import parse
from domain.errors import DomainError
from domain.geo import Region

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class District:
    """A named part of a city with its own boundary."""

    names: Text
    region: Region


@dataclass(frozen=True, slots=True)
class Sheet:
    """One city as its files say: configuration, boundary, districts, places."""

    config: CityConfig
    boundary: Region
    districts: tuple[District, ...]
    places: Places


class Atlas:
    """All cities of a directory. Immutable once made; make another to read the files again."""

    def __init__(self, directory: Path = PRESETS) -> None:
        self.sheets: dict[str, Sheet] = dict(_readable(directory))

    def sheet(self, city: str) -> Sheet | None:
        """A city's sheet, or nothing where no preset can be read."""
        return self.sheets.get(city)


def read_sheet(path: Path) -> Sheet:
    """A preset with its boundary and places; `BadCity` names the file and key that is wrong."""
    config = parse(read_preset(path), path.name)
    if config.id != path.stem:
        raise BadCity(f"{path.name}: id must be the file's name", errors={"id": [f"must be {path.stem}"]})
    geojson = _text(path.parent / config.boundary_file)
    try:
        boundary = Region.from_text(geojson)
        districts = tuple(_districts(json.loads(geojson)))
    except BadCity:
        raise
    except DomainError as error:
        raise BadCity(f"{config.boundary_file}: {error.detail}", errors={"boundary": [error.detail]}) from error
    return Sheet(config, boundary, districts, parse_places(_text(path.parent / config.places_file), config.places_file))


def _districts(document: dict[str, Any]) -> Iterator[District]:
    for feature in document.get("features", []):
        names = feature.get("properties") or {}
        if names.get("name_en"):
            yield District(Text(en=names["name_en"], ur=names.get("name_ur", "")), Region.from_geojson(feature))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCity(f"{path.name}: cannot be read", errors={"(file)": ["cannot be read"]}) from error


def _readable(directory: Path) -> Iterator[tuple[str, Sheet]]:
    for city, path in preset_paths(directory).items():
        try:
            yield city, read_sheet(path)
        except BadCity as error:
            _log.error("city preset left out: %s", error.detail)


_current: Atlas | None = None
_directory = PRESETS
_lock = threading.Lock()


def atlas() -> Atlas:
    """The atlas of this process, read from disk when first asked for."""
    global _current
    held = _current
    if held is None:
        with _lock:
            if _current is None:
                _current = Atlas(_directory)
            held = _current
    return held


def use(directory: Path = PRESETS) -> Atlas:
    """Read the presets again, from this directory: after a change of its files."""
    global _current, _directory
    fresh = Atlas(directory)
    with _lock:
        _current, _directory = fresh, directory
    return fresh


def look_in(directory: Path) -> bool:
    """Let this be where the presets lie, from the next question on; False where it was already.

    Called with every connection to the store (`runtime.mongo.connect`), which no process does without: none can forget
    that its settings name another folder than the usual one.
    """
    global _current, _directory
    with _lock:
        if directory.resolve() == _directory.resolve():
            return False
        _current, _directory = None, directory
    return True


def directory() -> Path:
    """Where the presets of this process lie."""
    return _directory
