"""City presets on disk: `cities/<id>.toml`, each with what it takes from a shared file by `extends`.

The merged table is complete in itself: it is what the store keeps of a city, so a later change to a shared file changes
no city that is already running.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from domain.cities.errors import BadCity

PRESETS: Final = Path(__file__).resolve().parent.parent.parent / "cities"
"""Where the presets of this installation lie."""

_NAMED_BY: Final = ("code", "id", "number")


def read_preset(path: Path) -> dict[str, Any]:
    """The table of a preset with its `extends` merged in; `BadCity` names the file that is missing or is not TOML."""
    table = _read(path)
    base_name = table.pop("extends", None)
    if base_name is None:
        return table
    if not isinstance(base_name, str) or ".." in Path(base_name).parts or Path(base_name).is_absolute():
        raise BadCity(f"{path.name}: extends must name a file beside it", errors={"extends": ["must be a file's name"]})
    return merge(_read(path.parent / base_name), table)


def preset_paths(directory: Path = PRESETS) -> dict[str, Path]:
    """The presets of a directory by city id, which is the file's name."""
    return {path.stem: path for path in sorted(directory.glob("*.toml"))}


def merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` over `base`: tables key by key, lists of named tables entry by entry, anything else replaced."""
    merged = dict(base)
    for key, value in own.items():
        held = merged.get(key)
        if isinstance(held, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(held, value)
        elif isinstance(held, list) and isinstance(value, list) and _name(held) and _name(held) == _name(value):
            merged[key] = _merge_named(held, value, _name(held))
        else:
            merged[key] = value
    return merged


def _name(items: list[Any]) -> str:
    """The key by which every entry of a list of tables is named, or nothing."""
    tables = [item for item in items if isinstance(item, Mapping)]
    if not tables or len(tables) != len(items):
        return ""
    return next((name for name in _NAMED_BY if all(name in table for table in tables)), "")


def _merge_named(base: list[Any], own: list[Any], name: str) -> list[Any]:
    entries = {item[name]: item for item in base}
    for item in own:
        entries[item[name]] = merge(entries.get(item[name], {}), item)
    return list(entries.values())


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadCity(f"{path.name}: cannot be read", errors={"(file)": ["cannot be read"]}) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadCity(f"{path.name}: is not TOML: {error}", errors={"(file)": ["is not TOML"]}) from error
