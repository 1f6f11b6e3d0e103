"""What the project's own compose files give a service, in the file that is written.

In the same file all of it holds, to the letter. A file for production that the project has not has
none of its other services and networks: there it is the files of variables, and the variables,
whose secrets are the operator's.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

import msgspec

from stoker.sidecar.interpolation import settled
from stoker.sidecar.plan import Image, Service, own_files
from stoker.sidecar.render.files import Mode
from stoker.sidecar.secrets.compose import without_secrets
from stoker.sidecar.values import Given

_MODES = ("RAILS_ENV", "RACK_ENV", "NODE_ENV")
"""What frameworks are told to be; an image for production has not what development needs."""
_HERE = (".", "/", "~")
"""What a path of the host begins with, where a volume has a name."""


class Parts:
    """What of it goes into a service of a compose file."""

    def __init__(self, service: Service, image: Image, path: str, mode: Mode) -> None:
        found = given_in(service, path, mode)
        self._folder = posixpath.dirname(path)
        self.env_files: list[Any] = []
        self.environment: Mapping[str, str | None] = {}
        self.final: Mapping[str, str | None] = {}
        """Those variables that nothing else can know better."""
        self.awaited: dict[str, Any] = {}
        self.networks: list[str] = []
        self.volumes: list[str] = []
        self.here: tuple[str, ...] = ()
        """All those of the same file, whether they go into the service or not."""
        if found is None:
            return
        self.env_files = [
            place if needed else {"path": place, "required": False}
            for place, needed in _env_files(found, path).items()
        ]
        if found.path != path:
            self.environment = {
                name: None if text is None else without_secrets(name, text)
                for name, text in found.environment.items()
            }
            return
        self.environment = self.final = found.environment
        self.networks = list(found.networks)
        self.here = found.volumes
        self.awaited = {
            name: {"condition": condition}
            for name, condition in found.depends_on.items()
            if name != service.name
        }
        if mode == "dev" and image.existing:  # in an image of ours the source is elsewhere
            self.volumes = list(found.volumes)

    def binds(self, watched: Mapping[str, str]) -> bool:
        """Tell if what would be watched is below a bind mount."""
        place = self._place(watched["path"])
        hosts = (volume.partition(":")[0] for volume in self.volumes)
        bound = [self._place(host) for host in hosts if host.startswith(_HERE)]
        return any(each == "." or f"{place}/".startswith(f"{each}/") for each in bound)

    def _place(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self._folder, path))


def given_in(service: Service, path: str, mode: Mode) -> Given | None:
    """Return what a service is given in a file: there, or for production where it is developed."""
    by_path = {given.path: given for given in service.given}
    if path in by_path or mode == "dev":
        return by_path.get(path)
    found = next((by_path[each] for each in own_files(by_path, production=False)), None)
    return _for_production(found) if found else None


def _for_production(given: Given) -> Given:
    """Return what a service is developed with, as one that is not."""
    environment = {
        name: "production"
        if name in _MODES and text and settled(text) in ("development", "dev")
        else text
        for name, text in given.environment.items()
    }
    return msgspec.structs.replace(given, environment=environment)


def _env_files(given: Given, path: str) -> dict[str, bool]:
    """Return them as a file in another folder has to name them."""
    here, there = posixpath.dirname(path), posixpath.dirname(given.path)
    if here == there:
        return given.env_file
    return {
        place
        if place.startswith(("/", "~", "$"))
        else posixpath.relpath(posixpath.join(there, place), here or "."): needed
        for place, needed in given.env_file.items()
    }
