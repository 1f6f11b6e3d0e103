"""Where things are: on the host, relative to a file; in a container, below ``/app``."""

from __future__ import annotations

import posixpath

from stoker.sidecar.plan import NEW_FOR_PRODUCTION, Plan, Service, own_files
from stoker.sidecar.render.files import Mode

NAMES: dict[Mode, str] = {"dev": "compose.yaml", "prod": NEW_FOR_PRODUCTION}
FOUND = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""What Compose takes without being told."""

HOME = "/app"
"""Where an image of ours has its context's files."""
UID = 10001
"""Who runs in it: a number, which Kubernetes can check, and nobody of the host's."""
DATA = "/data"
"""Where a volume is mounted that several services share, unless their variables say another."""
CACHE = "/root/.cache"
"""Where package managers keep what they fetched, from one build to the next: where root, who
builds, has it, and where hadolint looks for it."""
USER = "app"
"""The same by name. Without one Celery takes it for root, and others do not start at all."""
OWNER = f"{UID}:{UID}"


def path_of(plan: Plan, mode: Mode) -> str:
    """Return where the compose file of a mode is, or will be."""
    own = own_files(plan.compose_files, production=mode == "prod")
    return own[0] if own else NAMES[mode]


def with_beneath(plan: Plan, path: str) -> tuple[str, ...]:
    """Return the compose files that Compose reads for one, itself the last."""
    return (*plan.layers.get(path, ()), path)


def called(plan: Plan, service: Service, path: str) -> str:
    """Return a service's name where a compose file is used."""
    known = [service.own[each] for each in with_beneath(plan, path) if each in service.own]
    return known[-1] if known else service.name


def extended(plan: Plan, path: str) -> str:
    """Return which of the files beneath one gets the same services of ours, if one does."""
    beneath = plan.layers.get(path, ())
    return next((each for each in beneath if each == path_of(plan, "dev")), "")


def inside(*parts: str) -> str:
    """Return the place in the container of a place in the context."""
    return posixpath.normpath(posixpath.join(HOME, *parts))


def relative(place: str, file: str) -> str:
    """Return ``place`` as ``file`` has to name it, both relative to the root."""
    path = posixpath.relpath(posixpath.normpath(place), posixpath.dirname(file) or ".")
    return path if path.startswith(".") else f"./{path}"


def in_context(context: str, place: str) -> str:
    """Return a place of the context, relative to the root."""
    return posixpath.normpath(posixpath.join(context, place))
