"""The worker's package: files to begin with. They are a person's from the first moment."""

from __future__ import annotations

from importlib import resources

_FILES = ("__init__.py", "app.py", "main.py", "jobs/__init__.py", "jobs/greet.py", "README.md")
_REQUIREMENTS = "requirements.txt"


def files(folder: str, stoker: str) -> dict[str, str]:
    """Return the contents of each file, by its path: they go into this folder.

    ``stoker`` is the requirement that its image has it by; empty where the application has it.
    """
    given = resources.files(__package__) / "files"
    texts = {name: (given / f"{name}.txt").read_text("utf-8") for name in _FILES}
    if stoker:
        wanted = (given / f"{_REQUIREMENTS}.txt").read_text("utf-8")
        texts[_REQUIREMENTS] = wanted.format(stoker=stoker)
    return {f"{folder}/{name}": text for name, text in texts.items()}
