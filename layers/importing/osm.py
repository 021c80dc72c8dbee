"""OpenStreetMap files (PBF, also .osm) as frames of the base layers.

Coordinates are WGS 84 and stored as CGCS2000 (EPSG:4490) unchanged: the two agree within centimetres at the reference
epoch, far below OpenStreetMap's own accuracy. ``name`` is the local name, ``name_en`` the English one, ``source`` is
``OpenStreetMap`` and ``source_id`` the element, such as ``way/123`` or ``relation/5``.

Roads are split at every node that two roads share, so edges meet at end points and form a network; the second piece
of a way is ``way/123#2``. Turn restrictions at a node name the roads by their ways.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from layers.base_layers import BASE_LAYERS, NETWORK_LAYERS
from layers.catalogue import CGCS2000, Layer, Text
from layers.importing import osm_attributes
from layers.importing.errors import UnreadableFile, UnsafeFile
from layers.importing.osm_attributes import Attributes, Tags
from layers.importing.osm_restrictions import TURNS_BY_WAY, has_way_between, restriction_rows, via_nodes
from layers.importing.osm_tags import ROAD_CLASS
from layers.importing.report import Findings, Remark

Progress = Callable[[int], None]
#: Longitude and latitude [°].
Position = tuple[float, float]

#: Rows of one frame.
BATCH_ROWS = 5000
#: A province has some tens of millions of elements; node locations take 16 bytes each in memory.
MAX_ELEMENTS = 50_000_000
MAX_BYTES = 4 * 2**30
SUFFIXES = (".pbf", ".osm", ".osm.gz", ".osm.bz2")

_LAYERS = {layer.id: layer for layer in (*BASE_LAYERS, *NETWORK_LAYERS)}
_DTYPES: dict[str, Any] = {"string": object, "integer": "Int64", "number": "float64", "boolean": "boolean"}

Rule = Callable[[Tags], Attributes | None]
#: Which layers an element of each shape may belong to; one element may be a feature of several.
NODE_RULES: dict[str, Rule] = {
    "places": osm_attributes.place,
    "addresses": osm_attributes.address,
    "pois": osm_attributes.poi,
}
LINE_RULES: dict[str, Rule] = {"roads": osm_attributes.road, "waterways": osm_attributes.waterway}
AREA_RULES: dict[str, Rule] = {
    "buildings": osm_attributes.building,
    "water": osm_attributes.water,
    "land-use": osm_attributes.land_use,
    **NODE_RULES,
}
RELATION_RULES: dict[str, Rule] = {"admin-areas": osm_attributes.admin_area, **AREA_RULES}

#: Why an element is left out.
BROKEN_AREA = Text(
    "面无法闭合、自相交，或缺少成员或节点", "the area does not close, crosses itself, or lacks members or nodes"
)
OPEN_AREA = Text("应为面，但线未闭合", "it should be an area, but its line is not closed")
MISSING_NODES = Text("文件中缺少其节点", "nodes of it are missing in the file")
ZERO_LENGTH = Text("长度为零", "it has no length")


def read(
    path: Path, progress: Progress | None = None, findings: Findings | None = None
) -> Iterator[tuple[str, GeoDataFrame]]:
    """The base layers of an OpenStreetMap file, as (layer id, frame) in the order they fill up.

    Frames hold at most ``BATCH_ROWS`` rows, all fields of their layer, EPSG:4490 with (east, north). ``progress`` is
    called with the number of features so far. What is left out (broken areas, lines without nodes) or not understood
    (``height=tall``) is told by id in ``findings``.

    The whole file is looked through before the first frame. Raises UnsafeFile if it is larger than the bounds and
    UnreadableFile if it is damaged or unsorted.
    """
    findings = Findings() if findings is None else findings
    source = _source(path)
    collector = _Collector(_survey(source, path), findings)
    done = 0
    tagged = osmium.filter.EmptyTagFilter()
    tagged.enable_for(osmium.osm.NODE | osmium.osm.WAY | osmium.osm.RELATION)
    processor = osmium.FileProcessor(source).with_areas().with_filter(tagged)
    for element in _elements(processor, path):
        collector.take(element)
        for layer_id, frame in collector.full():
            done += len(frame)
            yield layer_id, frame
            if progress is not None:
                progress(done)
    collector.reject_unfinished()
    for layer_id, frame in collector.full(least=1):
        done += len(frame)
        yield layer_id, frame
        if progress is not None:
            progress(done)


@contextmanager
def layers_of(
    path: Path, progress: Progress | None = None, findings: Findings | None = None
) -> Iterator[dict[str, Iterator[GeoDataFrame]]]:
    """The same frames grouped by layer, for loads that take one layer after the other.

    The file is read once; frames wait on disk in a temporary directory that goes when the block ends.
    """
    with TemporaryDirectory(prefix="citymap-osm-") as directory:
        parts: dict[str, list[Path]] = {}
        for layer_id, frame in read(path, progress, findings):
            waiting = parts.setdefault(layer_id, [])
            waiting.append(Path(directory, f"{layer_id}-{len(waiting)}.feather"))
            frame.to_feather(waiting[-1])
        yield {layer_id: map(gpd.read_feather, files) for layer_id, files in parts.items()}


def _source(path: Path) -> osmium.io.File:
    """The file under the format that its name says: the content is never guessed."""
    name = path.name.lower()
    if not name.endswith(SUFFIXES):
        raise UnreadableFile(
            f"{path.name} 不是 OpenStreetMap 文件，应以 {'、'.join(SUFFIXES)} 结尾",
            f"{path.name} is no OpenStreetMap file: its name must end in one of {', '.join(SUFFIXES)}",
        )
    if not path.is_file():
        raise UnreadableFile(f"找不到文件 {path}", f"there is no file {path}")
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFile(f"{path.name} 是空文件", f"{path.name} is empty")
    if size > MAX_BYTES:
        raise UnsafeFile(
            f"{path.name} 有 {size} 字节，上限 {MAX_BYTES}；请先用 osmium extract 裁出本市范围",
            f"{path.name} has {size} bytes, at most {MAX_BYTES}: cut out the city with osmium extract first",
        )
    return osmium.io.File(str(path), "pbf" if name.endswith(".pbf") else name[name.index(".osm") + 1 :])


def _elements(processor: osmium.FileProcessor, path: Path) -> Iterator[Any]:
    """The elements; libosmium's RuntimeError of a damaged or unsorted file becomes ours."""
    elements = iter(processor)
    while True:
        try:
            element = next(elements)
        except StopIteration:
            return
        except (RuntimeError, ValueError, MemoryError, OverflowError) as error:
            cure = ("请用 osmium sort 排序", "sort it with osmium sort") if "order" in str(error) else (
                "请重新下载", "download it again")  # fmt: skip
            raise UnreadableFile(
                f"{path.name} 已损坏或不是 OpenStreetMap 文件（{error}），{cure[0]}",
                f"{path.name} is damaged or no OpenStreetMap file ({error}): {cure[1]}",
            ) from error
        yield element


