"""The commands that start what the compose files have, and start it anew."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from stoker.sidecar.plan import Plan
from stoker.sidecar.reloading import sees_changes
from stoker.sidecar.render.compose import document, short_volumes
from stoker.sidecar.render.files import Mode
from stoker.sidecar.render.given import HERE
from stoker.sidecar.render.places import FOUND, called, path_of, with_beneath


def start(plan: Plan, mode: Mode) -> str:
    """Return the command that starts it."""
    paths = with_beneath(plan, path_of(plan, mode))
    file = (word for each in _named(paths) for word in ("-f", each))
    how = ("--detach", *_scale(plan)) if mode == "prod" else _watch_option(plan)
    pulled = all(paths[-1] in image.pulled for image in plan.images)
    return shlex.join(("docker", "compose", *file, "up", *(() if pulled else ("--build",)), *how))


def _named(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the files that Compose has to be told of."""
    return () if paths[0] in FOUND and not paths[1:] else paths


def unseen(plan: Plan) -> Iterator[str]:
    """Yield what starts those workers anew that see no edit of what development binds into them.

    Compose is not told to: what they write there themselves would end the jobs that they run.
    """
    path = path_of(plan, "dev")
    made = document(plan, "dev", path)["services"]
    there = [each for each in plan.services if each.name in made and each.role != "dashboard"]
    still = [each.name for each in there if _is_bound(made[each.name]) and not sees_changes(each)]
    if still:
        read = with_beneath(plan, path)
        file = (word for each in _named(read) for word in ("-f", each))
        yield shlex.join(("docker", "compose", *file, "restart", *still))


def _is_bound(service: Mapping[str, Any]) -> bool:
    """Tell if a service has a directory of the host's, and Compose watches none of it."""
    hosts = (volume.partition(":")[0] for volume in short_volumes(service))
    watched = "develop" in service or "image" in service
    return not watched and any(host.startswith(HERE) for host in hosts)


def _watch_option(plan: Plan) -> tuple[str, ...]:
    """Compose refuses to watch where no service says what."""
    services = document(plan, "dev", path_of(plan, "dev"))["services"].values()
    return ("--watch",) if any("develop" in each for each in services) else ()


def _scale(plan: Plan) -> tuple[str, ...]:
    workers = (each for each in plan.services if each.role == "worker")
    path = path_of(plan, "prod")
    scaled = (each for each in workers if not (each.singleton or each.alone))
    name = next((called(plan, each, path) for each in scaled), None)
    return ("--scale", f"{name}=3") if name else ()
