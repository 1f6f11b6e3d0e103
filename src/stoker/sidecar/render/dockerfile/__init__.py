"""A multi-stage Dockerfile: one image for the app and its workers, and only the commands differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from stoker.errors import ConfigError
from stoker.sidecar.detection import Language
from stoker.sidecar.plan import Image, Plan, Service, started
from stoker.sidecar.render import commands, stores
from stoker.sidecar.render.dockerfile import golang, node, python, ruby, rust
from stoker.sidecar.render.dockerfile.instructions import array, run, variable
from stoker.sidecar.render.files import File
from stoker.sidecar.render.places import OWNER, UID, in_context, inside

_BUILDS: Mapping[Language, Callable[[Image], list[str]]] = {
    "python": python.stages,
    "node": node.stages,
    "ruby": ruby.stages,
    "go": golang.stages,
    "rust": rust.stages,
}
"""Each returns the stages, the last of which has all that the worker needs."""
_DEV_IS_WORKER: tuple[Language, ...] = ("python",)


def render(plan: Plan) -> Iterator[File]:
    """Yield the Dockerfiles that the project does not have."""
    for image in plan.images:
        users = [service for service in started(plan) if service.image == image.name]
        if users and not image.existing:
            path = in_context(image.context, image.dockerfile)
            yield File(path, _text(image, users, _shared(plan, users)))


def worker_stage(image: Image) -> str:
    """Return the stage that services start from, empty if there is but one."""
    return image.target if image.existing else image.target or "worker"


def dev_stage(image: Image) -> str:
    """Return the stage with what development needs."""
    return worker_stage(image) if image.existing or image.language in _DEV_IS_WORKER else "dev"


def _shared(plan: Plan, users: list[Service]) -> list[str]:
    """Return the directories of the files that services share."""
    needed = {need for service in users for need in service.needs}
    found = (store for store in plan.stores if store.name in needed and stores.shared(store))
    return sorted({stores.place(store) for store in found})


def _text(image: Image, users: list[Service], shared: list[str]) -> str:
    try:
        stages = _BUILDS[image.language](image)
    except KeyError:
        raise ConfigError(
            f"image {image.name!r}: no Dockerfile is known for {image.language}",
            hint="write one, and set existing to true in the plan",
        ) from None
    # A new volume takes its owner from the directory that it is mounted on.
    owned = run(["install", "-d", "-o", str(UID), "-g", str(UID), *shared]) if shared else []
    lines = [*stages, *owned, *_start(users[0])]
    return "\n".join(lines) + "\n"


def _start(service: Service) -> Iterator[str]:
    """Yield how the last stage starts. Other services of the image have commands of their own."""
    yield f"USER {OWNER}"
    if service.dir != ".":
        yield f"WORKDIR {variable(inside(service.dir))}"
    if service.stop_signal != "SIGTERM":
        yield f"STOPSIGNAL {service.stop_signal}"
    if service.health is None:
        yield "# No check means anything for this worker: the restart policy sees its end."
        yield "HEALTHCHECK NONE"
    else:
        health = service.health
        yield (
            f"HEALTHCHECK --interval={health.interval}s --timeout={health.timeout}s "
            f"--start-period={health.start_period}s --retries={health.retries} \\\n"
            f"    CMD {array(health.command)}"
        )
    yield f"CMD {array(commands.of_image(service))}"
