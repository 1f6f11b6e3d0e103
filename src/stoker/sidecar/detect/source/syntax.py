"""Calls, constructions and decorators in JavaScript, TypeScript, Go and Rust, by tree-sitter.

A parser and not patterns: what stands in a comment or in a string is no call, and what a broken
file still has of them is found.
"""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

import tree_sitter_go
import tree_sitter_javascript
import tree_sitter_rust
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

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


_CALLS = {
    "go": "(call_expression) @call",
    "rs": "(call_expression) @call",
}
_SCRIPT_CALLS = "[(call_expression) (new_expression) (decorator (call_expression))] @call"
"""Of JavaScript and TypeScript."""


@functools.cache
def _grammar(suffix: str) -> tuple[Parser, Query]:
    language = Language(_GRAMMARS[suffix]())
    return Parser(language), Query(language, _CALLS.get(suffix, _SCRIPT_CALLS))


def calls(text: str, suffix: str) -> list[Call]:
    """Return the calls of a file, in their order: an outer one before those inside of it."""
    if suffix not in _GRAMMARS:
        return []
    data = text.encode("utf-8", "replace")
    parser, query = _grammar(suffix)
    # Searched by a query and not node by node: most nodes of a file never become objects.
    found = QueryCursor(query).captures(parser.parse(data).root_node).get("call", [])
    found.sort(key=lambda node: (node.start_byte, -node.end_byte))
    return [_decorator(node, data) if node.type == "decorator" else _call(node, data)
            for node in found]  # fmt: skip


def _decorator(node: Node, data: bytes) -> Call:
    made = _call(node.named_children[0], data)
    return made._replace(name=f"@{made.name}")


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
