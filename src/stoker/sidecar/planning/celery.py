"""Celery's command line, so that it starts in a container, and stays up there.

Since 5, ``-A`` and its like stand before ``worker``, or are refused. Beat keeps the times of its
last runs in a file of the working directory: no good where only ``/tmp`` can be written. And a
worker that is not told otherwise has a process for each CPU of the host, however few of them, and
however little memory, its container has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from stoker.sidecar.detect.shell import as_shell, split
from stoker.sidecar.detection import Unit
from stoker.sidecar.plan import Decision
from stoker.sidecar.planning import reasons
from stoker.sidecar.secrets import masked_line

Words = tuple[str, ...]
_VERBS = frozenset({"worker", "beat", "flower", "events", "inspect"})
_WITH_VALUE = ("-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config",
               "--workdir")  # fmt: skip
_ALONE = frozenset({"-C", "--no-color"})
_EXEC = "exec "
_BOUNDS = re.compile(r"-[cP]|--(?:concurrency|pool|autoscale)\b")
_CONCURRENCY = ("--concurrency=2",)
"""What half a gigabyte has room for."""
_SCHEDULE = ("--schedule", "/tmp/celerybeat-schedule")


def contained(unit: Unit) -> Unit:
    """Return a unit whose command its own version of Celery takes, in a container."""
    return _with_schedule(_with_concurrency(_in_order(unit)))


def changes(unit: Unit) -> Iterator[Decision]:
    """Yield why a command is not as it was written."""
    if _in_order(unit) != unit:
        yield _reordered(unit)
    if _with_concurrency(unit) != unit:
        yield Decision(
            f"{unit.role}, with {' '.join(_CONCURRENCY)}",
            reasons.NO_ROOM_FOR_ALL,
            unit.evidence[:1],
        )
    if _with_schedule(unit) != unit:
        yield Decision(
            f"{unit.role}, with {' '.join(_SCHEDULE)}",
            reasons.NO_ROOM_FOR_TIMES,
            unit.evidence[:1],
        )


def _in_order(unit: Unit) -> Unit:
    return _changed(unit, _ordered) if _oldest(unit.version) >= 5 else unit


def _with_schedule(unit: Unit) -> Unit:
    return _changed(unit, _scheduled)


def _with_concurrency(unit: Unit) -> Unit:
    if unit.bounded or unit.role != "worker" or unit.concurrency is not None:
        return unit
    return _changed(unit, _few)


def _changed(unit: Unit, change: Callable[[Words], Words]) -> Unit:
    if unit.framework != "celery":
        return unit
    return msgspec.structs.replace(
        unit,
        command=_inside(unit.command, change),
        dev_command=_inside(unit.dev_command, change),
    )


def _inside(words: Words, change: Callable[[Words], Words]) -> Words:
    """Change a command, also if it is the line that a shell ends in."""
    if words[:2] == ("sh", "-c") and len(words) == 3 and words[2].startswith(_EXEC):
        inner = tuple(split(words[2].removeprefix(_EXEC)))
        changed = change(inner)
        return words if changed == inner else as_shell(changed)
    return change(words)


def _scheduled(words: Words) -> Words:
    named = any(word.startswith(("-s", "--schedule=")) or word == "--schedule" for word in words)
    other = any(word.startswith(("-S", "--scheduler")) for word in words)
    if other and not any("PersistentScheduler" in word for word in words):
        return words  # another one, such as Django's, keeps no such file
    verb = _verb(words)
    if named or verb is None:
        return words
    beats = words[verb] == "beat" or {"-B", "--beat"} & set(words[verb:])
    return (*words, *_SCHEDULE) if beats else words


def _few(words: Words) -> Words:
    verb = _verb(words)
    if verb is None or words[verb] != "worker" or any(map(_may_bound, words)):
        return words
    return (*words, *_CONCURRENCY)


def _may_bound(word: str) -> bool:
    """Tell if a word says how many processes there are, or if a shell may put that in."""
    return "$" in word or _BOUNDS.match(word) is not None


def _reordered(unit: Unit) -> Decision:
    return Decision(
        f"{unit.role}, with its options in another order than: {masked_line(unit.command)}",
        f"the project asks for Celery {unit.version}; since version 5, -A and the like have to "
        "come before the word 'worker' or 'beat'",
        unit.evidence[:1],
    )


def _oldest(version: str) -> int:
    """Return the first major version that a requirement allows; 0 where it names none."""
    parts = (
        re.match(r"\s*(?:===?|~=|>=?|\^|~|)\s*v?(\d{1,4})\b", part) for part in version.split(",")
    )
    return max((int(part[1]) for part in parts if part), default=0)


def _ordered(words: Words) -> Words:
    verb = _verb(words)
    if verb is None:
        return words
    common, own = _parted(words[verb + 1 :])
    return (*words[:verb], *common, words[verb], *own)


def _verb(words: Words) -> int | None:
    """Return where the sub-command is, if it is Celery that is started."""
    program = next((at for at, word in enumerate(words[:3]) if _is_celery(word)), None)
    if program is None:
        return None
    return next((at for at, word in enumerate(words) if at > program and word in _VERBS), None)


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
