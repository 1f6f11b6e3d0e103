"""Values → YAML. Whatever a string holds, every parser, of YAML 1.1 or 1.2, reads the same back."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString
from ruamel.yaml.tag import Tag

from stoker.sidecar.tags import RESET, Tagged, tag_of

INDENT = 2
_NEVER_WRAPPED = 1_000_000

_PLAIN = re.compile(
    r"(?:-{0,2}[A-Za-z/]|\./|\.[A-Za-z])[A-Za-z0-9_./-]*(?:[:=/@+][A-Za-z0-9_./-]+)*\Z"
    r"|[0-9]+(?:s|m|M|G|Mi|Gi)\Z|\.(?::/[A-Za-z0-9_./-]+)?\Z"
)
_RESERVED = re.compile(r"(?:y|n|yes|no|on|off|true|false|null|[-+]?\.(?:inf|nan))\Z", re.IGNORECASE)
"""What YAML 1.1 or 1.2 would take for a truth value, a number or nothing."""


class Words(list[str]):
    """The words of a command: they stay on one line."""


class Commented(dict[str, Any]):
    """A mapping with a comment above some of its keys."""

    def __init__(self, values: Mapping[str, Any], comments: Mapping[str, str]) -> None:
        super().__init__(values)
        self.comments = comments


def dump(*documents: Mapping[str, Any], start: str = "") -> str:
    """Return ``documents`` as YAML, below the comment ``start``."""
    yaml: Any = YAML()
    yaml.indent(mapping=INDENT, sequence=INDENT + 2, offset=INDENT)
    yaml.width = _NEVER_WRAPPED
    yaml.allow_unicode = False  # what looks like one letter and is another shows
    parts: list[str] = []
    for document in documents:
        out = io.StringIO()
        yaml.dump(_node(document, 0), out)
        parts.append(out.getvalue())
    head = "".join(f"# {line}\n" if line else "#\n" for line in start.splitlines())
    return head + "---\n".join(parts)


def _node(value: Any, depth: int) -> Any:
    if tag := tag_of(value):
        return _tagged(tag, value.value if isinstance(value, Tagged) else value, depth)
    return _untagged(value, depth)


def _untagged(value: Any, depth: int) -> Any:
    match value:
        case str():
            return value if _is_plain(value) else _quoted(value)
        case Mapping():
            return _mapping(cast(Mapping[str, Any], value), depth)
        case Sequence():
            return _sequence(cast(Sequence[Any], value), depth)
        case _:
            return value


def _tagged(tag: str, value: Any, depth: int) -> Any:
    if tag == RESET:
        return TaggedScalar(value="null", style=None, tag=Tag(suffix=tag))
    made = _untagged(value, depth)
    made.yaml_set_ctag(Tag(suffix=tag))
    return made


def _mapping(values: Mapping[str, Any], depth: int) -> Any:
    made: Any = CommentedMap()
    comments: Mapping[str, str] = values.comments if isinstance(values, Commented) else {}
    for key, value in values.items():
        made[_node(key, depth)] = _node(value, depth + 1)
        if comment := comments.get(key):
            made.yaml_set_comment_before_after_key(
                key, before=one_line(comment), indent=depth * INDENT
            )
    return made


def _sequence(values: Sequence[Any], depth: int) -> Any:
    made: Any = CommentedSeq([_node(value, depth + 1) for value in values])
    if isinstance(values, Words) or _is_on_one_line(values):
        made.fa.set_flow_style()
    return made


def _is_on_one_line(values: Any) -> bool:
    return isinstance(values, CommentedSeq) and bool(cast(Any, values).fa.flow_style())


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.match(text)) and not _RESERVED.match(text)


def _quoted(text: str) -> str:
    """In single quotes nothing has a meaning but they themselves; breaks need double ones."""
    simple = text.isascii() and text.isprintable()
    return SingleQuotedScalarString(text) if simple else DoubleQuotedScalarString(text)


def one_line(text: str) -> str:
    """Return text that stays in one comment, whatever it holds."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
