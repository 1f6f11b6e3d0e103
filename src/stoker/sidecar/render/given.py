"""What the project's own compose files give a service, in the file that is written.

In the same file all of it holds, to the letter. A file for production that the project has not has
none of its other services and networks: there it is the files of variables, and the variables,
whose secrets are the operator's.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from stoker.sidecar.plan import Image, Service, own_files
from stoker.sidecar.render.files import Mode
from stoker.sidecar.render.interpolation import required
from stoker.sidecar.values import SECRET, Given

_HERE = (".", "/", "~")
"""What a path of the host begins with, where a volume has a name."""


_NAMES = re.compile(
    r"(^|_)(PASS|PWD|PASSPHRASE|KEY|SALT|PEPPER|AUTH|COOKIE|JWT|HMAC|CERT|PEM|WEBHOOK\w*)$",
    re.IGNORECASE,
)
"""How the names of variables end that hold a secret, beyond those that say so."""
_VALUES = re.compile(
    r"-----BEGIN "
    r"|^(sk|pk|rk|whsec|gh[pousr]|glpat|npm|pypi|xox[abeprs]|AKIA|SG|eyJ)[-_.A-Za-z0-9]{16,}"
    r"|^[0-9A-Fa-f]{32,}$"
    r"|(?i:\b(password|passwd|pwd|secret|token|api_?key|access_?key|account_?key)=[^\s;&])"
)
"""What a secret looks like under any name: a token, a key, a connection's password."""


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
        if found is None:
            return
        self.env_files = [
            place if needed else {"path": place, "required": False}
            for place, needed in _env_files(found, path).items()
        ]
        if found.path != path:
            hidden = secrets(found)
            self.environment = {
                name: required(name) if name in hidden else value
                for name, value in found.environment.items()
            }
            return
        self.environment = self.final = found.environment
        self.networks = list(found.networks)
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
    return next((by_path[each] for each in own_files(by_path, production=False)), None)


def secrets(given: Given) -> list[str]:
    """Return the variables whose secrets stand in the file."""
    return [
        name
        for name, value in given.environment.items()
        if value and "$" not in value and is_secret(name, value)
    ]


def is_secret(name: str, value: str) -> bool:
    """Tell if a value is nothing for a file that is kept: rather once too often."""
    named = SECRET.search(name.upper()) or _NAMES.search(name)
    return bool(value) and bool(named or _VALUES.search(value) or _has_password(value))


def _has_password(value: str) -> bool:
    try:
        return "://" in value and bool(urlsplit(value).password)
    except ValueError:
        return True  # an address that nobody can read: rather too careful


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
