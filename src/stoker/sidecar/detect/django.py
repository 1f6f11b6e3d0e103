"""Which settings Django has in production, where a worker would have those of a developer."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detect.grammar.words import options
from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detection import Unit
from stoker.sidecar.inside import is_below
from stoker.sidecar.interpolation import settled
from stoker.sidecar.plan import for_development
from stoker.sidecar.project import Project

SETTINGS = "DJANGO_SETTINGS_MODULE"
_BY_DEFAULT = re.compile(rf"""{SETTINGS}["']\s*,\s*["']([\w.]+)""")
_DESK = frozenset({"dev", "develop", "development", "devel", "local"})
_PRODUCTION = ("production", "prod", "pro", "live")
"""What a module is called that is for this use, the most usual first."""


def with_production(project: Project, unit: Unit, web: Unit | None) -> Unit:
    """Return a unit with the settings that it has in production.

    What it would have is what compose files tell it, or else what its source has by default,
    unless an image says it.
    """
    if unit.language not in ("python", None):
        return unit
    every = [*for_development(unit), *(for_development(web) if web else [])]
    told = [settled(text) for each in every if (text := each.environment.get(SETTINGS))]
    said = [(name or "", unit.dir) for name in told] or list(_by_default(project, unit))
    found = next((own for name, near in said if (own := _beside(project, name, near))), "")
    return msgspec.structs.replace(unit, production={SETTINGS: found}) if found else unit


def _by_default(project: Project, unit: Unit) -> Iterator[tuple[str, str]]:
    """Yield what a unit's own source says, each with the directory of the file that does.

    The first file that says something decides: another one is for another program.
    """
    images = project.matching(r"(.*[._-])?dockerfile([._-].*)?")
    if any(SETTINGS.encode() in project.data(path) for path in images):
        return
    for path in dict.fromkeys(_own_files(project, unit)):
        if SETTINGS.encode() in project.data(path) and not project.is_aside(path):
            said = _BY_DEFAULT.findall(project.text(path))
            yield from ((name, directory(path)) for name in said)
            if said:
                return


def _own_files(project: Project, unit: Unit) -> Iterator[str]:
    """Yield the files that a unit is made of, or may be: that of the app it names first."""
    for app in options(unit.command, "-A", "--app"):
        module = app.partition(":")[0].replace(".", "/")
        for end in (".py", "/celery.py", "/__init__.py"):
            path = posixpath.normpath(posixpath.join(unit.dir, f"{module}{end}"))
            yield from [path] if path in project.files else []
    seen = [each.path for each in unit.evidence if each.path.endswith(".py")]
    for path in (*seen, *project.named("celery.py", "manage.py")):
        if _is_near(directory(path), unit.dir):
            yield path


def _beside(project: Project, module: str, near: str) -> str:
    """Return the module for production that lies beside one for development, if there is one.

    It is imported from a directory that the one which is ``near`` lies in, or has in it.
    """
    package, _, name = module.rpartition(".")
    place = package.replace(".", "/")
    for each in _PRODUCTION if package and name in _DESK else ():
        file = f"{place}/{each}.py"
        for path in project.named(f"{each}.py"):
            home = path.removesuffix(file).rstrip("/") or "."
            if f"/{path}".endswith(f"/{file}") and _is_near(home, near):
                return f"{package}.{each}"
    return ""


def _is_near(one: str, other: str) -> bool:
    """Tell if one of two directories is in the other."""
    return is_below(one, other) or is_below(other, one)
