"""Where Stoker may have written: by name, without following links."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from stoker.sidecar.ours import may_be_ours

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
