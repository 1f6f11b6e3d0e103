"""What a command line starts, and how the words of one are taken apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from stoker.sidecar.detection import Role

Words = tuple[str, ...]


class Launch(msgspec.Struct, frozen=True):
    """A command that starts a process of a framework."""

    framework: str
    role: Role
    words: Words
    app: str = ""
    queues: tuple[str, ...] = ()
    concurrency: int | None = None


Reader = Callable[[Words, dict[str, str]], Launch | None]
"""Gets the words of one simple command, without what only starts it, and its variables."""


def options(words: Sequence[str], *names: str) -> list[str]:
    """Return the values of an option, however it is written: ``-Q a``, ``-Qa``, ``--queues=a``."""
    found: list[str] = []
    for at, word in enumerate(words):
        for name in names:
            if word == name:
                if at + 1 < len(words):
                    found.append(words[at + 1])
            elif word.startswith(f"{name}="):
                found.append(word[len(name) + 1 :])
            elif len(name) == 2 and word.startswith(name) and not word.startswith("--"):
                found.append(word[2:])
    return found


def positional(words: Sequence[str], with_value: frozenset[str]) -> list[str]:
    """Return the words that are neither options nor their values."""
    found: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-") and len(word) > 1:
            skip = word in with_value
        else:
            found.append(word)
    return found


def listed(values: Sequence[str], separators: str = ",") -> tuple[str, ...]:
    """Return the names of lists with separators, without what a shell would put in."""
    names = [name.strip() for value in values for name in re.split(f"[{separators}]", value)]
    return tuple(dict.fromkeys(name for name in names if name and "$" not in name))


def number(values: Sequence[str]) -> int | None:
    """Return the first whole number."""
    return next((int(value) for value in values if re.fullmatch(r"\d{1,6}", value)), None)


def scheduler(framework: str) -> Reader:
    """Return what reads a command that only ever is a scheduler's."""
    return lambda words, _environment: Launch(framework, "scheduler", words)


def dashboard(framework: str) -> Reader:
    """Return what reads a command that only ever is a dashboard's."""
    return lambda words, _environment: Launch(framework, "dashboard", words)


def renamed(launch: Launch | None, words: Words) -> Launch | None:
    """Return a launch with the whole of its command: ``python manage.py celery …``."""
    return None if launch is None else msgspec.structs.replace(launch, words=words)
