"""What an image does with the command that it is given: start it, or a program of its own.

``ENTRYPOINT ["/app/server"]`` starts the server whatever the command is: to have it start a worker,
the entry point has to be another one. One that ends in ``exec "$@"`` starts what it is given.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from stoker.sidecar.detect.shell import split
from stoker.sidecar.detect.written.dockerfiles import Stage, stages
from stoker.sidecar.project import Project

_WRAPPERS = frozenset({"tini", "tini-static", "dumb-init", "catatonit", "env", "gosu", "su-exec",
                       "doppler", "chamber", "s6-setuidgid", "init", "with-contenv"})  # fmt: skip
"""Programs whose arguments are what is started."""
_RUNNERS = frozenset({"uv", "poetry", "pipenv", "pdm", "hatch", "rye", "bundle"})
"""Those whose first argument is ``run`` or ``exec``, and the rest what is started."""
_PASSES = re.compile(r"\$\{?[@*]|\$\{?1\b")


def starting(project: Project, path: str) -> Iterator[str]:
    """Yield a Dockerfile whose image starts its own program, and ``PATH#STAGE`` of its stages."""
    every = stages(project, path)
    for at, stage in enumerate(every, 1):
        if stage.entrypoint and not _passes(project, stage):
            if at == len(every):
                yield path
            if stage.name:
                yield f"{path}#{stage.name}"


def programs(project: Project, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the words that a Dockerfile's image starts if it is told nothing, and ``PATH#STAGE``'s.

    Without an entry point that starts what it is given, and but for what only a shell can put in.
    """
    every = stages(project, path)
    for at, stage in enumerate(every, 1):
        passes = not stage.entrypoint or _passes(project, stage)
        words = tuple(split(stage.command if passes else stage.entrypoint))
        if words and not any("$" in word for word in words):
            if at == len(every):
                yield path, words
            if stage.name:
                yield f"{path}#{stage.name}", words


def _passes(project: Project, stage: Stage) -> bool:
    """Tell if an entry point starts what it is given."""
    words = list(split(stage.entrypoint))
    if any(_PASSES.search(word) for word in words):
        return True
    while words and posixpath.basename(words[0]) in _WRAPPERS:
        words.pop(0)
        while words and words[0].startswith("-"):
            words.pop(0)
    if not words:
        return True
    program = posixpath.basename(words[0])
    if program in _RUNNERS:
        return not [word for word in words[2:] if not word.startswith("-")]
    scripts = list(filter(_is_script, words))
    texts = [project.text(path) for word in scripts for path in _files(project, word)]
    if texts:
        return any(map(_PASSES.search, texts))
    return bool(scripts)  # it comes from elsewhere: such a script mostly does


def _is_script(word: str) -> bool:
    name = posixpath.basename(word)
    return name.endswith((".sh", ".bash")) or "entrypoint" in name


def _files(project: Project, word: str) -> list[str]:
    return project.named(posixpath.basename(word))
