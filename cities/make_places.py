"""Makes the places of the city presets: `<city>.boundary.geojson` and `<city>.places.json` beside this file.

Not needed to run Amaan: its output is kept in the repository. Run it again when the facts have changed, with the
folder that holds them:

    python cities/make_places.py ../shared/geo

It reads `pk_city_districts.geojson`, `pk_city_police_osm.csv`, `pk_city_health_osm.csv` (OpenStreetMap, ODbL) and
`pk_city_areas_gazetteer.csv` (pak-geodata, MIT); LICENCE.md says what follows from that. It only leaves out, simplifies
and spells alike; it adds no place. The Urdu names of districts are ours.
"""

import csv
import json
import re
import sys
from collections.abc import Iterable
from math import cos, hypot, radians
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import mapping, shape

HERE = Path(__file__).resolve().parent
CITIES = ("lahore", "islamabad", "karachi")
OSM = "© OpenStreetMap contributors, ODbL 1.0 (opendatacommons.org/licenses/odbl)"
GAZETTEER = "Areas: pak-geodata 0.1.0, © 2026 Sohaib Bin Mohsin, The Mohsin Project Global, MIT"

SIMPLIFY_DEG = 0.0005
"""About 50 m: far less than what a phone's position is off at the edge of a city."""
LEAST_PART_KM2 = 0.05
"""Sandbanks and harbour works below this are left out."""
DIGITS = 5  # a metre

DISTRICTS_UR = {
    "Lahore": "ضلع لاہور",
    "Islamabad": "اسلام آباد",
    "Karachi West": "کراچی غربی",
    "Karachi Central": "کراچی وسطی",
    "Karachi East": "کراچی شرقی",
    "Karachi South": "کراچی جنوبی",
    "Korangi": "کورنگی",
    "Keamari": "کیماڑی",
    "Malir": "ملیر",
}

STATION = re.compile(r"police station|تھانہ|پولیس اسٹیشن", re.IGNORECASE)
NOT_A_STATION = re.compile(
    r"traffic|check|lines(?! police)|cho[wk]|special branch|narcotics|naval|forensic|anti ", re.IGNORECASE
)
HOSPITAL = re.compile(
    r"hospital|medical (centre|center|complex)|institute of|\bcmh\b|ہسپتال|اسپتال|ہاسپٹل", re.IGNORECASE
)
NOT_A_HOSPITAL = re.compile(
    r"dental|vet(erin|\b)|animal|\bpets?\b|homeo|herbal|hijama|cosmet|aesthetic|skin|laser|parking|testing|store|hostel"
    r"|school|college of|pharma|laborator|blood bank|department|روغتون",
    re.IGNORECASE,
)
PHARMACY = re.compile(r"pharmacy|medical store|chemist", re.IGNORECASE)
NOT_A_PHARMACY = re.compile(r"hospital|clinic|centre|center|cardio|homeo|herbal", re.IGNORECASE)
"""A shop that is named as a pharmacy, whatever it is tagged as; one inside something else is that other place."""
URDU = re.compile(r"[\u0600-\u06ff][\u0600-\u06ff\s\u200c،.0-9]*")

Place = dict[str, Any]


def split_scripts(name: str) -> tuple[str, str]:
    """The Latin and the Urdu part of a name that may hold both."""
    urdu = " ".join(part.strip() for part in URDU.findall(name))
    latin = URDU.sub(" ", name)
    return tidy(latin), tidy(urdu)


def tidy(name: str) -> str:
    """One space between words, no stray marks at the ends, shouting made quiet."""
    name = re.sub(r"\(\s*\)|\s+", " ", name).strip(" ,.-–/|")
    name = re.sub(r"police station", "Police Station", name, flags=re.IGNORECASE)
    return name.title() if name.isupper() and len(name) > 6 else name


def named(row: dict[str, str]) -> tuple[str, str]:
    """(English, Urdu) name of an OSM row, either may be empty; `name` counts for the script that it is written in."""
    latin, urdu = split_scripts(row["name"])
    return tidy(row["name_en"]) or latin, tidy(row["name_ur"]) or urdu


def rows(path: Path, city: str) -> list[dict[str, str]]:
    """The rows of one city, in a stable order."""
    with path.open(encoding="utf-8", newline="") as file:
        return sorted((row for row in csv.DictReader(file) if row["city"].lower() == city), key=lambda row: row["name"])


def place(row: dict[str, str], name_en: str, name_ur: str) -> Place:
    """A place as it is kept; where only Urdu is known it stands for English too, so that no place is nameless."""
    return {
        "id": row["osm"],
        "name_en": name_en or name_ur,
        "name_ur": name_ur,
        "lat": round(float(row["lat"]), DIGITS),
        "lon": round(float(row["lon"]), DIGITS),
    }


