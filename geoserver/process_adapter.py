"""From a plain function (see :mod:`layers.processing`) to an OGC process: its description, its checks, its call."""

import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from types import ModuleType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model
from pygeoapi.process.base import BaseProcessor
from sqlalchemy import Connection

import grid.cases.processes
import grid.cells.processes
import grid.clock.processes
import grid.components.processes
import grid.control.processes
import grid.control.temporary
import grid.dispatching.choices
import grid.dispatching.processes
import grid.emergency.processes
import grid.evaluation.processes
import grid.evaluation.report.processes
import grid.importing.processes
import grid.processes
import grid.reporting.processes
import grid.social.grid_work
import grid.social.processes
import layers.analysis.change_processes
import layers.analysis.hot_spot_processes
import layers.analysis.measure_processes
import layers.analysis.processes
import layers.coordinates.processes
import layers.exchange.proxies.processes
import layers.exchange.records.processes
import layers.gazetteer.processes
import layers.network.processes
import layers.pipes.processes
import layers.pipes.section_processes
import layers.processes
import layers.raster.processes
import layers.stewardship.processes
import layers.terrain.processes
import layers.terrain.shadow_processes
import layers.terrain.sun_processes
import layers.three_d.processes
import layers.versions.processes
import planning.boundary.processes
import planning.check.processes
import planning.indices.processes
import planning.massing.processes
import planning.meetings.processes
import planning.plan.processes
import planning.publicity.processes
import planning.redline.processes
import planning.report.processes
import planning.siting.processes
import tiles.archives.processes
import tracking.alarms.processes
import tracking.analysis.processes
import tracking.analysis.road_processes
import tracking.dispatching.processes
import tracking.dispatching.shift_processes
import tracking.importing.processes
import tracking.processes
from geoserver.errors import InputError
from geoserver.process_schema import Json, schema_of
from grid.options import GridOptions
from layers.access import Principal
from layers.catalogue import Text
from layers.exchange.proxies.model import Upstream
from layers.processing import CityCrs, CityMaps, Declaration, FileResult, Job, OtherProcesses, UploadedFile, Workspace
from layers.raster.store import RasterStore
from layers.stewardship.model import CityLayers
from planning.options import PlanningOptions
from tiles.archives.site import TileSite

