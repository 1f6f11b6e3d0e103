"""The Lua scripts: composed from their parts once, called by their digest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

import msgspec

_NEEDS = re.compile(r"^-- needs: (.*)$", re.MULTILINE)
_AT_NEED = re.compile(r"^-- at need: (.*)$", re.MULTILINE)


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
    """Return a script behind all the parts that it needs, each once and after those it needs.

    A server runs all of it at each call, and only to make the functions of ``finish`` would take
    it longer than to settle a job with them. So parts that few calls need are made by a function
    of the part's name, when it is first called; such a part ends by returning what it offers.
    """
    texts: dict[str, str] = {}
    _gather(_read(name), texts)
    deferred = [_deferred(part, texts) for part in _named(_AT_NEED, _read(name))]
    return "\n".join([*texts.values(), *deferred, _read(name)])


def _gather(text: str, texts: dict[str, str]) -> None:
    """Put what a text needs behind ``texts``, by path."""
    for part in _named(_NEEDS, text):
        if part not in texts:
            needing = _read(part)
            _gather(needing, texts)
            texts[part] = needing


def _deferred(part: str, texts: Mapping[str, str]) -> str:
    """Return a part, with what it needs besides ``texts``, as a function that makes it once."""
    all_needed = dict(texts)
    _gather(_read(part), all_needed)
    own = [text for path, text in all_needed.items() if path not in texts]
    name = PurePosixPath(part).name
    return f"""\
local made_{name}
local function {name}()
  if made_{name} then return made_{name} end
  made_{name} = (function()
{"".join([*own, _read(part)])}
  end)()
  return made_{name}
end
"""


def _read(path: str) -> str:
    return files(f"{__package__}.lua").joinpath(f"{path}.lua").read_text(encoding="utf-8")


def _named(header: re.Pattern[str], text: str) -> list[str]:
    found = header.search(text)
    return [f"parts/{part}" for part in found[1].split()] if found else []
