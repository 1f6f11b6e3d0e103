"""Calls, constructions and decorators in JavaScript, TypeScript, Go and Rust, by tree-sitter.

A parser and not patterns: what stands in a comment or in a string is no call, and what a broken
file still has of them is found.
"""

from __future__ import annotations

import functools
import importlib
import re
from functools import cached_property

from tree_sitter import Language, Node, Parser, Query, QueryCursor

_GRAMMARS = {
    **dict.fromkeys(("js", "jsx", "mjs", "cjs"), ("tree_sitter_javascript", "language")),
    **dict.fromkeys(("ts", "mts", "cts"), ("tree_sitter_typescript", "language_typescript")),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "go": ("tree_sitter_go", "language"),
    "rs": ("tree_sitter_rust", "language"),
}
"""By the suffix: the module, which is imported for the first file of its language, and its name."""
LONGEST_NAME = 200
LONGEST_ARGUMENT = 2_000


class Call:
    """Something that is called or constructed."""

    def __init__(self, name: str, node: Node, data: bytes) -> None:
        self.name = name
        """As it is written, without spaces: ``asynq.NewServer``, ``new Worker``, ``@Processor``."""
        self._node, self._data = node, data

    @property
    def line(self) -> int:
        """Return the line that it begins in."""
        return self._node.start_point[0] + 1

    @property
    def decorates(self) -> bool:
        """Tell if it is what a decorator calls; that is found once more, by its name with ``@``."""
        return self._node.parent is not None and self._node.parent.type == "decorator"

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """Return its arguments as they are written; most calls are never asked for them."""
        given = self._node.child_by_field_name("arguments")
        return tuple(
            _written(
                self._data, each.start_byte, min(each.end_byte, each.start_byte + LONGEST_ARGUMENT)
            )
            for each in (given.named_children if given is not None else ())
            if each.type != "comment"
        )

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

    @cached_property
    def within(self) -> str:
        """Return what is declared at the top of a script that has it inside: a function, a class.

        Empty for what is called as soon as the script is loaded.
        """
        node, deferred = self._node, False
        above = node.parent
        while above is not None and above.parent is not None:
            deferred = deferred or node.type in _DEFERS
            node, above = above, above.parent
        declared = node.child_by_field_name("declaration") or node
        if declared.type in _DECLARES:
            return self._named(declared)
        if not deferred or declared.type not in ("lexical_declaration", "variable_declaration"):
            return ""
        for each in declared.named_children:
            value = each.child_by_field_name("value")
            if value is not None and value.start_byte <= self._node.start_byte < value.end_byte:
                return self._named(each) if value.type in (*_DEFERS, "object") else ""
        return ""

    def _named(self, node: Node) -> str:
        name = node.child_by_field_name("name")
        return _written(self._data, name.start_byte, name.end_byte) if name is not None else ""


_DEFERS = frozenset({
    "arrow_function", "function_expression", "generator_function", "method_definition",
})  # fmt: skip
"""What is in one of these is not done where it is written, but by who calls it."""
_DECLARES = frozenset({
    "function_declaration", "generator_function_declaration", "class_declaration",
    "abstract_class_declaration",
})  # fmt: skip
_CALLS = {
    "go": "(call_expression) @call",
    "rs": "(call_expression) @call",
}
_SCRIPT_CALLS = "[(call_expression) (new_expression) (decorator (call_expression))] @call"
"""Of JavaScript and TypeScript."""


@functools.cache
def _grammar(suffix: str) -> tuple[Parser, Query]:
    module, name = _GRAMMARS[suffix]
    grammar: object = getattr(importlib.import_module(module), name)()
    language = Language(grammar)
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
    return [_call(node, data) for node in found]


def statements(text: str, suffix: str) -> list[Node]:
    """Return what stands at the top of a script."""
    if suffix not in _GRAMMARS:
        return []
    parser, _ = _grammar(suffix)
    return parser.parse(text.encode("utf-8", "replace")).root_node.named_children


def _call(node: Node, data: bytes) -> Call:
    if node.type == "decorator":
        called = node.named_children[0]
        return Call(f"@{_name(called, data)}", called, data)
    return Call(_name(node, data), node, data)


def _name(node: Node, data: bytes) -> str:
    function = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    name = ""
    if function is not None:
        if function.type == "generic_function":
            function = function.child_by_field_name("function") or function
        start = max(function.start_byte, function.end_byte - LONGEST_NAME)
        name = "".join(_written(data, start, function.end_byte).split())
    return f"new {name}" if node.type == "new_expression" else name


def _written(data: bytes, start: int, end: int) -> str:
    return data[start:end].decode("utf-8", "replace")