#: The packages' lists of processes.
MODULES: tuple[ModuleType, ...] = (
    layers.processes,
    layers.analysis.processes,
    layers.analysis.change_processes,
    layers.analysis.hot_spot_processes,
    layers.analysis.measure_processes,
    layers.coordinates.processes,
    layers.exchange.proxies.processes,
    layers.exchange.records.processes,
    layers.gazetteer.processes,
    layers.network.processes,
    layers.pipes.processes,
    layers.pipes.section_processes,
    layers.raster.processes,
    layers.stewardship.processes,
    layers.terrain.processes,
    layers.terrain.sun_processes,
    layers.terrain.shadow_processes,
    layers.three_d.processes,
    layers.versions.processes,
    planning.boundary.processes,
    planning.check.processes,
    planning.indices.processes,
    planning.massing.processes,
    planning.meetings.processes,
    planning.plan.processes,
    planning.publicity.processes,
    planning.redline.processes,
    planning.report.processes,
    planning.siting.processes,
    grid.cases.processes,
    grid.cells.processes,
    grid.clock.processes,
    grid.components.processes,
    grid.control.processes,
    grid.control.temporary,
    grid.emergency.processes,
    grid.processes,
    grid.dispatching.choices,
    grid.dispatching.processes,
    grid.evaluation.processes,
    grid.evaluation.report.processes,
    grid.importing.processes,
    grid.reporting.processes,
    grid.social.grid_work,
    grid.social.processes,
    tracking.processes,
    tracking.alarms.processes,
    tracking.analysis.processes,
    tracking.analysis.road_processes,
    tracking.dispatching.processes,
    tracking.dispatching.shift_processes,
    tracking.importing.processes,
    tiles.archives.processes,
)
#: What a function may ask for that is no input.
HANDED_IN = (
    Connection,
    Job,
    Workspace,
    CityCrs,
    CityLayers,
    CityMaps,
    RasterStore,
    Principal,
    GridOptions,
    PlanningOptions,
    TileSite,
    OtherProcesses,
    Upstream,
)
#: The one output that every process has.
RESULT = "result"
#: A value given with its format (OGC 18-062r2 §7.11.2.2).
_QUALIFIED = {"value", "mediaType", "encoding", "schema"}


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a process, in both languages."""

    title: Text
    description: Text
    returns: Text
    inputs: Mapping[str, Text]


@dataclass(frozen=True)
class Process:
    """One process: a function and what is derived from it."""

    function: Callable[..., Any]

    @property
    def id(self) -> str:
        """Kebab-case of the function's name."""
        return str(self.function.__name__).replace("_", "-")

    @property
    def declared(self) -> Declaration:
        """What the function says about its execution."""
        found: Declaration = self.function.__process__  # type: ignore[attr-defined]
        return found

    @cached_property
    def hints(self) -> Mapping[str, Any]:
        """The type of each parameter, and of ``return``."""
        return get_type_hints(self.function, include_extras=True)

    @cached_property
    def inputs(self) -> Mapping[str, inspect.Parameter]:
        """The parameters that are inputs."""
        parameters = inspect.signature(self.function).parameters
        return {name: p for name, p in parameters.items() if self.hints[name] not in HANDED_IN}

    @cached_property
    def texts(self) -> Texts:
        """What the docstring says."""
        return read_docstring(self.function, tuple(self.inputs))

    @cached_property
    def model(self) -> type[BaseModel]:
        """The inputs as a model; an upload is its id."""
        fields: dict[str, Any] = {
            name: (_as_sent(self.hints[name]), ... if p.default is inspect.Parameter.empty else p.default)
            for name, p in self.inputs.items()
        }
        return create_model(f"{self.function.__name__}_inputs", __config__=ConfigDict(extra="forbid"), **fields)

    @cached_property
    def output(self) -> TypeAdapter[Any]:
        """Writes the result as JSON, unless it is a file."""
        return TypeAdapter(_without_file(self.hints["return"]))

    @property
    def gives_file(self) -> bool:
        """Whether the result is a file."""
        return self.hints["return"] is FileResult

    def uploads_in(self, values: Mapping[str, Any]) -> list[tuple[str, UUID]]:
        """The uploaded files among the inputs: name of the input and id, once for each file of a list."""
        found = [(name, values[name]) for name in self.inputs if _takes_files(self.hints[name])]
        return [(name, one) for name, ids in found for one in _listed(ids)]

    def with_uploads(self, values: Mapping[str, Any], opened: Callable[[UUID], UploadedFile]) -> dict[str, Any]:
        """The inputs with files in the place of their ids."""
        ready = dict(values)
        for name in dict.fromkeys(name for name, _ in self.uploads_in(values)):
            files = tuple(opened(one) for one in _listed(values[name]))
            ready[name] = files if isinstance(values[name], tuple) else files[0]
        return ready

    def checked(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs as the function takes them, uploads as ids. Raises :class:`InputError` naming the input."""
        try:
            found = self.model.model_validate_json(orjson.dumps(_unqualified(inputs)), strict=True)
        except ValidationError as error:
            raise InputError(self._mistakes(error)) from None
        return {name: getattr(found, name) for name in self.inputs}

    def call(self, values: Mapping[str, Any], handed_in: Mapping[Any, Any]) -> Any:
        """Run the function; ``handed_in`` gives what it may ask for, by type."""
        more = {name: handed_in[kind] for name, kind in self.hints.items() if kind in HANDED_IN}
        return self.function(**values, **more)

    @cached_property
    def description(self) -> Json:
        """The OGC process description, texts in both languages (OGC 18-062r2 §7.9)."""
        modes = ["sync-execute", "async-execute"] if self.declared.sync else ["async-execute"]
        described: Json = {
            "id": self.id,
            "version": "1.0.0",
            "title": asdict(self.texts.title),
            "description": asdict(self.texts.description),
            "keywords": list(self.declared.keywords),
            "jobControlOptions": modes,
            "outputTransmission": ["value"],
            "inputs": {name: self._input(name, parameter) for name, parameter in self.inputs.items()},
            "outputs": {RESULT: {**_titled(self.texts.returns), "schema": self.result_schema()}},
        }
        if self.declared.example is not None:
            described["example"] = {"inputs": self.declared.example}
        return described

    def result_schema(self) -> Json:
        """The schema of the result."""
        file = {"type": "string", "format": "binary"}
        if self.gives_file:
            return file
        described = schema_of(self.output, "serialization")
        return {"anyOf": [described, file]} if FileResult in get_args(self.hints["return"]) else described

    def input_schemas(self) -> dict[str, Json]:
        """The schema of each input."""
        return {name: described["schema"] for name, described in self.description["inputs"].items()}

    def required(self) -> list[str]:
        """Inputs that must be given."""
        return [name for name, p in self.inputs.items() if p.default is inspect.Parameter.empty]

    def _input(self, name: str, parameter: inspect.Parameter) -> Json:
        schema = schema_of(TypeAdapter(_as_sent(self.hints[name])))
        given = parameter.default is not inspect.Parameter.empty
        if given and parameter.default is not None:
            schema["default"] = parameter.default
        return {**_titled(self.texts.inputs[name]), "schema": schema, "minOccurs": 0 if given else 1, "maxOccurs": 1}

    def _mistakes(self, error: ValidationError) -> str:
        return "; ".join(self._mistake(dict(details)) for details in error.errors(include_url=False)[:5])

    def _mistake(self, details: dict[str, Any]) -> str:
        where = ".".join(str(part) for part in details["loc"])[:120]
        if details["type"] == "extra_forbidden" and len(details["loc"]) == 1:
            return f"input {where!r} is not known; this process takes {', '.join(self.inputs) or 'none'}"
        if details["type"] == "missing":
            return f"input {where!r} is missing"
        given = details["input"]
        shown = f", not {str(given)[:60]!r}" if isinstance(given, str | int | float) else ""
        return f"input {where!r}: {details['msg']}{shown}"


class FunctionProcessor(BaseProcessor):  # type: ignore[misc]
    """What pygeoapi describes a process by. It is executed by :class:`geoserver.process_manager.ProcessManager`."""

    def __init__(self, definition: Json) -> None:
        super().__init__(definition, PROCESSES[definition["process"]].description)


def read_docstring(function: Callable[..., Any], inputs: Iterable[str]) -> Texts:
    """The texts of a function. Raises :class:`ValueError` where one is missing or has one language only."""
    title, description, lines, *_ = [*(inspect.getdoc(function) or "").split("\n\n", 2), "", "", ""]
    texts = {name.strip(): text for name, _, text in (line.partition(":") for line in lines.splitlines())}

    def both(name: str, text: str) -> Text:
        zh, bar, en = " ".join(text.split()).partition(" | ")
        if not bar:
            raise ValueError(f"{function.__module__}.{function.__name__}: its docstring lacks '{name}: 中文 | English'")
        return Text(zh.strip(), en.strip())

    return Texts(
        both("title", title),
        both("description", description),
        both("returns", texts.get("returns", "")),
        {name: both(name, texts.get(name, "")) for name in inputs},
    )


def find_processes(modules: Iterable[ModuleType]) -> dict[str, Process]:
    """The marked functions of the modules, by process id."""
    marked = [
        Process(member)
        for module in modules
        for member in vars(module).values()
        if hasattr(member, "__process__") and member.__module__ == module.__name__
    ]
    for process in marked:
        _ = process.texts  # a docstring that lacks something is found at the start; types are described when asked for
        if process.gives_file and process.declared.sync:
            raise ValueError(f"process {process.id!r} gives a file, so it cannot run while the client waits")
    return {process.id: process for process in marked}


def _as_sent(hint: Any) -> Any:
    """The type of an input as a client sends it: the id in place of an uploaded file."""
    if hint is UploadedFile:
        return UUID
    if get_origin(hint) in (Union, types.UnionType):
        return Union[tuple(_as_sent(part) for part in get_args(hint))]  # noqa: UP007 - made of values
    if get_origin(hint) is tuple:
        return tuple[tuple(_as_sent(part) for part in get_args(hint))]  # type: ignore[misc] # made of values
    if get_origin(hint) is Annotated:
        first, *more = get_args(hint)
        return Annotated[(_as_sent(first), *more)]
    return hint


def _takes_files(hint: Any) -> bool:
    return hint is UploadedFile or any(_takes_files(part) for part in get_args(hint))


def _listed(ids: Any) -> list[UUID]:
    """The ids of one file or of several; none where no file is given."""
    return [one for one in (ids if isinstance(ids, tuple) else (ids,)) if isinstance(one, UUID)]


def _without_file(hint: Any) -> Any:
    """The type of a result that may also be a file, without the file."""
    if FileResult not in get_args(hint):
        return hint
    return Union[tuple(part for part in get_args(hint) if part is not FileResult)]  # noqa: UP007 - made of values


def _unqualified(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values. A value by reference would make this server fetch an address that the client chose."""
    plain = {}
    for name, value in inputs.items():
        if isinstance(value, dict) and "href" in value and value.keys() <= {"href", "rel", "type", "title", "hreflang"}:
            raise InputError(f"input {name[:80]!r} is given by reference (href); send the value, or upload a file")
        qualified = isinstance(value, dict) and "value" in value and value.keys() <= _QUALIFIED
        plain[name] = value["value"] if qualified else value
    return plain


def _titled(text: Text) -> Json:
    """The title is what stands before the first semicolon."""
    title = {"zh": text.zh.partition("；")[0], "en": text.en.partition("; ")[0]}
    return {"title": title, "description": asdict(text)}


#: Every process by its id.
PROCESSES: Mapping[str, Process] = find_processes(MODULES)
#: Those that edit, which a permission for ``*`` does not mean.
EDITING = frozenset(name for name, process in PROCESSES.items() if process.declared.edits)
