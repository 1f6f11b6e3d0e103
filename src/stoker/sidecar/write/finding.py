"""Where Stoker may have written: by name, without following links."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import translate
from pathlib import Path

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
_SKIPPED = (".git", "node_modules", ".venv", "venv", "target", "vendor", "__pycache__")


def written_by_stoker(root: Path) -> Iterator[str]:
    """Yield the paths of files that may hold something of Stoker's."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        here = Path(folder).relative_to(root)
        for name in sorted(files):
            path = (here / name).as_posix()
            if may_be_ours(path) and not (root / path).is_symlink():
                yield path


def may_be_ours(path: str) -> bool:
    """Return whether a file of this name may hold something of Stoker's."""
    folder, _, name = path.rpartition("/")
    if folder.rpartition("/")[2] in _FOLDERS and name.endswith(".yaml"):
        return True
    return _OURS.match(name) is not None
