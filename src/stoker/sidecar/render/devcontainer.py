"""A development container: the editor in the app's service, its broker and workers beside it."""

from __future__ import annotations

import json
import posixpath
import shlex
from collections.abc import Iterator
from typing import Any

from stoker.sidecar.interpolation import escape
from stoker.sidecar.plan import Image, Plan, Service, started
from stoker.sidecar.render.compose import path_of
from stoker.sidecar.render.files import File
from stoker.sidecar.render.places import relative
from stoker.sidecar.render.stores import written
from stoker.sidecar.render.yaml import dump

FILE = ".devcontainer/devcontainer.json"
MOUNT = ".devcontainer/compose.yaml"


def render(plan: Plan) -> Iterator[File]:
    """Yield ``devcontainer.json`` and what it adds to the compose file."""
    service, *beside = sorted(started(plan), key=lambda each: each != plan.app)
    workspace = f"/workspaces/{plan.name}"
    file = plan.devcontainer or FILE
    settings: dict[str, Any] = {
        "name": plan.name,
        "dockerComposeFile": [
            relative(path_of(plan, "dev"), file),
            relative(MOUNT, file),
        ],
        "service": service.name,
        "runServices": [
            service.name,
            *(store.name for store in plan.stores if store.existing or written(store)),
            *(each.name for each in beside if not each.profile),
        ],
        "workspaceFolder": workspace,
        "overrideCommand": True,  # it waits for the editor; the person starts the app
        "remoteUser": "root",  # it writes to the host's files, whoever owns them
        "shutdownAction": "stopCompose",
        "forwardPorts": [each.port for each in (service, *beside) if each.port],
    }
    if install := _install(_image(plan, service)):
        settings["postCreateCommand"] = install
    text = json.dumps(settings, indent=2) + "\n"
    yield File(file, text, join="devcontainer", comment="//")
    yield File(MOUNT, _mount(plan, service, workspace), join="mount")


def _mount(plan: Plan, service: Service, workspace: str) -> str:
    """Return the project as a whole in the editor's service, whatever the image has."""
    root = relative(".", path_of(plan, "dev"))  # Compose takes paths from the first file's folder
    image = _image(plan, service)
    changed: dict[str, Any] = {
        "volumes": [{"type": "bind", "source": escape(root), "target": workspace}],
        "working_dir": workspace,
        "user": "root",
    }
    if image.language == "python" and not image.existing:  # or what is imported is the image's copy
        context = posixpath.normpath(posixpath.join(workspace, image.context))
        changed["environment"] = {"PYTHONPATH": escape(f"{context}:{context}/src")}
    return dump({"name": plan.name, "services": {service.name: changed}})


def _image(plan: Plan, service: Service) -> Image:
    return next(image for image in plan.images if image.name == service.image)


def _install(image: Image) -> str:
    """Return what puts packages where Node looks for them: beside the source."""
    if image.language != "node":
        return ""
    line = f"{image.manager} install"
    return line if image.context == "." else f"cd {shlex.quote(image.context)} && {line}"
