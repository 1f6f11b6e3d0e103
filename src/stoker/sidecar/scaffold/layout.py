"""How a Python application is laid out, as far as its new worker has to know."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from stoker.errors import ConfigError
from stoker.sidecar.write import lines

WORKER = "bg_worker"
_MANAGERS = (
    ("uv", ("pyproject.toml", "uv.lock")),
    ("poetry", ("pyproject.toml", "poetry.lock")),
    ("pdm", ("pyproject.toml", "pdm.lock")),
    ("pipenv", ("Pipfile", "Pipfile.lock")),
    ("pip", ("requirements.txt",)),
    ("pip", ("pyproject.toml",)),
    ("pip", ("setup.py",)),
)
_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_NO_APPLICATION = ("tests", "test", "docs", "examples", "scripts", "migrations", WORKER)
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class Layout(msgspec.Struct, frozen=True):
    """What was found."""

    name: str
    source: str
    """The folder that packages are imported from: ``src`` or ``.``."""
    packages: tuple[str, ...]
    """The application's own."""
    manager: str
    manifests: tuple[str, ...]
    compose_files: tuple[str, ...]
    has_pyproject: bool
    has_contracts: bool
    """It has import contracts of its own."""


def worker_folder(layout: Layout) -> str:
    """Return where the worker's package goes: beside the application's."""
    return WORKER if layout.source == "." else f"{layout.source}/{WORKER}"


def look_at(root: Path) -> Layout:
    """Look at an application; nothing of it is imported. Raises ``ConfigError`` if it is none."""
    found = next(
        (kind for kind in _MANAGERS if all((root / name).is_file() for name in kind[1])), None
    )
    if found is None:
        raise ConfigError(
            f"{root} holds no Python application: no pyproject.toml, requirements.txt or Pipfile",
            hint="stoker init PATH, where PATH is the application's folder",
        )
    file = root / "pyproject.toml"
    text = file.read_text("utf-8") if file.is_file() and not file.is_symlink() else None
    settings = _read(lines.remove(text or "", force=True)[0])  # our own contract is none of its
    source = "src" if (root / "src").is_dir() and _packages(root / "src") else "."
    return Layout(
        name=_name(settings.get("project", {}).get("name") or root.resolve().name),
        source=source,
        packages=_packages(root / source),
        manager=found[0],
        manifests=found[1],
        compose_files=tuple(name for name in _COMPOSE if (root / name).is_file())[:1],
        has_pyproject=text is not None,
        has_contracts="importlinter" in settings.get("tool", {}),
    )


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"pyproject.toml: {error}", hint="repair it first") from None


def _packages(folder: Path) -> tuple[str, ...]:
    inits = sorted(folder.glob("*/__init__.py"))
    return tuple(i.parent.name for i in inits if i.parent.name not in _NO_APPLICATION)


def _name(text: str) -> str:
    return _NOT_IN_A_NAME.sub("-", str(text).lower()).strip("-")[:63] or "app"
