"""Python: the commands that a file has run, as ``subprocess.run`` and its like are given them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

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
_MOST = 200
"""Words of a command: more than anybody writes."""
_LONGEST = 4_096


def commands(module: Module) -> Iterator[tuple[ast.Call, Launch]]:
    """Yield where a file has a worker's command run, and the command."""
    reader = _Reader(module)
    for full, call in module.calls:
        if not _STARTS.fullmatch(full):
            continue
        for step in (inner for each in reader.steps(full, call) for inner in unwrap(each)):
            launch = recognise(step.words, step.environment)
            if launch is not None:
                yield call, launch


class _Reader:
    """Reads the texts and the words that a file makes; what has a name, once."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._known: dict[str, str | list[str]] = {}

    def steps(self, full: str, call: ast.Call) -> Sequence[Step]:
        """Return what a call is given to run."""
        given = [self._text(each) for each in call.args[:_MOST]]
        listed = next((each for each in given if isinstance(each, list)), None)
        texts = [each for each in given if isinstance(each, str)]
        if listed is None and len(texts) > 1:
            listed = [each for each in texts if each != UNKNOWN or not _AFTER_A_FILE.match(full)]
            listed = listed[1:] if _AFTER_A_FILE.match(full) else listed
        if listed is not None:
            return [Step(known(listed))] if listed else []
        return steps(texts[0]) if texts else []

    def _text(self, node: ast.expr, depth: int = 0) -> str | list[str]:
        """Return the text or the words of a node; ``UNKNOWN`` is what only a run tells."""
        if depth > _DEEPEST:
            return UNKNOWN
        if isinstance(node, ast.Name):
            return self._named(node.id, depth)
        made = self._made(node, depth + 1)
        return made[:_LONGEST] if isinstance(made, str) else made[:_MOST]

    def _named(self, name: str, depth: int) -> str | list[str]:
        if name not in self._known:
            self._known[name] = UNKNOWN  # what it has in itself, too, only a run tells
            value = self._once.get(name)
            self._known[name] = UNKNOWN if value is None else self._text(value, depth + 1)
        return self._known[name]

    @cached_property
    def _once(self) -> dict[str, ast.expr | None]:
        """What names are given, where the file says so once."""
        found: dict[str, ast.expr | None] = {}
        for node in self.module.nodes:
            if isinstance(node, ast.Assign):
                names = [each.id for each in node.targets if isinstance(each, ast.Name)]
                found |= {name: None if name in found else node.value for name in names}
        return found

    def _made(self, node: ast.expr, depth: int) -> str | list[str]:
        module = self.module
        match node:
            case ast.Constant(value=str() as value):
                return value
            case ast.List() | ast.Tuple():
                every = (self._text(each, depth) for each in node.elts[:_MOST])
                return [each if isinstance(each, str) else UNKNOWN for each in every]
            case ast.JoinedStr():
                return "".join(self._one(each, depth) for each in node.values[:_MOST])
            case ast.FormattedValue():
                return self._one(node.value, depth)
            case ast.IfExp():
                return self._text(node.body, depth)
            case ast.BinOp(op=ast.Add()):
                left, right = self._text(node.left, depth), self._text(node.right, depth)
                if isinstance(left, list):
                    return [*left, *(right if isinstance(right, list) else ())]
                return left + (right if isinstance(right, str) else UNKNOWN)
            case ast.Call() if _SPLITS.fullmatch(full_name(module, node.func)):
                own = node.func.value if isinstance(node.func, ast.Attribute) else node.func
                is_own = full_name(module, node.func) != "shlex.split" or not node.args
                text = self._text(own if is_own else node.args[0], depth)
                return text if isinstance(text, list) else text.split()
            case ast.Attribute() if full_name(module, node) == "sys.executable":
                return "python"
            case _:
                return UNKNOWN

    def _one(self, node: ast.expr, depth: int) -> str:
        text = self._text(node, depth)
        return text if isinstance(text, str) else UNKNOWN
