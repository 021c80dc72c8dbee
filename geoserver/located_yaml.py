"""YAML read within bounds, with the place of every key and value."""

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_VALUES = 20_000

Path = tuple[str | int, ...]
_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_OMITTED = object()  # a value that a mistake has been named for already


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column in the file, counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """A file's values as plain dicts, lists and scalars; where each stands; what is wrong with the text itself."""

    values: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    key_places: dict[Path, Place] = field(default_factory=dict)
    mistakes: list[tuple[Place, Path, str]] = field(default_factory=list)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the value (or its key) at ``path`` stands, or the nearest group around it."""
        if key and path in self.key_places:
            return self.key_places[path]
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1))


class _TooLarge(Exception):
    """The document expands beyond the bounds."""


def read_yaml(text: str) -> Document:
    """Reads one YAML document; every mistake of its text is listed in the result, none is raised."""
    document = Document()
    if len(text.encode(errors="replace")) > MAX_BYTES:
        document.mistakes.append((Place(1, 1), (), f"the file is larger than {MAX_BYTES // 1024} KiB"))
        return document
    parser = YAML(typ="safe", pure=True)
    try:
        root = parser.compose(text)
        if root is not None:
            values = _Reader(parser, document).value(root, ())
            document.values = None if values is _OMITTED else values
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        document.mistakes.append((place, (), f"is not YAML: {error.problem or error.context}"))
    except (YAMLError, ValueError) as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        document.mistakes.append((Place(line, 1), (), f"is not YAML: {str(error).splitlines()[0]}"))
    except RecursionError:
        document.mistakes.append((Place(1, 1), (), f"is nested deeper than {MAX_DEPTH} levels"))
    except _TooLarge as error:
        document.mistakes.append((Place(1, 1), (), str(error)))
    return document


class _Reader:
    def __init__(self, parser: YAML, document: Document) -> None:
        self._constructor = parser.constructor
        self._document = document
        self._count = 0

    def value(self, node: Node, path: Path) -> Any:
        # Aliases are shared nodes: walking them anew counts them each time, so a "billion laughs" ends here.
        self._count += 1
        if self._count > MAX_VALUES:
            raise _TooLarge(f"has more than {MAX_VALUES} values, counting every alias")
        if len(path) > MAX_DEPTH:
            raise _TooLarge(f"is nested deeper than {MAX_DEPTH} levels")
        self._document.places[path] = _place(node)
        if node.tag == "tag:yaml.org,2002:timestamp":
            return node.value  # no key is a date: the text as written says more
        if node.tag not in _PLAIN:
            self._mistake(node, path, f"has the tag {str(node.tag)!r}; write a plain value")
            return _OMITTED
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            items = [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
            return [item for item in items if item is not _OMITTED]
        return self._constructor.construct_object(node, deep=True)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            if key is None or key_node.tag == "tag:yaml.org,2002:merge":
                self._mistake(key_node, path, "a key must be a plain word")
                continue
            child = (*path, key)
            if key in values:
                first = self._document.key_places[child]
                self._mistake(key_node, child, f"is given twice, first in line {first.line}")
                continue
            self._document.key_places[child] = _place(key_node)
            value = self.value(value_node, child)
            if value is None:  # an empty value's own mark is the next line's
                self._document.places[child] = _place(key_node)
            if value is not _OMITTED:
                values[key] = value
        return values

    def _mistake(self, node: Node, path: Path, text: str) -> None:
        self._document.mistakes.append((_place(node), path, text))


def _place(node: Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
