"""Names that compose, Docker and Kubernetes all take."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 50


def slug(text: str, fallback: str = "app") -> str:
    """Return a name of small letters, digits and ``-``."""
    made = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST].strip("-")
    return made or fallback


class Names:
    """Gives each service a name of its own."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def take(self, *wanted: str) -> str:
        """Return the first name that is free, or the last with a number."""
        for name in map(slug, filter(None, wanted)):
            if name not in self._taken:
                self._taken.add(name)
                return name
        base, count = slug(wanted[-1]), 2
        while f"{base}-{count}" in self._taken:
            count += 1
        self._taken.add(f"{base}-{count}")
        return f"{base}-{count}"
