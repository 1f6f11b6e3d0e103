"""Programs of Python that start a worker's command again when a file changes.

That is for the desk: the worker is the command, as where ``watchmedo`` is written before it.
"""

from __future__ import annotations

from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_started import commands
from stoker.sidecar.detect.spotting import spotting

_RELOADERS = frozenset({
    "watchgod.run_process", "watchfiles.run_process", "django.utils.autoreload.run_with_reloader",
    "hupper.start_reloader",
})  # fmt: skip
_SPOKEN_OF = spotting("run_process", "run_with_reloader", "start_reloader")


def reloaded(source: PythonSource, path: str) -> Launch | None:
    """Return the command that a program restarts, if it is a worker's."""
    if path not in source.paths or _SPOKEN_OF.search(source.project.text(path)) is None:
        return None
    module = source.module(path)
    if module is None or not any(full in _RELOADERS for full, _ in module.calls):
        return None
    return next((launch for _, launch in commands(module)), None)
