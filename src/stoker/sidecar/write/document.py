"""A compose file as it is read: its values, its lines, and its text to the letter."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from stoker.errors import ConfigError
from stoker.sidecar.detect.yaml import ONE_OF_THEM, TWICE, reason
from stoker.sidecar.tags import RESET, Tagged, tag_of

_BOM = "\ufeff"
_KEY = re.compile(r'found duplicate (?:merge )?key "(.*?)"(?= with value |\Z)', re.DOTALL)
Values = Mapping[str, Any]


def mapping(value: Any) -> Values:
    """Return a value that is a mapping; an empty one for any other."""
    return cast(Values, value) if isinstance(value, Mapping) else {}


class Document:
    """One YAML document, a mapping."""

    def __init__(self, path: str, original: str, text: str, values: Any) -> None:
        self.path = path
        self.text = text
        """Without a byte order mark, lines ended by ``\\n``."""
        self._original = original
        self._values = values

    def section(self, name: str) -> Values:
        """Return a section's entries; none if it is not there."""
        return mapping(self._values.get(name))

    def line(self, section: str, name: str) -> int:
        """Return the line of an entry, 1 for the first."""
        return self._values[section].lc.key(name)[0] + 1

    def plain(self) -> dict[str, Any]:
        """Return a copy of the mapping and its sections; what is below them is shared."""
        return {
            str(key): dict(mapping(value)) if isinstance(value, Mapping) else value
            for key, value in self._values.items()
        }

    def restored(self, text: str) -> str:
        """Return text with the line ends and the byte order mark that the file had."""
        text = text.replace("\n", "\r\n") if "\r\n" in self._original else text
        return _BOM + text if self._original.startswith(_BOM) else text


def read(path: str, text: str) -> Document:
    """Read a compose file. Raises ``ConfigError`` with the line of what is wrong."""
    plain = text.removeprefix(_BOM).replace("\r\n", "\n")
    round_trip: Any = YAML()  # knows no tags that make objects
    try:
        values = round_trip.load(plain)
    except MarkedYAMLError as error:
        raise _unreadable(path, error) from None
    except (YAMLError, ValueError, RecursionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"{path}: not YAML: {reason}", hint="repair it, or move it aside"
        ) from None
    if values is not None and not isinstance(values, Mapping):
        raise ConfigError(
            f"{path}, line 1: no compose file: it holds no mapping",
            hint="a compose file begins with services:",
        )
    return Document(path, text, plain, values if values is not None else {})


def _unreadable(path: str, error: Any) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = reason(error)
    if found := _KEY.match(problem):  # it goes on with both values, and one may be a password
        return ConfigError(f"{path}, line {line}: {TWICE.format(key=found[1])}", hint=ONE_OF_THEM)
    return ConfigError(
        f"{path}, line {line}: not YAML: {problem}",
        hint="docker compose config shows the same; repair it first",
    )


def fingerprint(value: Any) -> str:
    """Return what is equal for equal values. Shared ones are looked at once, whatever refers."""
    try:
        return _fingerprint(value, {})
    except RecursionError:
        raise ConfigError("a compose file is nested too deeply", hint="move it aside") from None


_CYCLE = "cycle"


def _fingerprint(value: Any, seen: dict[int, str]) -> str:
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, (str, int, float)):
        return f"{'text' if isinstance(value, str) else 'number'}:{value}"
    if id(value) not in seen:
        seen[id(value)] = _CYCLE
        seen[id(value)] = hashlib.sha256(repr(_parts(value, seen)).encode()).hexdigest()
    return seen[id(value)]


def _parts(value: Any, seen: dict[int, str]) -> list[str]:
    if tag := tag_of(value):
        inner = value.value if isinstance(value, Tagged) else value
        return [tag] if tag == RESET else [tag, *_untagged(inner, seen)]
    return _untagged(value, seen)


def _untagged(value: Any, seen: dict[int, str]) -> list[str]:
    if isinstance(value, Mapping):
        items = mapping(value).items()
        return ["map", *sorted(f"{key!r}={_fingerprint(item, seen)}" for key, item in items)]
    if isinstance(value, (list, tuple, set)):
        return ["list", *(_fingerprint(item, seen) for item in cast(Iterable[Any], value))]
    return [f"other:{value}"]
