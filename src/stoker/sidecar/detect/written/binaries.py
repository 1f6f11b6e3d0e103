"""Which programs of Go and Rust are in the stages of a Dockerfile, and where."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from stoker.sidecar.detect.shell import split
from stoker.sidecar.inside import Inside, is_below

_BUILD = re.compile(r"\b(go|cargo)\s+build\b([^&;|\n]*)")
_VALUED = frozenset({
    "-o", "-ldflags", "-tags", "-gcflags", "-asmflags", "-mod", "-modfile", "-p", "-buildmode",
    "-installsuffix", "-pkgdir", "-toolexec", "-overlay", "-C", "-pgo",
})  # fmt: skip
"""The options of ``go build`` that the next word belongs to."""
_FILE = re.compile(r"[\w-]+")
_OTHERS = re.compile(
    r"\b(?:make|mage|task|just|goreleaser|bazel)\s|\.sh\b|\bgo\s+(?:install|generate)\b"
    r"|\b(?:go|cargo)\s+build\b[^&;|\n]*(?:\.\.\.|\$)|\bcargo\s+(?:install|build\b(?![^&;|\n]*--bin\s))"
)
"""What makes programs that its line does not name."""


def built(line: str, workdir: str) -> Iterator[tuple[str, str]]:
    """Yield what a ``RUN`` compiles, as the build command names it, and where that lies then."""
    for tool, rest in _BUILD.findall(line):
        words = split(rest)
        yield from _of_go(words, workdir) if tool == "go" else _of_cargo(words, workdir)


def makes_others(line: str) -> bool:
    """Tell if a ``RUN`` may compile more than it names."""
    return _OTHERS.search(line) is not None


def copies_others(other: Inside, sources: Sequence[str]) -> bool:
    """Tell if what is copied out of a stage may be such programs: of a file it is plain."""
    places = [posixpath.normpath(posixpath.join("/", source)) for source in sources]
    named = {*other.made.values()}
    return other.makes_others and any(
        place not in named and not _is_file(other, source, place)
        for source, place in zip(sources, places, strict=True)
    )


def copied(
    other: Inside, sources: Sequence[str], to: str, inside: Inside
) -> Iterator[tuple[str, str]]:
    """Yield what programs a stage gets out of another one by ``COPY --from``, likewise.

    One that nobody saw being made is known by what its file is called.
    """
    folder = len(sources) > 1 or to.endswith(("/", "/.")) or to in (".", inside.workdir)
    at = posixpath.normpath(posixpath.join(inside.workdir, to))
    for source in sources if at.startswith("/") else ():
        place = posixpath.normpath(posixpath.join("/", source))
        file = posixpath.join(at, posixpath.basename(place)) if folder else at
        found = dict(_moved(other.made, place, at, file))
        if not found and _is_file(other, source, place):
            found = {posixpath.basename(place): file}
        yield from found.items()


def _moved(made: Mapping[str, str], place: str, at: str, file: str) -> Iterator[tuple[str, str]]:
    for name, path in made.items():
        if path == place:
            yield name, file
        elif is_below(path, place):
            yield name, posixpath.normpath(posixpath.join(at, posixpath.relpath(path, place)))


def _is_file(other: Inside, source: str, place: str) -> bool:
    """Tell if what is copied may be a program, and is no directory that is known for one."""
    known = (other.workdir, *other.places.values())
    folder = source.endswith("/") or any(is_below(each, place) for each in known if each)
    return not folder and _FILE.fullmatch(posixpath.basename(place)) is not None


def _of_go(words: Sequence[str], workdir: str) -> Iterator[tuple[str, str]]:
    out, packages = "", list[str]()
    before = ""
    for word in words:
        if before in ("-o", "--o"):
            out = word
        elif word.startswith("-o="):
            out = word[3:]
        elif before not in _VALUED and not word.startswith("-"):
            packages.append(_package(word))
        before = word
    packages = packages or ["."]
    for package in packages:
        name = posixpath.basename(package)
        file = posixpath.join(out, name) if len(packages) > 1 or out.endswith("/") else out or name
        at = posixpath.normpath(posixpath.join(workdir, file))
        # What is built of all packages may be any of them.
        known = name not in (".", "...") or (out and at != workdir and not out.endswith("/"))
        if known and at.startswith("/") and "$" not in package + at:
            yield package, at


def _package(word: str) -> str:
    """Return the directory of the package that is meant, as ``go build`` takes its files, too."""
    directory, _, file = posixpath.normpath(word).rpartition("/")
    return (directory or ".") if file.endswith(".go") else posixpath.normpath(word)


def _of_cargo(words: Sequence[str], workdir: str) -> Iterator[tuple[str, str]]:
    kind = "release" if {"--release", "-r"} & {*words} else "debug"
    for option, name in itertools.pairwise(words):
        if option == "--bin" and workdir and "$" not in name:
            yield name, posixpath.join(workdir, "target", kind, name)
