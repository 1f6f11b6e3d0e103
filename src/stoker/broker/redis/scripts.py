"""The Lua scripts: composed from their parts once, called by their digest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any

import msgspec

_NEEDS = re.compile(r"^-- needs: (.*)$", re.MULTILINE)


class Script(msgspec.Struct, frozen=True):
    """One operation's script, complete."""

    text: str
    digest: str


def names() -> list[str]:
    """Return the names of all operations that have a script."""
    folder = files(f"{__package__}.lua").iterdir()
    return sorted(file.name.removesuffix(".lua") for file in folder if file.name.endswith(".lua"))


@cache
def script(name: str) -> Script:
    """Return an operation's script."""
    text = _composed(name)
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


def words(name: str, keys: Sequence[str], args: Sequence[Any]) -> tuple[Any, ...]:
    """Return the command that runs a script which the server knows."""
    return ("EVALSHA", script(name).digest, len(keys), *keys, *args)


def _composed(name: str) -> str:
    """Return a script behind all the parts that it needs, each once and after those it needs."""
    texts: dict[str, str] = {}

    def gather(path: str) -> None:
        text = files(f"{__package__}.lua").joinpath(f"{path}.lua").read_text(encoding="utf-8")
        for part in _needed(text):
            if part not in texts:
                gather(part)
        texts[path] = text

    gather(name)
    return "\n".join(texts.values())


def _needed(text: str) -> list[str]:
    found = _NEEDS.search(text)
    return [f"parts/{part}" for part in found[1].split()] if found else []