def apart_m(one: Place, other: Place) -> float:
    """Metres between places of one city, on a flat Earth."""
    return 111_195 * hypot(one["lat"] - other["lat"], (one["lon"] - other["lon"]) * cos(radians(one["lat"])))


def once(places: Iterable[Place]) -> list[Place]:
    """Without the second of two that are the same: within 60 m, or of one name within 600 m."""
    kept: list[Place] = []
    for new in places:
        same = (
            other
            for other in kept
            if (near := apart_m(new, other)) < 60 or (near < 600 and new["name_en"].lower() == other["name_en"].lower())
        )
        if next(same, None) is None:
            kept.append(new)
    return kept


def police(geo: Path, city: str) -> list[Place]:
    """Police stations: what is named as one, and no traffic sections, lines, check posts or offices."""
    found = []
    for row in rows(geo / "pk_city_police_osm.csv", city):
        name_en, name_ur = named(row)
        if STATION.search(f"{name_en} {name_ur}") and not NOT_A_STATION.search(name_en):
            found.append(place(row, name_en, name_ur))
    return once(found)


def hospitals(geo: Path, city: str) -> list[Place]:
    """Hospitals by name and tag, no clinics and practices. `emergency` only where the map says so."""
    found = []
    for row in rows(geo / "pk_city_health_osm.csv", city):
        name_en, name_ur = named(row)
        both = f"{name_en} {name_ur}"
        if row["amenity"] == "hospital" and HOSPITAL.search(both) and not NOT_A_HOSPITAL.search(both):
            found.append({**place(row, name_en, name_ur), "emergency": row["emergency_tag"] == "yes"})
    return once(found)


def pharmacies(geo: Path, city: str) -> list[Place]:
    """Pharmacies by name, among what the map has as health facilities: few, since shops are not in that extract. No
    hours: the map has none.
    """
    found = []
    for row in rows(geo / "pk_city_health_osm.csv", city):
        name_en, name_ur = named(row)
        if PHARMACY.search(name_en) and not NOT_A_PHARMACY.search(name_en):
            found.append(place(row, spaced(name_en), name_ur))
    return once(found)


def spaced(name: str) -> str:
    """A shop's name with a capital to each word, and a blank where two words were run together."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).split()
    return " ".join(word[:1].upper() + word[1:] for word in words)


def areas(geo: Path, city: str, boundary: Any) -> list[Place]:
    """Named areas as points; those whose point lies outside their own city are left out."""
    found = []
    for row in rows(geo / "pk_city_areas_gazetteer.csv", city):
        lat, lon = float(row["lat"]), float(row["lon"])
        if boundary.contains(shapely.Point(lon, lat)):
            found.append(
                {"id": row["id"], "name_en": row["name"], "name_ur": row["name_ur"], "lat": lat, "lon": lon}
                | {"kind": row["type"]}
            )
    return found


def districts(geo: Path, city: str) -> list[dict[str, Any]]:
    """The city's districts as GeoJSON features, simplified together so that neighbours keep a common edge."""
    document = json.loads((geo / "pk_city_districts.geojson").read_text(encoding="utf-8"))
    features = [feature for feature in document["features"] if feature["properties"]["city"].lower() == city]
    shapes = [shape(feature["geometry"]) for feature in features]
    made = []
    for feature, whole in zip(features, shapely.coverage_simplify(shapes, SIMPLIFY_DEG), strict=True):
        parts = [part for part in getattr(whole, "geoms", [whole]) if part.area * 111.195**2 * 0.87 >= LEAST_PART_KM2]
        rounded = shapely.transform(shapely.MultiPolygon(parts), lambda points: points.round(DIGITS))
        name = feature["properties"]["name"]
        made.append(
            {
                "type": "Feature",
                "properties": {"name_en": name, "name_ur": DISTRICTS_UR[name]},
                "geometry": mapping(rounded),
            }
        )
    return made


def write(path: Path, head: dict[str, Any], lists: dict[str, list[Any]]) -> None:
    """JSON with one entry of a list on a line, so that a change to one place is a change to one line."""
    parts = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    for key, entries in lists.items():
        lines = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
        parts.append(f" {json.dumps(key)}: [\n{lines}\n ]")
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size // 1024} KiB, {', '.join(f'{len(v)} {k}' for k, v in lists.items())}")


def main(geo: Path) -> None:
    """Write both files of every city."""
    for city in CITIES:
        features = districts(geo, city)
        boundary = shapely.union_all([shape(feature["geometry"]) for feature in features])
        write(
            HERE / f"{city}.boundary.geojson", {"type": "FeatureCollection", "attribution": OSM}, {"features": features}
        )
        write(
            HERE / f"{city}.places.json",
            {"city": city, "attribution": [OSM, GAZETTEER]},
            {
                "police": police(geo, city),
                "hospitals": hospitals(geo, city),
                "pharmacies": pharmacies(geo, city),
                "areas": areas(geo, city, boundary),
            },
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent.parent / "shared" / "geo")
