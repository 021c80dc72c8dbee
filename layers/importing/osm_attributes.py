"""OpenStreetMap tags in, attributes of the base layers out. No I/O; the tables are :mod:`layers.importing.osm_tags`."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from layers.importing import osm_tags

#: The attributes of one feature, by field name; what is missing is NULL.
Attributes = dict[str, Any]

_METRES = re.compile(r"(\d+(?:\.\d+)?)(?:m|metres?|meters?|米)?")
_FEET = re.compile(r"(\d+(?:\.\d+)?)(?:ft|feet|foot|')(?:(\d+(?:\.\d+)?)(?:in|inch|inches|\"|''))?")
_COUNT = re.compile(r"(\d+)(?:\.\d+)?")
_SPEED = re.compile(r"(\d+(?:\.\d+)?)(km/h|kmh|kph|mph|knots)?")
_KMH = {None: 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
_YEAR = re.compile(r"\b(1\d{3}|20\d{2})\b")
_UNTOLD_SPEED = frozenset(("none", "signals", "variable", "walk", "unlimited"))

#: Nothing higher, taller or faster exists; a larger value is a slip of the keyboard.
_MAX_HEIGHT, _MAX_FLOORS, _MAX_LANES, _MAX_SPEED = 1000.0, 200, 30, 200.0

#: Most elements have none of the keys that a rule asks for; one look at them is enough.
_LAND_USE_KEYS = frozenset(key for key, _ in osm_tags.LAND_USE)
_WATER_KEYS = frozenset(("natural", *(key for key, _ in osm_tags.WATER_AREA)))


@dataclass(slots=True)
class Tags:
    """The tags of one element; ``unread`` collects ``key=value`` that could not be understood."""

    values: Mapping[str, str]
    unread: list[str] = field(default_factory=list)

    def get(self, *keys: str) -> str | None:
        """The first of these keys that has a value."""
        for key in keys:
            if (text := self.values.get(key)) and (text := text.strip()):
                return text
        return None

    def read(self, parse: Callable[[str], Any], *keys: str) -> Any:
        """The parsed value of the first of these keys; an unreadable one is noted and None."""
        for key in keys:
            text = self.get(key)
            if text is None:
                continue
            try:
                return parse(text)
            except ValueError:
                self.unread.append(f"{key}={text[:60]}")
        return None


def metres(text: str) -> float:
    """A height [m] of ``12``, ``12 m``, ``40'``, ``6'4"`` or ``40 ft``; of several (``3;4``) the highest.

    A comma is a decimal point. Raises ValueError for anything else.
    """
    return max(_one_length(part) for part in _parts(text))


def count(text: str) -> int:
    """A whole number; of several the largest; ``2.5`` floors are 2. Raises ValueError for anything else."""
    return max(int(_match(_COUNT, part)[1]) for part in _parts(text))


def speed(text: str) -> float | None:
    """A speed limit [km/h] of ``50``, ``30 mph``, ``10 knots`` or ``CN:urban``; of several the lowest.

    None where the limit is not a number (``none``, ``signals``). Raises ValueError for anything else.
    """
    if text in osm_tags.IMPLICIT_SPEED:
        return osm_tags.IMPLICIT_SPEED[text]
    if text in _UNTOLD_SPEED:
        return None
    zone = re.fullmatch(r"[A-Z]{2}:(?:zone:?)?(\d+)", text)
    if zone:
        return _bounded(float(zone[1]), _MAX_SPEED)
    matches = [_match(_SPEED, part) for part in _parts(text)]
    return _bounded(min(float(m[1]) * _KMH[m[2]] for m in matches), _MAX_SPEED)


def population(text: str) -> int:
    """A number of people; commas, points and spaces group its digits. Raises ValueError for anything else."""
    return int(_match(_COUNT, re.sub(r"[\s,.']", "", text))[1])


def year(text: str) -> int:
    """The first year of ``start_date`` (``1998-05``, ``before 1900``). Raises ValueError where there is none."""
    found = _YEAR.search(text)
    if not found:
        raise ValueError(text)
    return int(found[1])


def address_line(tags: Tags) -> str | None:
    """The address as people write it: ``凤凰路88号`` in Chinese, ``Triq ir-Repubblika 12`` elsewhere."""
    full = tags.get("addr:full")
    if full:
        return full
    road, number = tags.get("addr:street", "addr:place"), tags.get("addr:housenumber", "addr:housename")
    if not road or not number:
        return number
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in road)
    return f"{road}{number}" if chinese else f"{road} {number}"


def building(tags: Tags) -> Attributes | None:
    """A building, or None. Height and floors are as mapped: neither is derived from the other."""
    value = tags.get("building")
    if value is None or value in osm_tags.NOT_BUILT:
        return None
    height = tags.read(lambda text: _bounded(metres(text), _MAX_HEIGHT), "height", "building:height", "est_height")
    return _named(tags) | {
        "use": _building_use(tags, value),
        "floors": tags.read(lambda text: int(_bounded(count(text), _MAX_FLOORS)), "building:levels"),
        "height": height,
        "min_height": tags.read(lambda text: _bounded(metres(text), _MAX_HEIGHT), "min_height", "building:min_height"),
        "year_built": tags.read(year, "start_date", "year_of_construction"),
        "address": address_line(tags),
    }


def road(tags: Tags) -> Attributes | None:
    """A road centre line, or None. ``oneway=reversible`` is 0: its direction changes with the hour."""
    kind = osm_tags.ROAD_CLASS.get(tags.values.get("highway", ""))
    if kind is None:
        return None
    implied = int(tags.get("junction") == "roundabout" or tags.get("highway") == "motorway")
    oneway = tags.get("oneway")
    return _named(tags) | {
        "class": kind,
        "oneway": implied if oneway is None else osm_tags.ONEWAY.get(oneway, 0),
        "lanes": tags.read(lambda text: int(_bounded(count(text), _MAX_LANES)), "lanes"),
        "maxspeed": _limit(tags),
        "bridge": tags.get("bridge") not in (None, "no"),
        "tunnel": tags.get("tunnel") not in (None, "no"),
    }


def waterway(tags: Tags) -> Attributes | None:
    """A centre line of flowing water, or None."""
    kind = osm_tags.WATERWAY_KIND.get(tags.values.get("waterway", ""))
    return None if kind is None else _named(tags) | {"kind": kind}


def water(tags: Tags) -> Attributes | None:
    """An area of water or wetland, or None."""
    if _WATER_KEYS.isdisjoint(tags.values):
        return None
    if tags.get("natural") == "water":
        return _named(tags) | {"kind": osm_tags.WATER_KIND.get(tags.get("water") or "", "other")}
    kind = next((kind for (key, value), kind in osm_tags.WATER_AREA.items() if tags.get(key) == value), None)
    return None if kind is None else _named(tags) | {"kind": kind}


def land_use(tags: Tags) -> Attributes | None:
    """A patch of land use by the 2023 classification, or None; a single building is none."""
    if "building" in tags.values or _LAND_USE_KEYS.isdisjoint(tags.values):
        return None
    for (key, value), (code, kind) in osm_tags.LAND_USE.items():
        if tags.values.get(key) == value:
            return _named(tags) | {"code": code, "kind": kind}
    return None


def place(tags: Tags) -> Attributes | None:
    """A named settlement or natural feature, or None."""
    kind = osm_tags.PLACE_KIND.get(tags.values.get("place", ""))
    if kind is None and tags.values.get("natural") in osm_tags.NATURAL_PLACES:
        kind = "natural"
    if kind is None:
        return None
    names = _named(tags)
    if names["name"] is None:
        return None
    return names | {
        "kind": kind,
        "alias": aliases(tags, names["name"]),
        "pinyin": tags.get("name:zh_pinyin", "name:zh-Latn-pinyin", "name:pinyin"),
        "population": tags.read(population, "population"),
    }


def address(tags: Tags) -> Attributes | None:
    """A house-number address, or None."""
    if not tags.get("addr:housenumber", "addr:housename", "addr:full"):
        return None
    return {
        "address": address_line(tags),
        "road": tags.get("addr:street"),
        "number": tags.get("addr:housenumber"),
        "place": tags.get("addr:housename", "addr:place", "addr:neighbourhood"),
        "postcode": tags.get("addr:postcode"),
    }


def poi(tags: Tags) -> Attributes | None:
    """A point of interest, or None; ``kind`` is the tag's value, such as ``restaurant``."""
    if osm_tags.POI_CATEGORY.keys().isdisjoint(tags.values):
        return None
    names = _named(tags)
    for key, categories in osm_tags.POI_CATEGORY.items():
        value = tags.values.get(key)
        if value is None or value in osm_tags.NOTHING:
            continue
        category = categories.get(value)
        if category is None and (key == "shop" or names["name"]):
            category = osm_tags.POI_DEFAULT.get(key)
        if category is not None:
            kind = key if value == "yes" else value
            phone = tags.get("phone", "contact:phone")
            found = {"category": category, "kind": kind, "address": address_line(tags), "phone": phone}
            return names | found | {"alias": aliases(tags, names["name"])}
    return None


