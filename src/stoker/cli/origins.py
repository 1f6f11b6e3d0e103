"""Whether a fresh process finds the tasks that are to run in one.

``python -m stoker.cli.origins`` reads what to look for from standard input and answers with a
problem, or an empty text, for each.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from stoker.handler import Handler, Origin

SECONDS = 60


class Question(msgspec.Struct, frozen=True):
    """The names under which tasks should be found, on a search path."""

    path: list[str]
    names: list[str]
    origins: list[Origin]


def problems(handlers: Sequence[Handler]) -> list[str]:
    """Ask a fresh process for each handler; return what it says, empty where all is well."""
    if not handlers:
        return []
    question = Question(
        sys.path, [each.name for each in handlers], [each.origin for each in handlers]
    )
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "stoker.cli.origins"],
            input=msgspec.json.encode(question),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=True,
        )
        return msgspec.json.decode(answer.stdout.splitlines()[-1], type=list[str])
    except (subprocess.SubprocessError, msgspec.DecodeError, IndexError) as error:
        return [f"a child process could not look for it: {error}"] * len(handlers)


def look(name: str, origin: Origin) -> str:
    """Return why the task ``name`` is not at its origin, or an empty text."""
    place = f"{origin.module}.{origin.qualname}"
    try:
        found: Any = importlib.import_module(origin.module)
        for part in origin.qualname.split("."):
            found = getattr(found, part)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        return f"{place} cannot be imported there: {type(error).__name__}: {error}"
    handler = getattr(found, "handler", None)
    if getattr(handler, "name", None) != name:
        return f"{place} is something else there: is another decorator above @app.task?"
    return ""


def main() -> None:
    """Answer the question on standard input."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    sys.path[:] = question.path
    pairs = zip(question.names, question.origins, strict=True)
    answer = msgspec.json.encode([look(name, origin) for name, origin in pairs])
    sys.stdout.buffer.write(b"\n" + answer + b"\n")


if __name__ == "__main__":
    main()
