"""Whether a script does anything when it is run, or only declares what others may call."""

from __future__ import annotations

import re

from tree_sitter import Node

from stoker.sidecar.detect.source.syntax import statements

_DECLARES = frozenset({
    "ambient_declaration", "class_declaration", "comment", "empty_statement", "enum_declaration",
    "function_declaration", "generator_function_declaration", "hash_bang_line",
    "interface_declaration", "internal_module", "type_alias_declaration",
    "abstract_class_declaration",
})  # fmt: skip
_VARIABLES = frozenset({"lexical_declaration", "variable_declaration"})
_SETS_UP = re.compile(r"""(?:\w+\.)?config\(|require\(\s*["'](?:dotenv|module-alias)\b""")
"""What is called before anything else, and starts nothing."""
_LOADS = re.compile(r"(?:require|import)\(")
_ARROW = r"(?:async\s*)?(?:\w+|\([^()]*\)[^=()\n]*)=>"
_WHOLE = re.compile(
    r"^(?:export\s+default|module\.exports\s*=)\s*"
    rf"(?:(?P<name>\w+)\s*;?\s*$|(?:async\s+)?function\s*(?P<own>\w*)|{_ARROW})",
    re.MULTILINE,
)
"""What a file is as a whole, for whoever loads it: a function, or something by its name."""


def acts(text: str, suffix: str) -> bool:
    """Tell if a script has a statement at its top that does something.

    An import for its effects is one, and so is a call that is not made for what it returns. Of
    the values of constants, only what is constructed counts, and what a function by itself makes.
    """
    return any(map(_acts, statements(text, suffix)))


def is_function(text: str) -> bool:
    """Tell if all that a script is for is a function, which it does not call itself.

    So is the processor that BullMQ or Bull loads by its file's name, in a process of its own.
    """
    whole = _WHOLE.search(text)
    if whole is None:
        return False
    name = whole["name"] or whole["own"]
    if not name:
        return True
    declared = rf"\bfunction {name}\(|\bdefault\s*:\s*{name}\b|\b{name}\b[^=;\n]*=\s*{_ARROW}"
    called = rf"(?<!function )\b{name}\("
    return re.search(declared, text) is not None and re.search(called, text) is None


def _acts(node: Node) -> bool:
    if node.type in _DECLARES:
        return False
    if node.type == "import_statement":
        return all(each.type != "import_clause" for each in node.named_children)
    if node.type == "export_statement":
        inner, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
        return _acts(inner) if inner is not None else value is not None and _makes(value)
    if node.type in _VARIABLES:
        values = (each.child_by_field_name("value") for each in node.named_children)
        return any(_makes(value) for value in values if value is not None)
    if node.type == "expression_statement":
        return _does(node.named_children[0])
    return True


def _does(node: Node) -> bool:
    if node.type == "string":  # "use strict"
        return False
    if node.type == "assignment_expression":
        value = node.child_by_field_name("right")
        return value is not None and _makes(value)
    return node.type != "call_expression" or _SETS_UP.match(_text(node)) is None


def _makes(node: Node) -> bool:
    if node.type in ("new_expression", "await_expression"):
        return True
    called = node.child_by_field_name("function") if node.type == "call_expression" else None
    return called is not None and called.type != "member_expression" and not _LOADS.match(
        _text(node)
    )  # fmt: skip


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")
