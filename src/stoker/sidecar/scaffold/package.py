"""The worker's package: files to begin with. They are a person's from the first moment."""

from __future__ import annotations

from importlib import resources

from stoker.sidecar.scaffold.layout import Layout, worker_folder

_FILES = ("__init__.py", "app.py", "main.py", "jobs/__init__.py", "jobs/greet.py", "README.md")


def files(layout: Layout) -> dict[str, str]:
    """Return the contents of each file, by its path."""
    given = resources.files(__package__) / "files"
    folder = worker_folder(layout)
    return {f"{folder}/{name}": (given / f"{name}.txt").read_text("utf-8") for name in _FILES}
