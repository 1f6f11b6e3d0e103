"""Which compose files are only read on top of another one: ``-f base.yml -f base.prod.yml``."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from stoker.sidecar.detect.written.compose import Service
from stoker.sidecar.plan import own_files


def layers(services: Sequence[Service]) -> dict[str, tuple[str, ...]]:
    """Return those files, each with what comes before it.

    A service of theirs says nothing of what is started: the one of its name beneath does.
    """
    paths = list(dict.fromkeys(each.path for each in services))
    parts = {path: _named(services, path, whole=False) for path in paths}
    wholes = {path: _named(services, path, whole=True) for path in paths}
    usual = own_files(paths, production=False)
    found: dict[str, tuple[str, ...]] = {}
    for path in paths:
        beside = (each for each in usual if posixpath.dirname(each) == posixpath.dirname(path))
        known = {each: len(parts[path] & wholes[each]) for each in beside if each != path}
        best = max(known, key=known.__getitem__, default="")
        if best and known[best] and not parts[best] & wholes[path]:
            found[path] = (best,)
    return found


def near(path: str, on: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the files that one is put on, and those that are put on it."""
    return {*on.get(path, ()), *(each for each, beneath in on.items() if path in beneath)}


def _named(services: Sequence[Service], path: str, *, whole: bool) -> set[str]:
    return {each.name for each in services if each.path == path and each.is_whole == whole}