def admin_area(tags: Tags) -> Attributes | None:
    """An administrative division from city to community, or None; ``parent`` is not in the data."""
    if tags.values.get("boundary") != "administrative":
        return None
    names, level = _named(tags), tags.values.get("admin_level", "")
    kind = osm_tags.ADMIN_LEVEL.get(level)
    if level == "4" and names["name"] in osm_tags.MUNICIPALITIES:
        kind = "city"
    if kind is None:
        return None
    code = tags.get(*osm_tags.DIVISION_CODE_KEYS)
    return names | {"code": code, "level": kind, "population": tags.read(population, "population")}


def aliases(tags: Tags, name: str | None) -> list[str] | None:
    """The further names of a feature, each once; None where there is none."""
    texts = (text.strip() for key in osm_tags.ALIAS_KEYS for text in tags.values.get(key, "").split(";"))
    return [text for text in dict.fromkeys(texts) if text and text != name] or None


def _named(tags: Tags) -> Attributes:
    return {"name": tags.get("name", "name:zh"), "name_en": tags.get("name:en", "int_name")}


def _building_use(tags: Tags, value: str) -> str:
    for text in (value, *(tags.values.get(key) for key in ("amenity", "tourism", "leisure"))):
        if text in osm_tags.USE_OF_BUILDING:
            return osm_tags.USE_OF_BUILDING[text]
    if "shop" in tags.values:
        return "commercial"
    return "office" if "office" in tags.values else "other"


def _limit(tags: Tags) -> float | None:
    explicit: float | None = tags.read(speed, "maxspeed")
    if explicit is not None or "maxspeed" in tags.values:
        return explicit
    context = tags.get("maxspeed:type", "source:maxspeed", "zone:maxspeed")
    return osm_tags.IMPLICIT_SPEED.get(context or "")


def _parts(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).lower().replace(",", ".").replace(" ", "")
    return [part.lstrip("~") for part in re.split("[;|]", plain) if part] or [""]


def _one_length(text: str) -> float:
    feet = _FEET.fullmatch(text)
    if feet:
        return float(feet[1]) * 0.3048 + float(feet[2] or 0) * 0.0254
    return float(_match(_METRES, text)[1])


def _match(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None or len(text) > 40:
        raise ValueError(text)
    return found


def _bounded(value: float, most: float) -> float:
    if value > most:
        raise ValueError(f"{value} is more than {most}")
    return value