@dataclass(frozen=True, slots=True)
class _Survey:
    """What must be known before the first feature.

    ``junctions`` are the nodes that more than one road passes, or one road twice. ``outlines`` maps the outer ways of
    old-style multipolygons (no tags of their own, common before 2017) to the relation that they lend their tags to.
    ``restricted`` are the nodes at which a turn is restricted.
    """

    junctions: frozenset[int]
    outlines: dict[int, int]
    restricted: frozenset[int]


def _survey(source: osmium.io.File, path: Path) -> _Survey:
    """Look through the whole file once."""
    refs = array("q")
    outlines: dict[int, int] = {}
    restricted: set[int] = set()
    for number, element in enumerate(_elements(osmium.FileProcessor(source), path), start=1):
        if number > MAX_ELEMENTS:
            raise UnsafeFile(
                f"{path.name} 的要素超过 {MAX_ELEMENTS} 个；请先用 osmium extract 裁出本市范围",
                f"{path.name} has more than {MAX_ELEMENTS} elements: cut out the city with osmium extract first",
            )
        if element.is_way() and "highway" in element.tags and _is_road(element):
            refs.extend(_without_repeats([node.ref for node in element.nodes]))
        elif element.is_relation() and dict(element.tags) == {"type": "multipolygon"}:
            outlines.update({m.ref: element.id for m in element.members if m.type == "w" and m.role in ("outer", "")})
        elif element.is_relation() and element.tags.get("type") == "restriction":
            restricted.update(via_nodes(element))
    nodes, counts = np.unique(np.array(refs, dtype=np.int64), return_counts=True)
    return _Survey(frozenset(nodes[counts > 1].tolist()), outlines, frozenset(restricted))


