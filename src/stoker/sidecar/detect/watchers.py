"""What is for the desk: it starts a command again when a file changes, or has it debugged."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from stoker.sidecar.detect.shell import Step, assigned, steps

PYTHON = re.compile(r"(?:\S*/)?python[0-9.]*|pypy3?|py")
DEV_RUNNERS = frozenset({
    "nodemon", "ts-node-dev", "tsnd", "watchmedo", "watchfiles", "reflex", "air", "modd", "entr",
    "tsc-watch", "CompileDaemon", "guard", "rerun", "wgo", "watchexec", "cargo-watch", "bacon",
})  # fmt: skip
"""They start a command again when a file changes."""
_TOLD_IN_A_FILE = frozenset({"air"})
"""They have no command on their line: who knows the file reads it."""
_WATCHED = ("--exec", "-x", "--onSuccess", "--onsuccess")
"""What stands before the command that is started again."""
DEV_FLAGS = frozenset({"--watch", "watch", "--reload", "-r:dev", "--hot", "--respawn"})
_WATCH_VALUES = frozenset({
    "-d", "--directory", "-p", "--pattern", "--patterns", "-w", "--watch", "-e", "--ext", "-i",
    "--ignore", "--filter", "-s", "--signal", "--delay", "-c", "--debounce-interval", "--interval",
    "-g", "-r", "-t", "--ignore-patterns", "--sigint-timeout", "--grace-period", "--target-type",
})  # fmt: skip
_OWN_FLAGS: dict[str, dict[str, bool]] = {
    "taskiq": {"--reload": False, "-r": False, "--reload-dir": True},
    "dramatiq": {
        "--watch": True,
        "--watch-use-polling": False,
        "-i": True,
        "--watch-include": True,
        "-x": True,
        "--watch-exclude": True,
        "--reload": False,
        "--reload-use-polling": False,
    },
    "arq": {"--watch": True},
    "celery": {"--autoreload": False},
}
"""With what the workers of a framework start themselves anew, and whether it has a value.

Without it the same command is the one for production: nothing else of it is for the desk.
"""
_BY_MODULE = frozenset({"hupper", "jurigged"})
_DEBUGGERS = frozenset({"debugpy", "ptvsd"})
_DEBUGGER_VALUES = frozenset({
    "--listen", "--connect", "--host", "--port", "--log-to", "--log-dir", "--adapter-access-token",
    "--configure-subProcess", "--configure-qt",
})  # fmt: skip
_RELOADER = re.compile(r"(?:\S*[/_-])?(?:auto[-_]?)?(?:reload|watch|restart)(?:er)?\.py")


def restarted(first: str, words: Sequence[str]) -> list[Step] | None:
    """Return what a program at the desk runs that starts it again, or lets it be debugged."""
    if first in DEV_RUNNERS - _TOLD_IN_A_FILE:
        return _watched(first, words)
    return _debugged(words) or _by_module(words) or _reloaded(words)


def _watched(first: str, words: Sequence[str]) -> list[Step]:
    if "--" in words:
        inner = assigned(words[words.index("--") + 1 :])
        return [msgspec.structs.replace(inner, dev=True)]
    flag = next((word for word in words[:-1] if word in _WATCHED), None)
    if flag is not None:
        at = words.index(flag) + 1
        inner = list(steps(words[at])) if " " in words[at] else [Step(tuple(words[at:]))]
        return [msgspec.structs.replace(each, dev=True) for each in inner]
    rest = list(words[1:])
    if rest[:1] == ["auto-restart"]:
        rest = rest[1:]
    while rest and rest[0].startswith("-"):
        value = rest[0] in _WATCH_VALUES and len(rest) > 1
        rest = rest[2:] if value else rest[1:]
    if not rest:
        return []
    if first == "watchfiles" or " " in rest[0]:
        return [msgspec.structs.replace(each, dev=True) for each in steps(rest[0])]
    program = {"nodemon": ("node",), "ts-node-dev": ("ts-node",), "tsnd": ("ts-node",)}.get(
        first, ()
    )
    if first == "nodemon" and not re.search(r"\.[cm]?[jt]sx?$", rest[0]):
        program = ()
    return [Step((*program, *rest), dev=True)]


def _debugged(words: Sequence[str]) -> list[Step] | None:
    """Return what ``python -m debugpy --listen 5678 FILE`` runs, or ``… -m MODULE``."""
    at = next((at for at, word in enumerate(words) if not word.startswith("-") and at), 0)
    if not (PYTHON.fullmatch(words[0]) and words[at] in _DEBUGGERS and words[at - 1] == "-m"):
        return None
    rest = list(words[at + 1 :])
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        rest = rest[2:] if rest[0] in _DEBUGGER_VALUES else rest[1:]
    return [Step((words[0], *rest), dev=True)] if rest else None


def _by_module(words: Sequence[str]) -> list[Step] | None:
    """Return what ``hupper -m MODULE`` runs: a module of Python, with its arguments."""
    own = words[2:] if words[1:2] == ["-m"] and PYTHON.fullmatch(words[0]) else words
    if not (set(words[:1]) | set(words[2:3])) & _BY_MODULE or "-m" not in own[1:-1]:
        return None
    at = own.index("-m", 1) if own is words else own.index("-m")
    return [Step(("python", *own[at:]), dev=True)]


def _reloaded(words: Sequence[str]) -> list[Step] | None:
    """Return the command that a program of the project's own restarts, given as one word."""
    if len(words) < 3 or " " not in words[-1] or not PYTHON.fullmatch(words[0]):
        return None
    if not _RELOADER.fullmatch(words[1]):
        return None
    return [msgspec.structs.replace(each, dev=True) for each in steps(words[-1])]


def unwatched(framework: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command of a framework's worker without what starts it anew."""
    flags = _OWN_FLAGS.get(framework, {})
    found: list[str] = []
    skip = False
    for word in words:
        name, sign, _ = word.partition("=")
        if skip:
            skip = False
        elif name in flags:
            skip = flags[name] and not sign
        else:
            found.append(word)
    return tuple(found)


def is_dev(step: Step) -> bool:
    """Tell if the command is meant for the desk: it watches files, or builds what it starts."""
    builds = step.words[:1] in (("nx",), ("air",)) or step.words[:2] == ("nest", "start")
    return step.dev or builds or any(word in DEV_FLAGS for word in step.words)
