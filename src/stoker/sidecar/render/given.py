"""What the project's own compose files give a service, in the file that is written.

In the same file all of it holds, to the letter. A file for production that the project has not has
none of its other services and networks: there it is the files of variables, the variables, whose
secrets are the operator's, and the volumes that have what people and jobs put there.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from stoker.sidecar.interpolation import otherwise, required, settled
from stoker.sidecar.layered import merged, moved
from stoker.sidecar.plan import Image, Plan, Service, own_files
from stoker.sidecar.render.files import Mode
from stoker.sidecar.render.places import extended, with_beneath
from stoker.sidecar.secrets.compose import without_secrets
from stoker.sidecar.shared_file import is_kept
from stoker.sidecar.values import Given

_MODES = ("RAILS_ENV", "RACK_ENV", "NODE_ENV", "FLASK_ENV")
"""What frameworks are told to be; an image for production has not what development needs."""
_DEBUG = re.compile(r"(?:\A|_)DEBUG\Z")
_OFF = {"1": "0", "true": "false", "on": "off", "yes": "no"}
"""Where it is on, what it is in production."""
_LOG_LEVEL = re.compile(r"(?:\A|_)LOG_?LEVEL\Z")
_FOR_A_DESK = ("debug", "trace")
_USUAL_LEVEL = "info"
_PATTERN = re.compile(r"[*?\[\]!#$\\]")
"""What Compose would take for more than a name, in what it is told to ignore."""
HERE = (".", "/", "~")
"""What a path of the host begins with, where a volume has a name."""


class Parts:
    """What of it goes into a service of a compose file."""

    def __init__(self, plan: Plan, service: Service, image: Image, path: str, mode: Mode) -> None:
        found = given_in(plan, service, path, mode)
        self.in_files = found.in_files if found and found.path == path else frozenset[str]()
        """The variables that its files say, where these are meant for this file."""
        self.has_files = found is not None and bool(found.env_file)
        """It has files of variables, here or in a file beneath."""
        self._folder = posixpath.dirname(path)
        self.env_files: list[Any] = []
        self.environment: Mapping[str, str | None] = {}
        self.final: Mapping[str, str | None] = {}
        """Those variables that nothing else can know better."""
        self.production: Mapping[str, str] = {}
        """Those of its variables that are another's here: by default, if an operator chooses."""
        self.awaited: dict[str, Any] = {}
        self.networks: list[str] = []
        self.restart = ""
        self.logging: Mapping[str, Any] = {}
        self.volumes: list[str] = []
        self.here: tuple[str, ...] = ()
        """All those of the app's that the file has, whether they go into the service or not."""
        if mode == "prod":
            said = found.environment if found else {}
            self.production = {
                name: otherwise(said.get(name) or "", text)
                for name, text in in_production(plan, service, path).items()
            }
        if found is None:
            return
        self.env_files = [
            place if needed else {"path": place, "required": False}
            for place, needed in moved(found, path).env_file.items()
        ]
        if found.path != path:
            if image.existing:
                self.here = tuple(filter(is_kept, found.volumes))
                self.volumes = list(self.here)
            self.environment = {
                name: None if text is None else without_secrets(name, text)
                for name, text in found.environment.items()
            }
            return
        near = {path, extended(plan, path) if mode == "prod" else path}
        self.environment = self.final = {
            name: text
            if text is None or found.elsewhere.get(name, path) in near
            else without_secrets(name, text)
            for name, text in found.environment.items()
        }
        self.networks = list(found.networks)
        self.restart, self.logging = found.restart, found.logging
        self.here = found.volumes
        self.awaited = {
            name: {"condition": condition}
            for name, condition in found.depends_on.items()
            if name != service.called(path)
        }
        if image.existing:  # in an image of ours the source is elsewhere
            self.volumes = list(found.volumes)

    def binds(self, watched: Mapping[str, str]) -> bool:
        """Tell if what would be watched is below a bind mount."""
        place = self._place(watched["path"])
        return any(each == "." or f"{place}/".startswith(f"{each}/") for each in self._bound())

    def bound_below(self, watched: Mapping[str, str]) -> list[str]:
        """Return what is bound of the directory that would be watched, relative to that."""
        place = self._place(watched["path"])
        found = (posixpath.relpath(each, place) for each in self._bound())
        return sorted(
            {e for e in found if not e.startswith("..") and not _PATTERN.search(e)} - {"."}
        )

    def _bound(self) -> list[str]:
        hosts = (volume.partition(":")[0] for volume in self.volumes)
        return [self._place(host) for host in hosts if host.startswith(".")]

    def _place(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self._folder, path))


def given_in(plan: Plan, service: Service, path: str, mode: Mode) -> Given | None:
    """Return what a service is given in a file: there, or for production where it is developed.

    What the files beneath say of it holds, too.
    """
    by_path = {given.path: given for given in service.given}
    known = merged(by_path[each] for each in with_beneath(plan, path) if each in by_path)
    if known is not None or mode == "dev":
        return known and msgspec.structs.replace(moved(known, path), path=path)
    found = next((by_path[each] for each in own_files(by_path, production=False)), None)
    return _for_production(found, plan.elsewhere) if found else None


def in_production(plan: Plan, service: Service, path: str) -> dict[str, str]:
    """Return the variables that are another's, unless a file for production says what they are.

    What a file of variables says of them is not known.
    """
    found = given_in(plan, service, path, "prod")
    said = {name for each in service.given if each.path == path for name in each.environment}
    known = found.environment if found else {}
    unknown = found is not None and bool(found.env_file)
    return {
        name: text
        for name, text in service.production.items()
        if name not in said and (name in known or not unknown)
    }


def _for_production(given: Given, elsewhere: Collection[str]) -> Given:
    """Return what a service is developed with, as one that is not."""
    told = {
        name: required(name) if name in elsewhere else _produced(name, text)
        for name, text in given.environment.items()
    }
    return msgspec.structs.replace(given, environment=told)


def _produced(name: str, text: str | None) -> str | None:
    plain = settled(text) if text else None
    if not text or not plain:
        return text
    if name in _MODES and plain in ("development", "dev"):
        return "production"
    if _DEBUG.search(name) and plain.lower() in _OFF:
        return _as(plain, _OFF[plain.lower()])
    if _LOG_LEVEL.search(name) and plain.lower() in _FOR_A_DESK:
        return otherwise(text, _as(plain, _USUAL_LEVEL))
    return text


def _as(value: str, other: str) -> str:
    """Return another value in the letters of the first: ``False`` for ``True``."""
    return other.upper() if value.isupper() else other.capitalize() if value.istitle() else other
