"""What a program is made of: the files that it comes to by imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property


class Imports:
    """Which file (or package) imports which; what can be reached from one is found out once."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, ...]] = {}
        self._reached: dict[str, frozenset[str]] = {}

    def add(self, name: str, imported: Iterable[str]) -> None:
        """Say what one imports. All of it is said before the first question."""
        self._of[name] = (*self._of.get(name, ()), *imported)

    @property
    def names(self) -> Iterable[str]:
        """Return all that were said to import something, or nothing."""
        return self._of

    def of(self, name: str) -> tuple[str, ...]:
        """Return what one imports itself."""
        return self._of.get(name, ())

    def reached(self, start: str) -> frozenset[str]:
        """Return all that a program imports, however far; itself included."""
        if start not in self._reached:
            self._reached[start] = _closure([start], self._of)
        return self._reached[start]

    def leading_to(self, names: Iterable[str]) -> frozenset[str]:
        """Return all that come to one of these, however far; these included."""
        return _closure(names, self._importers)

    @cached_property
    def _importers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, imported in self._of.items():
            for each in imported:
                found.setdefault(each, []).append(name)
        return found

    @cached_property
    def imported(self) -> frozenset[str]:
        """Return all that something imports."""
        return frozenset(each for names in self._of.values() for each in names)


def _closure(start: Iterable[str], following: Mapping[str, Iterable[str]]) -> frozenset[str]:
    seen = set(start)
    waiting = list(seen)
    while waiting:
        for each in following.get(waiting.pop(), ()):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return frozenset(seen)


def places(sites: Mapping[str, Iterable[object]], reached: Iterable[str]) -> list[str]:
    """Return the reached files that have sites, in the order of their names."""
    return sorted(path for path in reached if path in sites)
