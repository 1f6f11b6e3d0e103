"""The worker's package: files to begin with. They are a person's from the first moment."""

from __future__ import annotations

from importlib import resources

_FILES = ("__init__.py", "app.py", "main.py", "jobs/__init__.py", "jobs/greet.py", "README.md")


def files(folder: str) -> dict[str, str]:
    """Return the contents of each file, by its path: they go into this folder."""
    given = resources.files(__package__) / "files"
    return {f"{folder}/{name}": (given / f"{name}.txt").read_text("utf-8") for name in _FILES}
