"""YAML as plain values with the line of each key. No tag is obeyed, no object is made.

Every value is a text, as it is written, but for what is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

from stoker.sidecar.project import Project
from stoker.sidecar.tags import OVERRIDE, RESET

LARGEST = 262_144
DEEPEST = 30
TWICE = 'the key "{key}" is there twice'
ONE_OF_THEM = "keep one of the two: Compose refuses the file"


_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
"""What is no text, unless it is in quotes."""
_NAMED = re.compile(r"(undefined (?:alias|tag handle)) .*", re.DOTALL)


class Table(dict[str, Any]):
    """A mapping, and the line of each of its keys."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}
        self.replaced: set[str] = set()
        """Keys of which nothing holds that another file says beneath, by a tag of Compose's."""

    def table(self, key: str) -> Table:
        """Return the mapping of a key, an empty one if it is something else."""
        value = self.get(key)
        return value if isinstance(value, Table) else Table()


class _Untyped(VersionedResolver):
    """Looks for no types."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        return self.DEFAULT_SCALAR_TAG


def load(project: Project, path: str) -> Table:
    """Return the mapping that a file holds; what is wrong with it becomes a note."""
    return next(iter(documents(project, path)), Table())


def documents(project: Project, path: str) -> list[Table]:
    """Return the mappings of a file with several documents, such as a manifest's.

    Whoever asks for them again gets the same ones: they are only looked at.
    """
    return project.once(path, _documents)


def _documents(project: Project, path: str) -> list[Table]:
    text = project.text(path)
    if len(text) > LARGEST:
        project.note(path, "too large for a file written by hand", "nothing was read from it")
        return []
    try:
        values, twice = _read(text)
    except MarkedYAMLError as error:
        mark = cast(Any, error).problem_mark
        line = mark.line + 1 if mark is not None else 0
        project.note(path, f"not readable as YAML: {reason(error)}", "correct it", line)
        return []
    except (YAMLError, RecursionError, ValueError) as broken:
        problem = str(broken).splitlines()[0] if str(broken) else type(broken).__name__
        project.note(path, f"not readable as YAML: {problem}", "correct it")
        return []
    for key, line in twice:
        project.note(path, TWICE.format(key=key), ONE_OF_THEM, line)
    return [value for value in values if isinstance(value, Table)]


def table(text: str) -> Table:
    """Return the mapping that a text holds; an empty one where it is no YAML, or too large."""
    try:
        values, _ = _read(text) if len(text) <= LARGEST else ([], [])
    except (YAMLError, RecursionError, ValueError):
        return Table()
    return next((value for value in values if isinstance(value, Table)), Table())


def _read(text: str) -> tuple[list[Any], list[tuple[str, int]]]:
    """Return the values of a text, and the keys that a mapping has a second time."""
    reader: Any = YAML(typ="safe", pure=True)
    reader.Resolver = _Untyped
    reading = _Reading()
    values = [reading.value(node, 0) for node in reader.compose_all(text)]
    return values, reading.twice


def reason(error: Any) -> str:
    """Return what is wrong, without a value of the file's: a password may look like an alias."""
    return _NAMED.sub(r"\1", str(error.problem or error.context))


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Return a copy of a value with each of its texts changed, but for the keys."""
    return _changed(value, change, {})


def _changed(value: Any, change: Callable[[str], str], seen: dict[int, Any]) -> Any:
    if isinstance(value, str):
        return change(value)
    if id(value) in seen:  # it may hold itself
        return seen[id(value)]
    if isinstance(value, list):
        items = seen[id(cast(Any, value))] = list[Any]()
        items.extend(_changed(each, change, seen) for each in cast(list[Any], value))
        return items
    if isinstance(value, Table):
        made = seen[id(value)] = Table()
        made.lines, made.replaced = value.lines, value.replaced
        made.update((key, _changed(each, change, seen)) for key, each in value.items())
        return made
    return value


class _Reading:
    """The values of nodes, each made once, and the keys that a mapping has a second time."""

    def __init__(self) -> None:
        self.twice: list[tuple[str, int]] = []
        self._seen: dict[int, Any] = {}

    def value(self, node: Any, depth: int) -> Any:
        if id(node) in self._seen:
            return self._seen[id(node)]
        if isinstance(node, ScalarNode):
            scalar = cast(Any, node)
            return None if not scalar.style and scalar.value in _NOTHING else scalar.value
        if depth > DEEPEST:
            return None
        if isinstance(node, SequenceNode):
            items: list[Any] = []
            self._seen[id(node)] = items
            items.extend(self.value(child, depth + 1) for child in cast(Any, node).value)
            return items
        if isinstance(node, MappingNode):
            return self._table(node, depth)
        return None

    def _table(self, node: Any, depth: int) -> Table:
        made = Table()
        self._seen[id(node)] = made
        own: set[str] = set()
        for key, child in node.value:
            name, line = getattr(key, "value", None), int(key.start_mark.line) + 1
            value = self.value(child, depth + 1)
            if isinstance(name, str):
                if name in own:
                    self.twice.append((name, line))
                own.add(name)
                if child.tag in (RESET, OVERRIDE):
                    made.replaced.add(name)
                if child.tag == RESET:  # and nothing stands in its place
                    continue
            if name == "<<":
                _inherit(made, value, line)
            elif isinstance(name, str):
                made[name] = value
                made.lines[name] = line
        return made


def _inherit(made: Table, value: Any, line: int) -> None:
    for base in cast(list[Any], value) if isinstance(value, list) else [value]:
        if isinstance(base, Table) and base is not made:
            for inherited in base:
                if inherited not in made:
                    made[inherited] = base[inherited]
                    made.lines[inherited] = base.lines.get(inherited, line)
