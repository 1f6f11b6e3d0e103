"""What is said of one member of a workspace, as it is for another: the worker's, not the app's."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from stoker.sidecar.detection import Detection, Package
from stoker.sidecar.shared_file import is_named


def arguments(detection: Detection, package: Package, args: Mapping[str, str]) -> dict[str, str]:
    """Return a Dockerfile's arguments with a member's own name or directory: ``APP: api``."""
    own = {
        text: mine
        for other in _others(detection, package)
        for text, mine in (
            (other.dir, package.dir),
            (posixpath.basename(other.dir), posixpath.basename(package.dir)),
            (other.name, package.name),
        )
        if text and mine
    }
    return {name: own.get(value, value) for name, value in args.items()}


def volumes(detection: Detection, package: Package, mounted: Iterable[str]) -> tuple[str, ...]:
    """Return what a service has mounted, with its own directories in place of another member's.

    ``/repo/apps/api/node_modules`` keeps what an image has there, beneath a directory of the host.
    One with a name has what is the other's; what is of the host is what it is.
    """
    others = [other.dir for other in _others(detection, package)]
    return tuple(dict.fromkeys(_own(each, others, package.dir) for each in mounted))


def _own(volume: str, others: Iterable[str], dir: str) -> str:
    host, _, place = volume.rpartition(":")
    for other in others:
        before, found, rest = place.partition(f"/{other}/")
        if found and (not host or is_named(volume)):
            return f"{before}/{dir}/{rest}"
    return volume


def _others(detection: Detection, package: Package) -> Iterator[Package]:
    for other in detection.packages:
        of_same = other.workspace == package.workspace and other.language == package.language
        if package.workspace and of_same and other.dir not in (package.dir, package.workspace):
            yield other
