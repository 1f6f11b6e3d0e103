"""Which compose files are only read on top of another one: ``-f base.yml -f base.prod.yml``."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Mapping, Sequence

from stoker.sidecar.detect.written.compose import Service
from stoker.sidecar.plan import is_beneath, own_files


def layers(services: Sequence[Service]) -> dict[str, tuple[str, ...]]:
    """Return those files, each with what comes before it.

    Of two in one folder one has a service that only the other one says how to start. It is read
    last, unless it is called a base.
    """
    parts: dict[str, set[str]] = defaultdict(set)
    names: dict[str, set[str]] = defaultdict(set)
    folders: dict[str, dict[str, None]] = defaultdict(dict)
    for each in services:
        names[each.path].add(each.name)
        folders[posixpath.dirname(each.path)][each.path] = None
        if not each.is_whole:
            parts[each.path].add(each.name)
    found: dict[str, tuple[str, ...]] = {}
    for beside in folders.values():
        if parts.keys().isdisjoint(beside):
            continue
        paths = [path for use in (False, True) for path in own_files(beside, production=use)]
        for path in paths:
            beneath = [
                (len(names[path] & names[each]), -at, each)
                for at, each in enumerate(paths)
                if _is_on(path, each, parts, names)
            ]
            if beneath:
                found[path] = (max(beneath)[2],)
    return {path: on for path, on in found.items() if not set(on) & found.keys()}


def _is_on(
    path: str, other: str, parts: Mapping[str, set[str]], names: Mapping[str, set[str]]
) -> bool:
    """Tell if a file is put on another one."""
    if path == other or is_beneath(path):
        return False
    own, others = parts.get(path, set()), parts.get(other, set())
    if is_beneath(other):
        return bool((own & names[other]) | (others & names[path]))
    return bool(own & (names[other] - others))


def included(services: Sequence[Service]) -> dict[str, tuple[str, ...]]:
    """Return the files that include others, each with these."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for each in services:
        for path in each.included_by:
            found[path][each.path] = None
    return {path: tuple(others) for path, others in found.items()}


def near(path: str, on: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the files that one is put on, and those that are put on it."""
    return {*on.get(path, ()), *(each for each, beneath in on.items() if path in beneath)}
