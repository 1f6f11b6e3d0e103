"""How a Python application is laid out, as far as its new worker has to know."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from stoker.errors import ConfigError
from stoker.sidecar.detect import opened
from stoker.sidecar.detect.looking import look
from stoker.sidecar.detect.packages import read_manifests
from stoker.sidecar.detection import Detection
from stoker.sidecar.planning import begun
from stoker.sidecar.planning.names import slug
from stoker.sidecar.project import Project
from stoker.sidecar.scaffold.package import files
from stoker.sidecar.write import lines

WORKER = begun.PACKAGE
_NO_APPLICATION = ("tests", "test", "docs", "examples", "scripts", "migrations", WORKER)


class Layout(msgspec.Struct, frozen=True):
    """What was found."""

    name: str
    source: str
    """The folder that packages are imported from: ``src`` or ``.``."""
    packages: tuple[str, ...]
    """The application's own."""
    manager: str
    seen: Detection
    """The project as it is with the worker in it: what ``generate`` then sees."""
    begun: dict[str, str]
    """The worker's files to begin with, by their paths."""
    side_by_side: tuple[str, ...]
    """Packages of which its ``pyproject.toml`` has to say that they are its own."""
    has_pyproject: bool
    has_contracts: bool
    """It has import contracts of its own."""


def worker_folder(layout: Layout) -> str:
    """Return where the worker's package goes: beside the application's."""
    return _folder(layout.source)


def _folder(source: str) -> str:
    return WORKER if source == "." else f"{source}/{WORKER}"


def look_at(root: Path) -> Layout:
    """Look at an application; nothing of it is imported. Raises ``ConfigError`` if it is none."""
    source = "src" if (root / "src").is_dir() and _packages(root / "src") else "."
    project = opened(root)
    wanted = files(_folder(source), "" if _has_stoker(project) else "stoker")
    project.pretend({name: wanted[name] for name in wanted.keys() - project.files})
    seen = look(project)
    if "redis" in seen.brokers and not _has_stoker(project):
        wanted = files(_folder(source), "stoker[redis]")
    found = [each for each in seen.packages if (each.dir, each.language) == (".", "python")]
    if not found:
        raise ConfigError(
            f"{root} holds no Python application: no pyproject.toml, requirements.txt or Pipfile",
            hint="stoker init PATH, where PATH is the application's folder",
        )
    file = root / "pyproject.toml"
    text = file.read_text("utf-8") if file.is_file() and not file.is_symlink() else None
    settings = _read(lines.remove(text or "", force=True)[0])  # our own contract is none of its
    return Layout(
        name=slug(root.resolve().name),
        source=source,
        packages=_packages(root / source),
        manager=found[0].manager,
        seen=seen,
        begun=wanted,
        side_by_side=next(each.side_by_side for each in seen.packages if each.language == "python"),
        has_pyproject=text is not None,
        has_contracts="importlinter" in settings.get("tool", {}),
    )


def _has_stoker(project: Project) -> bool:
    """Tell if the application itself depends on it."""
    found = read_manifests(project).dependencies
    return any((each.name, each.dir) == ("stoker", ".") and not each.dev for each in found)


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"pyproject.toml: {error}", hint="repair it first") from None


def _packages(folder: Path) -> tuple[str, ...]:
    inits = sorted(folder.glob("*/__init__.py"))
    return tuple(i.parent.name for i in inits if i.parent.name not in _NO_APPLICATION)
