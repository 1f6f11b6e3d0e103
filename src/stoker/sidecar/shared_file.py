"""What several containers share: an SQLite file's directory, and a volume with uploads."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from stoker.sidecar.interpolation import filled

_ABSOLUTE = re.compile(r"sqlite:///((?:/(?!\.{1,2}/)[\w.-]+)+)/[\w.-]+", re.ASCII)

_TAKEN = frozenset({"/app", "/bin", "/etc", "/lib", "/opt", "/root", "/sbin", "/usr"})
"""Where an image has its own files: a volume there would hide them."""


_MADE = frozenset({
    "node_modules", ".venv", "venv", "env", "site-packages", "bundle", "gems", "vendor", "cargo",
    "pkg", "mod", "target", "dist", "build", ".next", ".nuxt", "cache", ".cache", ".npm", "tmp",
    "pnpm", ".pnpm-store", ".yarn", "registry", "root", "home",
})  # fmt: skip
"""Parts of a place where packages are, what is built, or what only a developer has."""


def folder(url: str) -> str:
    """Return the directory of the file that a URL names, if a volume can be mounted there."""
    found = _ABSOLUTE.fullmatch(url)
    return found[1] if found and found[1] not in _TAKEN else ""


def place(urls: Iterable[str]) -> str:
    """Return the directory of the first that names a file."""
    return next((found for url in urls if (found := folder(url))), "")


def holding(volumes: Iterable[str], place: str) -> Iterator[str]:
    """Yield those of the volumes of a compose file, in their short form, that a place is on."""
    for volume in volumes:
        _, target = ends(volume)
        if place and target and f"{place}/".startswith(f"{posixpath.normpath(target)}/"):
            yield volume


def is_kept(volume: str) -> bool:
    """Tell if a volume has what is kept, in production too: uploads, say, and no packages."""
    _, target = ends(volume)
    made = _MADE.intersection(target.lower().split("/"))
    return "$" not in volume and is_named(volume) and not made


def is_named(volume: str) -> bool:
    """Tell if a volume is no directory of the host's: it can be had in production, too."""
    source, target = ends(volume)
    return bool(target) and not source.startswith((".", "/", "~", "$"))


def ends(volume: str) -> tuple[str, str]:
    """Return what is mounted, and where: nothing, of a volume without a name."""
    source, _, rest = filled(volume, {}).partition(":")
    return source, rest.partition(":")[0]
