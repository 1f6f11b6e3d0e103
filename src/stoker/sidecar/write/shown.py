"""A person's file as it is shown: line for line, without the secrets in it.

A line that sets a variable tells that by itself. The words of a list and a text of several lines
do not: where they are is YAML's to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from stoker.sidecar.secrets import MASK, is_secret, masked, masked_value, masked_words
from stoker.sidecar.secrets.compose import without_secrets
from stoker.sidecar.secrets.shapes import shapes
from stoker.sidecar.values import OURS

_LONGEST = 4_096
"""Characters of a line: no person wrote a longer one."""
_OURS = re.compile(rf":({'|'.join(OURS)})(?=@)")
_ONLY_NAMES = "secrets"
"""Compose's list of them has what they are called."""
_BLOCK = ("|", ">")
_KNOWN = (*OURS, *(start + end for start in _BLOCK for end in ("", "-", "+")))
"""What is nobody's secret behind a name: a word of ours, or that the text is below."""
_Hidden = tuple[int, int, str]
"""Where something is, and what is shown for it."""


def shown_lines(path: str, text: str) -> list[str]:
    """Return the lines of a file, each with its end, without the secrets in them."""
    if path.endswith((".yaml", ".yml")):
        text = _without(text, _of_yaml(text))
    found = ((start, end, _unreadable(text[start:end])) for start, end in shapes(text))
    text = _without(text, [each for each in found if _is_several(each[2])])  # a key, say
    return list(map(_line, text.splitlines(keepends=True)))


def _without(text: str, hidden: Iterable[_Hidden]) -> str:
    for start, end, shown in sorted(hidden, reverse=True):
        text = text[:start] + shown + text[end:]
    return text


def _line(line: str) -> str:
    [body] = line.splitlines()
    shown = MASK if len(body) > _LONGEST else masked(body, known=_KNOWN)
    return shown + line[len(body) :]


def _unreadable(text: str) -> str:
    """Return as many lines, and nothing of what is in them."""
    return "".join(map(_indent_only, text.splitlines(keepends=True)))


def _indent_only(line: str) -> str:
    [body] = line.splitlines()
    rest = body.lstrip()
    return body.removesuffix(rest) + (MASK if rest else "") + line[len(body) :]


def _is_several(text: str) -> bool:
    return len(text.splitlines()) > 1


def _of_yaml(text: str) -> list[_Hidden]:
    reader: Any = YAML(typ="safe", pure=True)
    try:
        nodes = list(reader.compose_all(text))
        found = [each for node in nodes for each in _of_node(text, node, "", set())]
    except (YAMLError, ValueError, RecursionError):
        return []  # nothing is put into such a file
    # Two names may lead to one value.
    return list({each[0]: each for each in found}.values())


def _of_node(text: str, node: Any, name: str, seen: set[tuple[int, str]]) -> Iterator[_Hidden]:
    """Yield the secrets of a value that is called so."""
    if (id(node), name) in seen:
        return
    seen.add((id(node), name))
    if isinstance(node, ScalarNode):
        yield from _of_scalar(text, node, _shown(name, cast(Any, node).value))
    elif isinstance(node, MappingNode):
        for key, value in cast(Any, node).value:
            yield from _of_node(text, value, str(getattr(key, "value", "")), seen)
    elif isinstance(node, SequenceNode):
        children: list[Any] = cast(Any, node).value
        words = list(map(_word, children))
        for each, word, shown in zip(children, words, masked_words(words), strict=True):
            if shown != word and not _is_ours("", word):
                yield from _of_scalar(text, each, shown)
            else:
                yield from _of_node(text, each, "" if name == _ONLY_NAMES else name, seen)


def _word(node: Any) -> str:
    """Return what a value of a list is as a word; nothing if it is no text."""
    return str(cast(Any, node).value) if isinstance(node, ScalarNode) else ""


def _of_scalar(text: str, node: Any, shown: str) -> Iterator[_Hidden]:
    if shown == node.value:
        return
    start, end = node.start_mark.index, node.end_mark.index
    written = text[start:end]
    if node.value in written and not _is_several(written):
        yield start, end, written.replace(node.value, shown)
    elif written.startswith(_BLOCK):
        head, _, rest = written.partition("\n")
        yield start + len(head) + 1, end, _unreadable(rest)
    else:
        yield start, end, _unreadable(written)


def _shown(name: str, value: str) -> str:
    if _is_ours(name, value) or without_secrets(name, value) == value:
        return value
    return masked_value(name, value)


def _is_ours(name: str, value: str) -> bool:
    """Tell if what is secret in a value is only a word that stands for a password."""
    rest = _OURS.sub("", value)
    return value in OURS or (rest != value and not is_secret(name, rest))
