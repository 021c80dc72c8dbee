"""Models of schemes as massing: a footprint and a height of each building, of CityJSON, IFC and glTF.

CityJSON says where it stands. glTF never does, IFC hardly ever: they are placed by a position and a turn. A footprint
is what all faces cover, seen from above; the height is from the lowest to the highest point.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.importing.errors import ImportRefused
from layers.importing.source import ReadOptions
from layers.three_d.cityjson import open_cityjson
from planning.errors import PlanningError

type Floats = NDArray[np.float64]

#: Bytes of a model, and its triangles.
MAX_MODEL, MAX_TRIANGLES = 200_000_000, 2_000_000
#: Grid on which a footprint is put together, and the gaps in it that are closed [m].
_GRID, _GAP = 0.001, 0.05
#: Ground that is too small to be a building [m²].
_LEAST = 1.0


@dataclass(frozen=True, slots=True)
class Massing:
    """A building: ``footprint`` (shapely MultiPolygon in the city's plane [m]) and ``height`` [m]."""

    id: str
    name: str | None
    use: str | None
    footprint: Any
    height: float
    floors: int | None = None


@dataclass(frozen=True, slots=True)
class Placing:
    """The city's plane (EPSG ``srid``); where a model's origin stands there (east, north), how far it is turned
    clockwise [°]; the CRS of a file that says none."""

    srid: int
    origin: tuple[float, float] | None
    rotation: float
    crs: str | None

    def place(self, points: Floats, name: str) -> Floats:
        """Points of the model (east, north of its own [m]) in the city's plane. Raises :class:`PlanningError`."""
        if self.origin is None:
            raise PlanningError(
                f"{name} 没有坐标系，请用 position 指明原点的位置",
                f"{name} has no CRS: say by 'position' where it stands",
            )
        turned = np.radians(self.rotation)
        cos, sin = np.cos(turned), np.sin(turned)
        return np.asarray(points @ np.array([[cos, -sin], [sin, cos]]) + np.array(self.origin))


def read_model(path: Path, name: str, placing: Placing) -> tuple[list[Massing], str]:
    """The buildings of a model, and its format. Raises :class:`PlanningError` for a file that is none."""
    suffix = Path(name).suffix.lower()
    if suffix not in _READERS:
        raise PlanningError(
            f"{name} 不是 CityJSON、IFC 或 glTF（.json、.ifc、.glb、.gltf）",
            f"{name} is no CityJSON, IFC or glTF (.json, .ifc, .glb, .gltf)",
        )
    if path.stat().st_size > MAX_MODEL:
        raise PlanningError(f"{name} 超过 {MAX_MODEL} 字节", f"{name} exceeds {MAX_MODEL} bytes")
    format, reader = _READERS[suffix]
    return [one for one in reader(path, name, placing) if one.footprint.area >= _LEAST and one.height > 0], format


def _cityjson(path: Path, name: str, placing: Placing) -> Iterator[Massing]:
    try:
        source = open_cityjson(path, ReadOptions(crs=placing.crs))
        frames = list(source.batches())
    except ImportRefused as error:
        raise PlanningError(*_both(error)) from None
    for frame in frames:
        plane = frame.to_crs(placing.srid)
        for row in plane.itertuples():
            floors = (
                None if row.floors is None or row.floors is np.nan or str(row.floors) == "<NA>" else int(row.floors)
            )
            yield Massing(str(row.source_id), row.name, row.use, row.geometry, float(row.height), floors)


def _gltf(path: Path, name: str, placing: Placing) -> Iterator[Massing]:
    """Each mesh of the scene is a building; glTF is in metres with y upwards (glTF 2.0 §3.4)."""
    import trimesh

    try:
        # Of bytes, not of a file: beside a file trimesh would read whatever the model names.
        content = io.BytesIO(path.read_bytes())
        scene = trimesh.load_scene(content, file_type=Path(name).suffix[1:].lower(), resolver=None)
        nodes = [(node, *scene.graph[node]) for node in sorted(scene.graph.nodes_geometry)]
    except Exception as error:  # whatever trimesh stumbles over in a file that is broken or names others
        raise PlanningError(f"{name} 不能读作 glTF：{error}", f"{name} cannot be read as glTF: {error}") from None
    _refuse_large(sum(len(getattr(mesh, "faces", ())) for mesh in scene.geometry.values()), name)
    for node, matrix, geometry in nodes:
        mesh = scene.geometry[geometry]
        if not len(getattr(mesh, "faces", ())):
            continue
        x, up, z = (np.asarray(mesh.vertices) @ matrix[:3, :3].T + matrix[:3, 3]).T
        yield _massing(str(node), str(node), np.column_stack([x, -z, up]), np.asarray(mesh.faces), placing, name)


def _ifc(path: Path, name: str, placing: Placing) -> Iterator[Massing]:
    """Each IfcBuilding is a building, with all that is in it; what is in none is one more (ISO 16739-1)."""
    import ifcopenshell
    import ifcopenshell.geom
    from ifcopenshell.util import element as contained

    try:
        model: Any = ifcopenshell.open(str(path))
        elements = [element for element in model.by_type("IfcElement") if element.Representation]
        products = [element for element in elements if not element.is_a("IfcFeatureElement")]
    except Exception as error:  # whatever the parser stumbles over
        raise PlanningError(f"{name} 不能读作 IFC：{error}", f"{name} cannot be read as IFC: {error}") from None
    if not products:
        return
    geometry: Any = ifcopenshell.geom
    settings = geometry.settings()
    settings.set("use-world-coords", True)
    parts: dict[str, list[tuple[Floats, NDArray[np.int64]]]] = {}
    named: dict[str, str | None] = {}
    count = 0
    shapes = geometry.iterator(settings, model, 1, include=products)
    for shape in shapes:
        product = model.by_guid(shape.guid)
        building = _building_of(contained, product)
        key = building.GlobalId if building else "project"
        named[key] = building.Name if building else None
        points = np.array(shape.geometry.verts, float).reshape(-1, 3)
        faces = np.array(shape.geometry.faces, np.int64).reshape(-1, 3)
        count += len(faces)
        _refuse_large(count, name)
        parts.setdefault(key, []).append((points, faces))
    for key, meshes in parts.items():
        starts = np.cumsum([0, *(len(points) for points, _ in meshes[:-1])])
        points = np.vstack([points for points, _ in meshes])
        faces = np.vstack([faces + start for (_, faces), start in zip(meshes, starts, strict=True)])
        yield _massing(key, named[key], points, faces, placing, name)


def _building_of(contained: Any, product: Any) -> Any:
    """The building that something is in."""
    held = contained.get_container(product)
    while held is not None and not held.is_a("IfcBuilding"):
        held = contained.get_aggregate(held)
    return held


def _massing(id: str, name: str | None, points: Floats, faces: Any, placing: Placing, file: str) -> Massing:
    """What triangles cover from above; small gaps between them are closed, slivers of walls fall away."""
    flat = placing.place(points[:, :2], file)
    corners = flat[faces]
    (x, y), (u, v) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    level = corners[np.abs(x * v - y * u) > 1e-6]
    triangles: Any = shapely.polygons(np.concatenate([level, level[:, :1]], axis=1)) if len(level) else []
    whole = shapely.union_all(triangles, grid_size=_GRID)
    whole = shapely.buffer(shapely.buffer(whole, _GAP, join_style="mitre"), -_GAP, join_style="mitre")
    whole = shapely.simplify(whole, _GRID)
    areas = [part for part in shapely.get_parts(whole) if part.geom_type == "Polygon" and part.area > 0]
    height = float(points[:, 2].max() - points[:, 2].min())
    return Massing(id, name, None, shapely.MultiPolygon(areas), height)


def _refuse_large(triangles: int, name: str) -> None:
    if triangles > MAX_TRIANGLES:
        raise PlanningError(
            f"{name} 有 {triangles} 个三角形，超过 {MAX_TRIANGLES}；请简化为体量",
            f"{name} has {triangles} triangles, more than {MAX_TRIANGLES}: simplify it to its massing",
        )


def _both(error: Any) -> tuple[str, str]:
    return str(getattr(error, "zh", error)), str(error)


_READERS: Mapping[str, tuple[str, Callable[[Path, str, Placing], Iterator[Massing]]]] = {
    ".json": ("CityJSON", _cityjson),
    ".ifc": ("IFC", _ifc),
    ".glb": ("glTF", _gltf),
    ".gltf": ("glTF", _gltf),
}
