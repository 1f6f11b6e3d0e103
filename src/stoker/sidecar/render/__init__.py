"""Plan → files. Pure: sees nothing but the plan, and one small module for each kind of file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from stoker.sidecar.plan import Plan, checked
from stoker.sidecar.render import (
    compose,
    devcontainer,
    dockerfile,
    dockerignore,
    environment,
    kubernetes,
)
from stoker.sidecar.render.devcontainer import has_app, opened
from stoker.sidecar.render.files import File, Mode, Target
from stoker.sidecar.render.places import extended, path_of
from stoker.sidecar.render.reaching import reached
from stoker.sidecar.render.starting import start, unseen

TARGETS: tuple[Target, ...] = ("compose", "devcontainer", "kubernetes")
MODES: tuple[Mode, ...] = ("dev", "prod")

__all__ = [
    "MODES", "TARGETS", "File", "Mode", "Target", "has_app", "opened", "path_of", "reached",
    "render", "start", "unseen",
]  # fmt: skip


def render(
    plan: Plan, targets: Collection[Target] = ("compose",), modes: Sequence[Mode] = MODES
) -> dict[str, File]:
    """Return the files for a plan, by path.

    Raises ``ConfigError`` if something in the plan cannot be written safely.
    """
    plan = checked(plan)
    if not plan.services:
        return {}
    return {file.path: file for file in _files(plan, targets, modes)}


def _files(plan: Plan, targets: Collection[Target], modes: Sequence[Mode]) -> Iterator[File]:
    yield from dockerfile.render(plan)
    yield from dockerignore.render(plan)
    yield from environment.render(plan)
    if "compose" in targets or "devcontainer" in targets:
        on_top = "prod" in modes and extended(plan, path_of(plan, "prod"))
        for mode in MODES if on_top else modes:
            yield compose.render(plan, mode, start(plan, mode))
    if "devcontainer" in targets:
        yield from devcontainer.render(plan)
    if "kubernetes" in targets:
        yield from kubernetes.render(plan)
