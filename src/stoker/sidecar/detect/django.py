"""Which settings Django has in production, where a worker would have those of a developer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detection import Unit
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
    named = told or list(_defaults(project, unit))
    found = next((own for name in named if (own := _beside(project, name or ""))), "")
    return msgspec.structs.replace(unit, production={SETTINGS: found}) if found else unit


def _defaults(project: Project, unit: Unit) -> Iterator[str]:
    images = project.matching(r"(.*[._-])?dockerfile([._-].*)?")
    if any(SETTINGS.encode() in project.data(path) for path in images):
        return
    own = [each.path for each in unit.evidence if each.path.endswith(".py")]
    for path in dict.fromkeys([*own, *project.named("celery.py", "manage.py")]):
        if SETTINGS.encode() in project.data(path) and not project.is_aside(path):
            yield from _BY_DEFAULT.findall(project.text(path))


def _beside(project: Project, module: str) -> str:
    """Return the module for production that lies beside one for development, if there is one."""
    package, _, name = module.rpartition(".")
    place = package.replace(".", "/")
    for each in _PRODUCTION if package and name in _DESK else ():
        file = f"{place}/{each}.py"
        if any(f"/{path}".endswith(f"/{file}") for path in project.named(f"{each}.py")):
            return f"{package}.{each}"
    return ""
