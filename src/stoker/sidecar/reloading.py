"""Which commands see a change of the source by themselves, and which have to be started anew."""

from __future__ import annotations

from stoker.sidecar.detect.shell import split
from stoker.sidecar.detect.watchers import DEV_FLAGS, DEV_RUNNERS
from stoker.sidecar.plan import Service

Words = tuple[str, ...]
_FLAGS = ("--watch", "--reload", "--autoreload")
"""With or without a value: ``--watch=src``, ``--reload-dir``."""
_VERBS = frozenset({"dev", "develop"})
"""``next dev``, ``fastapi dev``, ``npm run dev``: they are there to reload."""


def sees_changes(service: Service) -> bool:
    """Tell if what development starts is left alone when a file changes."""
    known = service.reloads
    return reloads(service.dev_command) if known is None else known


def reloads(command: Words) -> bool:
    """Tell if a command starts anew by itself when a file changes.

    ``go run``, ``tsx`` and ``nest start`` do not: they compile when they start, and no more.
    """
    words = tuple(split(command[2])) if command[:2] == ("sh", "-c") else command
    programs = {word.rpartition("/")[2] for word in words[:4]}
    return (
        not DEV_RUNNERS.isdisjoint(programs)
        or not DEV_FLAGS.isdisjoint(words)
        or any(word.startswith(_FLAGS) for word in words)
        or not _VERBS.isdisjoint(words[1:4])
        or (_is_django(words) and "--noreload" not in words)
        or ("flask" in programs and "--debug" in words)
    )


def _is_django(words: Words) -> bool:
    return not {"runserver", "runserver_plus"}.isdisjoint(words)
