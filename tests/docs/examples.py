"""Runs the code blocks of README.md and docs/: what a page shows is what Stoker does.

One page is one story, told in a temporary folder of its own:

- ```` ```python ```` runs, top-level ``await`` included, and sees the names of earlier blocks.
  A block whose first line is ``# name.py`` is written to that file and imported, so that a later
  block or a worker can import it too.
- ```` ```toml ```` whose first line is ``# name.toml`` is written to that file.
- ```` ```console ```` runs its ``$ `` lines with bash, this environment's ``stoker`` first in PATH.
  Each has to succeed. Lines that follow it are its output, where ``...`` stands for anything;
  without any, the output is not looked at.
- All else, ```` ```sh ```` for example, is only shown. ``<!-- skip: next -->`` skips a block.
"""

import ast
import asyncio
import doctest
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, SkipParser

COMMAND_SECONDS = 60
FILE_NAME = re.compile(r"# (?P<name>[\w./-]+\.(?:py|toml))\n")


class Page:
    """The folder and the event loop that the blocks of one page share."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="stoker-docs-")).resolve()
        self.runner = asyncio.Runner()
        self._before = Path.cwd()
        self._modules = set(sys.modules)

    def enter(self) -> None:
        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder))

    def leave(self) -> None:
        self.runner.close()
        sys.path.remove(str(self.folder))
        for name in set(sys.modules) - self._modules:
            if self._has(sys.modules[name]):
                del sys.modules[name]
        os.chdir(self._before)
        shutil.rmtree(self.folder)

    def _has(self, module: ModuleType) -> bool:
        # A folder without ``__init__.py`` is a package that has a path and no file.
        places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
        return any(Path(place).is_relative_to(self.folder) for place in places if place)

    def write(self, text: str) -> Path | None:
        """Write a block that names its file to it."""
        named = FILE_NAME.match(text)
        if named is None:
            return None
        path = self.folder / named["name"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


def set_up(namespace: dict[str, Any]) -> None:
    page = Page()
    page.enter()
    namespace["__page__"] = page
    namespace["__name__"] = "__main__"


def tear_down(namespace: dict[str, Any]) -> None:
    namespace["__page__"].leave()


def run_python(example: Example) -> None:
    page: Page = example.namespace["__page__"]
    path = page.write(example.parsed)
    if path is not None:
        name = ".".join(path.relative_to(page.folder).with_suffix("").parts)
        importlib.invalidate_caches()
        module = importlib.import_module(name)
        example.namespace.update(
            (key, value) for key, value in vars(module).items() if not key.startswith("__")
        )
        return
    # Blank lines in front, so that a traceback shows the line of the page.
    source = "\n" * (example.line + example.parsed.line_offset) + example.parsed
    code = compile(
        source, example.path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    result = eval(code, example.namespace)
    if inspect.iscoroutine(result):
        page.runner.run(result)


def run_console(example: Example) -> str | None:
    page: Page = example.namespace["__page__"]
    for command, wanted in commands(example.parsed):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=page.folder,
            env=shell_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
        )
        if done.returncode != 0:
            return f"$ {command}\nexit code {done.returncode}\n{done.stdout}"
        if wanted and not matches(wanted, done.stdout):
            return f"$ {command}\nExpected:\n{wanted}\nGot:\n{done.stdout}"
    return None


def commands(text: str) -> list[tuple[str, str]]:
    """The ``$ `` lines of a block, each with the output shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        elif found:
            found[-1][1].append(line)
        else:
            raise ValueError(f"a console block begins with a `$ ` line, not with {line!r}")
    return [(command, "\n".join(output).strip()) for command, output in found]


def matches(wanted: str, got: str) -> bool:
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(wanted + "\n", got.strip() + "\n", flags)


def shell_environment() -> dict[str, str]:
    binaries = str(Path(sys.executable).parent)
    return os.environ | {
        "PATH": os.pathsep.join([binaries, os.environ.get("PATH", os.defpath)]),
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }


def write_file(example: Example) -> None:
    example.namespace["__page__"].write(example.parsed)


def examples(root: Path) -> Sybil:
    return Sybil(
        path=str(root),
        patterns=["*.md"],
        parsers=[
            CodeBlockParser("python", run_python),
            CodeBlockParser("toml", write_file),
            CodeBlockParser("console", run_console),
            SkipParser(),
        ],
        setup=set_up,
        teardown=tear_down,
    )
