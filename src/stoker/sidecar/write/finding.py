"""Where Stoker may have written: by name, without following links."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePath

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
_FOLDERS = ("kubernetes",)
_SKIPPED = (".git", "node_modules", ".venv", "venv", "target", "vendor", "__pycache__")


def written_by_stoker(root: Path) -> Iterator[str]:
    """Yield the paths of files that may hold something of Stoker's."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        here = Path(folder).relative_to(root)
        for name in sorted(files):
            path = here / name
            if may_be_ours(path) and not (root / path).is_symlink():
                yield path.as_posix()


def may_be_ours(path: PurePath) -> bool:
    """Return whether a file of this name may hold something of Stoker's."""
    if path.parent.name in _FOLDERS and path.suffix == ".yaml":
        return True
    return any(fnmatch(path.name, pattern) for pattern in _NAMES)
