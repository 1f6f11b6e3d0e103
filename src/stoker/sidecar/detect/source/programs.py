"""What a program is made of: the files that it comes to by imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Imports:
    """Which file (or package) imports which; what can be reached from one is found out once."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[str, ...]] = {}
        self._reached: dict[str, frozenset[str]] = {}

    def add(self, name: str, imported: Iterable[str]) -> None:
        """Say what one imports. All of it is said before the first question."""
        self._of[name] = (*self._of.get(name, ()), *imported)

    def of(self, name: str) -> tuple[str, ...]:
        """Return what one imports itself."""
        return self._of.get(name, ())

    def reached(self, start: str) -> frozenset[str]:
        """Return all that a program imports, however far; itself included."""
        if start not in self._reached:
            seen = {start}
            waiting = [start]
            while waiting:
                for each in self.of(waiting.pop()):
                    if each not in seen:
                        seen.add(each)
                        waiting.append(each)
            self._reached[start] = frozenset(seen)
        return self._reached[start]

    @property
    def imported(self) -> frozenset[str]:
        """Return all that something imports."""
        return frozenset(each for names in self._of.values() for each in names)


def places(sites: Mapping[str, Iterable[object]], reached: Iterable[str]) -> list[str]:
    """Return the reached files that have sites, in the order of their names."""
    return sorted(path for path in reached if path in sites)
