"""What Compose makes of several files: one is put on another, or takes a service over from it.

The later one counts: its variables and conditions stand instead of the same ones beneath, and what
is a list grows. Paths are read as the file says them, so that those of another folder's file are
named anew.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import msgspec

from stoker.sidecar.values import Given

Logging = dict[str, str | dict[str, str]]
_HERE = (".", "..")
_FIXED = ("/", "~", "$")


def merged(every: Iterable[Given]) -> Given | None:
    """Return what a service is given by several files, the first of them beneath the others."""
    found = list(every)
    return reduce(_on, found) if found else None


def moved(given: Given, path: str) -> Given:
    """Return it as the file of another place has to say it."""
    here, there = posixpath.dirname(path), posixpath.dirname(given.path)
    if here == there:
        return given
    return msgspec.structs.replace(
        given,
        env_file={_place(each, there, here): need for each, need in given.env_file.items()},
        said={_place(each, there, here): names for each, names in given.said.items()},
        volumes=tuple(_volume(each, there, here) for each in given.volumes),
    )


def _on(beneath: Given, top: Given) -> Given:
    elsewhere = beneath.elsewhere
    if beneath.path != top.path:
        elsewhere = dict.fromkeys(beneath.environment, beneath.path) | elsewhere
    beneath = _without(moved(beneath, top.path), top.replaced)
    own = top.environment
    volumes = {_target(each): each for each in (*beneath.volumes, *top.volumes)}
    return msgspec.structs.replace(
        top,
        image=top.image or beneath.image,
        env_file=beneath.env_file | top.env_file,
        said=beneath.said | top.said,
        environment=beneath.environment | own,
        depends_on=beneath.depends_on | top.depends_on,
        networks=tuple(dict.fromkeys((*beneath.networks, *top.networks))),
        volumes=tuple(volumes.values()),
        restart=top.restart or beneath.restart,
        logging=_logging(beneath.logging, top.logging),
        replaced=beneath.replaced | top.replaced,
        elsewhere=top.elsewhere
        | {n: elsewhere[n] for n in beneath.environment if n in elsewhere and n not in own},
    )


def _logging(beneath: Logging, top: Logging) -> Logging:
    """Return where output goes; options of another driver than the one on top mean nothing."""
    if not top or top.get("driver", beneath.get("driver")) != beneath.get("driver"):
        return top or beneath
    below, own = beneath.get("options"), top.get("options")
    both = {
        **(below if isinstance(below, dict) else {}),
        **(own if isinstance(own, dict) else {}),
    }
    return beneath | top | ({"options": both} if both else {})


def _without(given: Given, replaced: Mapping[str, Sequence[str]]) -> Given:
    """Return it without the parts, or the entries of them, that are replaced on top."""
    kept: dict[str, Any] = {
        part: {key: each for key, each in getattr(given, part).items() if key not in entries}
        if entries
        else type(getattr(given, part))()
        for part, entries in replaced.items()
    }
    return msgspec.structs.replace(given, **kept)


def _target(volume: str) -> str:
    """Return where a volume is mounted: the part before is the host's, or a name."""
    head, found, rest = volume.rpartition(":")
    if found and rest in ("ro", "rw", "z", "Z", "cached", "delegated", "consistent"):
        volume = head
    return volume.rpartition(":")[2]


def _volume(volume: str, there: str, here: str) -> str:
    host, found, rest = volume.partition(":")
    if not found or host.partition("/")[0] not in _HERE:
        return volume
    place = _relative(there, host, here)
    return f"{place if place.startswith('.') else f'./{place}'}:{rest}"


def _place(place: str, there: str, here: str) -> str:
    return place if place.startswith(_FIXED) else _relative(there, place, here)


def _relative(there: str, place: str, here: str) -> str:
    return posixpath.relpath(posixpath.join(there, place), here or ".")
