"""YAML as plain values with the line of each key. No tag is obeyed, no object is made."""

from __future__ import annotations

from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

from stoker.sidecar.project import Project

LARGEST = 262_144
DEEPEST = 30


class Table(dict[str, Any]):
    """A mapping, and the line of each of its keys."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}

    def table(self, key: str) -> Table:
        """Return the mapping of a key, an empty one if it is something else."""
        value = self.get(key)
        return value if isinstance(value, Table) else Table()


class _Untyped(VersionedResolver):
    """Looks for no types: every value stays as it is written."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        return self.DEFAULT_SCALAR_TAG


def load(project: Project, path: str) -> Table:
    """Return the mapping that a file holds; what is wrong with it becomes a note."""
    return next(iter(documents(project, path)), Table())


def documents(project: Project, path: str) -> list[Table]:
    """Return the mappings of a file with several documents, such as a manifest's."""
    text = project.text(path)
    if len(text) > LARGEST:
        project.note(path, "too large for a file written by hand", "nothing was read from it")
        return []
    reader: Any = YAML(typ="safe", pure=True)
    reader.Resolver = _Untyped
    try:
        nodes = list(reader.compose_all(text))
    except MarkedYAMLError as marked:
        error: Any = marked
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 0
        project.note(
            path, f"not readable as YAML: {error.problem or error.context}", "correct it", line
        )
        return []
    except (YAMLError, RecursionError, ValueError) as broken:
        problem = str(broken).splitlines()[0] if str(broken) else type(broken).__name__
        project.note(path, f"not readable as YAML: {problem}", "correct it")
        return []
    values = [_value(node, {}, 0) for node in nodes]
    return [value for value in values if isinstance(value, Table)]


def _value(node: Any, seen: dict[int, Any], depth: int) -> Any:
    if id(node) in seen:
        return seen[id(node)]
    if isinstance(node, ScalarNode):
        scalar = cast(Any, node)
        return scalar.value or (scalar.value if scalar.style else None)  # nothing, or an empty text
    if depth > DEEPEST:
        return None
    if isinstance(node, SequenceNode):
        items: list[Any] = []
        seen[id(node)] = items
        items.extend(_value(child, seen, depth + 1) for child in cast(Any, node).value)
        return items
    if isinstance(node, MappingNode):
        return _table(node, seen, depth)
    return None


def _table(node: Any, seen: dict[int, Any], depth: int) -> Table:
    made = Table()
    seen[id(node)] = made
    for key, child in node.value:
        name, line = getattr(key, "value", None), int(key.start_mark.line) + 1
        value = _value(child, seen, depth + 1)
        if name == "<<":
            bases = cast(list[Any], value) if isinstance(value, list) else [value]
            for base in bases:
                if isinstance(base, Table) and base is not made:
                    for inherited in base:
                        if inherited not in made:
                            made[inherited] = base[inherited]
                            made.lines[inherited] = base.lines.get(inherited, line)
        elif isinstance(name, str):
            made[name] = value
            made.lines[name] = line
    return made
