"""What of a project is in an image that its Dockerfile makes, and where: pure data."""

from __future__ import annotations

import posixpath

import msgspec


class Inside(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a stage of a Dockerfile has."""

    image: str = ""
    """What it begins from in the end, which no stage of the Dockerfile is."""
    base: str = ""
    """The stage that it is made from, if it is."""
    workdir: str = ""
    """Where it starts what it is told to start; empty where that is not known."""
    places: dict[str, str] = {}
    """A directory, or what was made there, relative to the context → where it is in the image;
    empty where that is not known."""
    made: dict[str, str] = {}
    """A program of Go or Rust, as what builds it names it, or as its file is called → where it
    is."""
    makes_others: bool = False
    """There are programs in it of which nothing shows what they are: ``make build``."""
    unclear: bool = False
    """What is copied depends on arguments."""
    pruned: bool = False
    """Of Node: packages for development are not installed there, or were not copied."""
    mode: str = ""
    """Of Rails: the environment that it starts in unless it is told another one."""

    @property
    def has_shell(self) -> bool:
        """Tell if there is anything in it to work with, but for the program."""
        return self.image != "scratch" and "distroless" not in self.image

    @property
    def shows_programs(self) -> bool:
        """Tell if there are no compiled programs in it but those that ``made`` has."""
        every = "..." in map(posixpath.basename, self.made)
        return not (every or self.makes_others or self.unclear)

    def has(self, place: str) -> bool:
        """Tell if a directory of the context may be in it, or what was made there."""
        return self.unclear or any(
            is_below(place, each) or is_below(each, place) for each in self.places
        )

    def where(self, place: str) -> str:
        """Return where a place of the context is in it; empty where that is not known."""
        covering = [each for each in self.places if is_below(place, each)]
        if not covering:
            return ""
        nearest = max(covering, key=_depth)
        return _moved(place, nearest, self.places[nearest])

    def started_in(self, workdir: str = "") -> str:
        """Return which place of the context it starts commands in; empty where it is none.

        With ``workdir``, which a container is told, that is meant.
        """
        inside = workdir or self.workdir
        found = [(place, at) for place, at in self.places.items() if _is_at(inside, at)]
        deepest = max((_depth(at) for _, at in found), default=0)
        places = {_moved(inside, at, place) for place, at in found if _depth(at) == deepest}
        return places.pop() if len(places) == 1 else ""


def is_below(place: str, other: str) -> bool:
    """Tell if a place is another one, or lies in it."""
    return other == "." or f"{place.rstrip('/')}/".startswith(f"{other.rstrip('/')}/")


def _is_at(inside: str, at: str) -> bool:
    return inside != "" and at != "" and is_below(inside, at)


def _moved(place: str, origin: str, to: str) -> str:
    """Return what a place below one is below another."""
    inside = posixpath.relpath(place, origin)
    return posixpath.normpath(posixpath.join(to, inside)) if to else ""


def _depth(place: str) -> int:
    return 0 if place in (".", "/") else place.count("/") + 1
