"""The demo's working folder: begun anew, or gone on with."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path


class NotOurs(Exception):
    """There is a folder of that name, and it was not made by the demo."""


@dataclass(frozen=True)
class Size:
    """What the samples depend on."""

    uploads: int
    seed: int


class Folder:
    """Holds whatever the settings do not put elsewhere; a note in it says that it is the demo's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "worker.log"
        self._note = path / "demo.json"

    def kept(self) -> Size | None:
        """Return the samples of an earlier run, if they are complete."""
        if not self._note.is_file():
            return None
        note = json.loads(self._note.read_text(encoding="utf-8"))
        return Size(**note) if note else None

    def clear(self) -> None:
        """Empty it. Raises ``NotOurs``."""
        if self.path.is_dir() and any(self.path.iterdir()) and not self._note.is_file():
            raise NotOurs(f"{self.path} is not empty, and not from an earlier run of the demo")
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        (self.path / ".gitignore").write_text("*\n", encoding="utf-8")
        self._note.write_text("{}", encoding="utf-8")

    def filled(self, size: Size) -> None:
        """Note that all samples are there."""
        self._note.write_text(json.dumps(asdict(size)), encoding="utf-8")
