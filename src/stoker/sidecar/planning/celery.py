"""Celery's command line: since 5, ``-A`` and its like stand before ``worker``, or are refused."""

from __future__ import annotations

import re

import msgspec

from stoker.sidecar.detect.shell import as_shell, split
from stoker.sidecar.detection import Unit
from stoker.sidecar.plan import Decision

Words = tuple[str, ...]
_VERBS = frozenset({"worker", "beat", "flower", "events", "inspect"})
_WITH_VALUE = ("-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config",
               "--workdir")  # fmt: skip
_ALONE = frozenset({"-C", "--no-color"})
_EXEC = "exec "


def in_order(unit: Unit) -> Unit:
    """Return a unit whose command its own version of Celery takes."""
    if unit.framework != "celery" or _oldest(unit.version) < 5:
        return unit
    return msgspec.structs.replace(
        unit, command=_ordered(unit.command), dev_command=_ordered(unit.dev_command)
    )


def reordered(unit: Unit) -> Decision:
    """Return why a command is not as it was written."""
    return Decision(
        f"celery's options in another order than: {' '.join(unit.command)}",
        f"the project asks for Celery {unit.version}, and 5 refuses -A and its like after the "
        "sub-command",
        unit.evidence[:1],
        (" ".join(unit.command),),
    )


def _oldest(version: str) -> int:
    """Return the first major version that a requirement allows; 0 where it names none."""
    parts = (
        re.match(r"\s*(?:===?|~=|>=?|\^|~|)\s*v?(\d{1,4})\b", part) for part in version.split(",")
    )
    return max((int(part[1]) for part in parts if part), default=0)


def _ordered(words: Words) -> Words:
    if words[:2] == ("sh", "-c") and len(words) == 3 and words[2].startswith(_EXEC):
        inner = tuple(split(words[2].removeprefix(_EXEC)))
        moved = _ordered(inner)
        return words if moved == inner else as_shell(moved)
    program = next((at for at, word in enumerate(words[:3]) if _is_celery(word)), None)
    if program is None:
        return words
    verb = next((at for at, word in enumerate(words) if at > program and word in _VERBS), None)
    if verb is None:
        return words
    common, own = _parted(words[verb + 1 :])
    return (*words[:verb], *common, words[verb], *own)


def _is_celery(word: str) -> bool:
    return word.rpartition("/")[2] == "celery"


def _parted(words: Words) -> tuple[Words, Words]:
    """Return the options of ``celery`` itself, and those of its sub-command."""
    common: list[str] = []
    own: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word in _WITH_VALUE and waiting:
            common += [word, waiting.pop(0)]
        elif word in _ALONE or _has_value(word):
            common.append(word)
        else:
            own.append(word)
    return tuple(common), tuple(own)


def _has_value(word: str) -> bool:
    short = re.fullmatch(r"-[Ab][^-=\s].*", word) is not None
    return short or word.startswith(tuple(f"{name}=" for name in _WITH_VALUE))
