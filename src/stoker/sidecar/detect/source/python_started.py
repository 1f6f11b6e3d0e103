"""Python: the commands that a file has run, as ``subprocess.run`` and its like are given them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from stoker.sidecar.detect.grammar import Launch, recognise
from stoker.sidecar.detect.shell import UNKNOWN, Step, known, steps
from stoker.sidecar.detect.source.python_parsing import Module, full_name
from stoker.sidecar.detect.unwrapping import unwrap

_STARTS = re.compile(
    r"subprocess\.(run|call|Popen|check_call|check_output)|"
    r"os\.(exec[lv]p?e?|system|popen|spawn[lv]p?e?)|"
    r"asyncio\.(?:subprocess\.)?create_subprocess_(?:exec|shell)"
)
_AFTER_A_FILE = re.compile(r"os\.(?:exec|spawn)")
"""These are given a program's file, and then its words with its name once more."""
_SPLITS = re.compile(r"shlex\.split|.*\.split")
_DEEPEST = 6


def commands(module: Module) -> Iterator[tuple[ast.Call, Launch]]:
    """Yield where a file has a worker's command run, and the command."""
    for full, call in module.calls:
        if not _STARTS.fullmatch(full):
            continue
        for step in (inner for each in _steps(module, full, call) for inner in unwrap(each)):
            launch = recognise(step.words, step.environment)
            if launch is not None:
                yield call, launch


def _steps(module: Module, full: str, call: ast.Call) -> Sequence[Step]:
    given = [_text(module, each) for each in call.args]
    listed = next((each for each in given if isinstance(each, list)), None)
    texts = [each for each in given if isinstance(each, str)]
    if listed is None and len(texts) > 1:
        listed = [each for each in texts if each != UNKNOWN or not _AFTER_A_FILE.match(full)]
        listed = listed[1:] if _AFTER_A_FILE.match(full) else listed
    if listed is not None:
        return [Step(known(listed))] if listed else []
    return steps(texts[0]) if texts else []


def _text(module: Module, node: ast.expr, depth: int = 0) -> str | list[str]:
    """Return the text or the words that a node makes; ``UNKNOWN`` is what only a run tells."""
    if depth > _DEEPEST:
        return UNKNOWN
    node = _held(module, node)
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.List() | ast.Tuple():
            every = (_text(module, each, depth + 1) for each in node.elts)
            return [each if isinstance(each, str) else UNKNOWN for each in every]
        case ast.JoinedStr():
            return "".join(_one(module, each, depth + 1) for each in node.values)
        case ast.FormattedValue():
            return _one(module, node.value, depth + 1)
        case ast.IfExp():
            return _text(module, node.body, depth + 1)
        case ast.BinOp(op=ast.Add()):
            left, right = _text(module, node.left, depth + 1), _text(module, node.right, depth + 1)
            if isinstance(left, list):
                return [*left, *(right if isinstance(right, list) else ())]
            return left + (right if isinstance(right, str) else UNKNOWN)
        case ast.Call() if _SPLITS.fullmatch(full_name(module, node.func)):
            own = node.func.value if isinstance(node.func, ast.Attribute) else node.func
            is_own = full_name(module, node.func) != "shlex.split" or not node.args
            first = own if is_own else node.args[0]
            text = _text(module, first, depth + 1)
            return text if isinstance(text, list) else text.split()
        case ast.Attribute() if full_name(module, node) == "sys.executable":
            return "python"
        case _:
            return UNKNOWN


def _one(module: Module, node: ast.expr, depth: int) -> str:
    text = _text(module, node, depth)
    return text if isinstance(text, str) else UNKNOWN


def _held(module: Module, argument: ast.expr) -> ast.expr:
    """Return what a name of a command was given, where the file says so once."""
    if not isinstance(argument, ast.Name):
        return argument
    given = [
        node.value
        for node in module.nodes
        if isinstance(node, ast.Assign)
        and any(isinstance(each, ast.Name) and each.id == argument.id for each in node.targets)
    ]
    return given[0] if len(given) == 1 else argument