def _is_road(way: Any) -> bool:
    """Whether a way is a line of the road network; a square is an area of its own."""
    is_square = way.tags.get("area") == "yes" and way.is_closed()
    return way.tags.get("highway") in ROAD_CLASS and not is_square


def _without_repeats(refs: Sequence[int]) -> list[int]:
    return [ref for i, ref in enumerate(refs) if i == 0 or ref != refs[i - 1]]


@dataclass(slots=True)
class _Batch:
    """The rows of one layer that wait to become a frame."""

    layer: Layer
    rows: list[Attributes] = field(default_factory=list)
    geometries: list[Any] = field(default_factory=list)

    def add(self, row: Attributes, source_id: str, geometry: Any) -> None:
        self.rows.append({**row, "source_id": source_id, "source": "OpenStreetMap"})
        self.geometries.append(geometry)

    def frame(self) -> GeoDataFrame:
        """The rows as a frame with every field of the layer; the batch is empty afterwards."""
        columns = {f.name: _column([row.get(f.name) for row in self.rows], f.type) for f in self.layer.fields}
        frame = GeoDataFrame(columns, geometry=np.array(self.geometries, dtype=object), crs=CGCS2000)
        self.rows, self.geometries = [], []
        return frame


def _column(values: Sequence[Any], field_type: str) -> Any:
    """The values of a field; lists stay lists."""
    if field_type != "string-array":
        return pd.array(values, dtype=_DTYPES[field_type])
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


