"""A node of Python's syntax as source again, to search it for words."""

from __future__ import annotations

import ast


def as_source(node: ast.AST) -> str:
    """Return a node as source; nothing if this Python cannot write what a newer one can read.

    Up to 3.11 braces of an f-string hold no backslash, and a character that is not printed, such as
    a space that does not break, would be written with one. Nor is what is nested too deep.
    """
    try:
        return ast.unparse(node)
    except (ValueError, RecursionError):
        return ""
