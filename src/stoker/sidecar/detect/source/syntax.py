"""Calls, constructions and decorators in JavaScript, TypeScript, Go and Rust, by tree-sitter.

A parser and not patterns: what stands in a comment or in a string is no call, and what a broken
file still has of them is found.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

import tree_sitter_go
import tree_sitter_javascript
import tree_sitter_rust
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

_GRAMMARS = {
    "js": tree_sitter_javascript.language,
    "jsx": tree_sitter_javascript.language,
    "mjs": tree_sitter_javascript.language,
    "cjs": tree_sitter_javascript.language,
    "ts": tree_sitter_typescript.language_typescript,
    "mts": tree_sitter_typescript.language_typescript,
    "cts": tree_sitter_typescript.language_typescript,
    "tsx": tree_sitter_typescript.language_tsx,
    "go": tree_sitter_go.language,
    "rs": tree_sitter_rust.language,
}
LONGEST_NAME = 200
LONGEST_ARGUMENT = 2_000


class Call(NamedTuple):
    """Something that is called or constructed."""

    name: str
    """As it is written, without spaces: ``asynq.NewServer``, ``new Worker``, ``@Processor``."""
    arguments: tuple[str, ...]
    line: int
    start: int
    """Byte offset; with ``end``, what lies inside of what."""
    end: int

    @property
    def last(self) -> str:
        """Return the name without what it is called on."""
        return re.split(r"\.|::", self.name)[-1]

    @property
    def string(self) -> str:
        """Return the first argument, if it is a string that says everything itself."""
        found = (
            re.fullmatch(r"""["'`]([^"'`$]*)["'`]""", self.arguments[0]) if self.arguments else None
        )
        return found[1] if found else ""


@functools.cache
def _parser(suffix: str) -> Parser:
    return Parser(Language(_GRAMMARS[suffix]()))


def calls(text: str, suffix: str) -> list[Call]:
    """Return the calls of a file, in their order."""
    if suffix not in _GRAMMARS:
        return []
    data = text.encode("utf-8", "replace")
    return list(_calls(_parser(suffix).parse(data).root_node, data))


def _calls(root: Node, data: bytes) -> Iterator[Call]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting.extend(reversed(node.children))
        if node.type in ("call_expression", "new_expression"):
            yield _call(node, data)
        elif node.type == "decorator" and node.named_children:
            inner = node.named_children[0]
            if inner.type == "call_expression":
                made = _call(inner, data)
                yield made._replace(name=f"@{made.name}")


def _call(node: Node, data: bytes) -> Call:
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    name = ""
    if function is not None:
        if function.type == "generic_function":
            function = function.child_by_field_name("function") or function
        start = max(function.start_byte, function.end_byte - LONGEST_NAME)
        name = re.sub(rb"\s+", b"", data[start : function.end_byte]).decode("utf-8", "replace")
    if node.type == "new_expression":
        name = f"new {name}"
    arguments = node.child_by_field_name("arguments")
    listed = arguments.named_children if arguments is not None else []
    return Call(
        name=name,
        arguments=tuple(
            data[each.start_byte : min(each.end_byte, each.start_byte + LONGEST_ARGUMENT)].decode(
                "utf-8", "replace"
            )
            for each in listed
            if each.type != "comment"
        ),
        line=node.start_point[0] + 1,
        start=node.start_byte,
        end=node.end_byte,
    )
