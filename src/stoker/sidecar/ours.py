"""What may be Stoker's: files, by their names alone, and what has its mark."""

from __future__ import annotations

import re
from fnmatch import translate

MARK = "x-stoker"
"""The key of its mark, on a service or volume of a compose file."""

_NAMES = (
    "Dockerfile*",
    "*.Dockerfile",
    ".dockerignore",
    ".env.example",
    "*compose*.yaml",
    "*compose*.yml",
    "devcontainer.json",
    "pyproject.toml",
)
_OURS = re.compile("|".join(translate(pattern) for pattern in _NAMES))
_FOLDERS = ("kubernetes",)


def is_dockerfile(path: str) -> bool:
    """Return whether a file is called as Dockerfiles are."""
    name = path.rpartition("/")[2]
    return name.startswith("Dockerfile") or name.endswith(".Dockerfile")


def may_be_ours(path: str) -> bool:
    """Return whether a file of this name may hold something of Stoker's."""
    folder, _, name = path.rpartition("/")
    if folder.rpartition("/")[2] in _FOLDERS and name.endswith(".yaml"):
        return True
    return _OURS.match(name) is not None