class _Collector:
    """Sorts elements into layers.

    An area arrives as an area of its own, somewhere after its way and before or after its relation. ``_awaited``
    holds the ways and relations that should become one; those still there at the end are broken.
    """

    def __init__(self, survey: _Survey, findings: Findings) -> None:
        self._junctions = survey.junctions
        self._outlines = survey.outlines
        self._restricted = survey.restricted
        self._turning_places: dict[int, Position] = {}
        self._lent_tags: dict[int, dict[str, str]] = {}
        self._findings = findings
        self._batches = {layer_id: _Batch(layer) for layer_id, layer in _LAYERS.items()}
        self._wkb = osmium.geom.WKBFactory()
        self._awaited: dict[str, None] = {}
        self._built_relations: set[int] = set()

    def take(self, element: Any) -> None:
        """Add the features that one node, way, relation or area is."""
        tags = Tags(dict(element.tags))
        if element.is_node():
            self._node(element, tags)
        elif element.is_way():
            self._way(element, tags)
        elif element.is_area():
            self._area(element, tags)
        elif tags.values.get("type") in ("multipolygon", "boundary"):
            self._relation(element, tags)
        elif tags.values.get("type") == "restriction":
            self._restriction(element, tags)

    def full(self, least: int = BATCH_ROWS) -> Iterator[tuple[str, GeoDataFrame]]:
        """The layers that have at least so many rows waiting, as frames."""
        for layer_id, batch in self._batches.items():
            if len(batch.rows) >= least:
                yield layer_id, batch.frame()

    def reject_unfinished(self) -> None:
        """Report the ways and relations that never became an area."""
        self._findings.reject([Remark(source_id, BROKEN_AREA) for source_id in self._awaited])
        self._awaited.clear()

    def _node(self, node: Any, tags: Tags) -> None:
        rows = _matches(NODE_RULES, tags)
        if rows and node.location.valid():
            point = shapely.Point(node.lon, node.lat)
            self._add(rows, f"node/{node.id}", tags, point)

    def _way(self, way: Any, tags: Tags) -> None:
        source_id = f"way/{way.id}"
        lines = _matches(LINE_RULES, tags)
        if "roads" in lines and not _is_road(way):
            del lines["roads"]
        if lines:
            self._line(way, source_id, lines, tags)
        areas = _matches(AREA_RULES, tags)
        if areas and way.id in self._outlines:
            self._lent_tags[self._outlines[way.id]] = dict(tags.values)
            return
        if not areas or tags.values.get("area") == "no":
            return
        if way.is_closed():
            self._awaited[source_id] = None
        elif "buildings" in areas or (not lines and areas.keys() & {"water", "land-use"}):
            self._findings.reject([Remark(source_id, OPEN_AREA)])

    def _line(self, way: Any, source_id: str, rows: dict[str, Attributes], tags: Tags) -> None:
        try:
            nodes = [(node.ref, (node.lon, node.lat)) for node in way.nodes]
        except osmium.InvalidLocationError:
            self._findings.reject([Remark(source_id, MISSING_NODES)])
            return
        pieces = _split(nodes, self._junctions if "roads" in rows else frozenset())
        if "roads" in rows:
            self._turning_places.update((ref, point) for ref, point in nodes if ref in self._restricted)
        if not pieces:
            self._findings.reject([Remark(source_id, ZERO_LENGTH)])
        for number, piece in enumerate(pieces, start=1):
            piece_id = f"{source_id}#{number}" if len(pieces) > 1 else source_id
            self._add(rows, piece_id, tags if number == 1 else None, shapely.LineString(piece))

    def _relation(self, relation: Any, tags: Tags) -> None:
        if not _matches(RELATION_RULES, tags) and relation.id not in self._lent_tags:
            return
        if relation.id in self._built_relations:
            self._built_relations.discard(relation.id)
        else:
            self._awaited[f"relation/{relation.id}"] = None

    def _restriction(self, relation: Any, tags: Tags) -> None:
        source_id = f"relation/{relation.id}"
        if has_way_between(relation):
            self._findings.reject([Remark(source_id, TURNS_BY_WAY)])
            return
        rows = restriction_rows(relation, tags)
        for number, (node, row) in enumerate(rows, start=1):
            if node in self._turning_places:
                place = shapely.Point(self._turning_places[node])
                row_id = f"{source_id}#{number}" if len(rows) > 1 else source_id
                self._batches["turn-restrictions"].add(row, row_id, place)

    def _area(self, area: Any, tags: Tags) -> None:
        if area.from_way() and area.orig_id() in self._outlines:
            return
        if not area.from_way() and not tags.values:
            tags = Tags(self._lent_tags.get(area.orig_id(), {}))
        rows = _matches(AREA_RULES if area.from_way() else RELATION_RULES, tags)
        outer_rings, _ = area.num_rings()
        if not rows or not outer_rings:  # libosmium hands out a broken area without rings: it stays awaited
            return
        source_id = f"{'way' if area.from_way() else 'relation'}/{area.orig_id()}"
        if source_id in self._awaited:
            del self._awaited[source_id]
        elif not area.from_way():
            self._built_relations.add(area.orig_id())
        self._add(rows, source_id, tags, shapely.from_wkb(self._wkb.create_multipolygon(area)))

    def _add(self, rows: dict[str, Attributes], source_id: str, tags: Tags | None, geometry: Any) -> None:
        """Add the rows, an area to a layer of points as a point inside it; ``tags`` tells values not understood."""
        for layer_id, row in rows.items():
            batch = self._batches[layer_id]
            as_point = batch.layer.geometry_type == "Point" and geometry.geom_type != "Point"
            batch.add(row, source_id, shapely.point_on_surface(geometry) if as_point else geometry)
        if tags is not None and tags.unread:
            unread = "; ".join(dict.fromkeys(tags.unread))
            reason = Text(f"无法理解的值 {unread}", f"value not understood: {unread}")
            self._findings.repair([Remark(source_id, reason)])


def _matches(rules: dict[str, Rule], tags: Tags) -> dict[str, Attributes]:
    """The layers that an element belongs to, with its attributes there."""
    found = ((layer_id, rule(tags)) for layer_id, rule in rules.items())
    return {layer_id: row for layer_id, row in found if row is not None}


def _split(nodes: Sequence[tuple[int, Position]], junctions: frozenset[int]) -> list[list[Position]]:
    """The line cut at inner junctions; pieces without length are left out."""
    pieces: list[list[Position]] = []
    piece: list[Position] = []
    for ref, point in nodes:
        if not piece or point != piece[-1]:
            piece.append(point)
        if ref in junctions:
            pieces.append(piece)
            piece = [point]
    pieces.append(piece)
    return [piece for piece in pieces if len(piece) > 1]
