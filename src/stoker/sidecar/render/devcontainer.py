"""A development container: the editor in the app's service, its broker and workers beside it."""

from __future__ import annotations

import json
import posixpath
import shlex
from collections.abc import Iterator
from typing import Any

from stoker.sidecar.interpolation import escape
from stoker.sidecar.plan import Image, Plan, Service, project_of, started
from stoker.sidecar.render.files import File
from stoker.sidecar.render.places import called, path_of, relative, with_beneath
from stoker.sidecar.render.stores import written
from stoker.sidecar.render.yaml import dump

FILE = ".devcontainer/devcontainer.json"
MOUNT = ".devcontainer/compose.yaml"


def render(plan: Plan) -> Iterator[File]:
    """Yield ``devcontainer.json`` and what it adds to the compose file."""
    dev = path_of(plan, "dev")
    editor = opened(plan)
    workspace = f"/workspaces/{plan.name}"
    file = plan.devcontainer or FILE
    beside = [each for each in started(plan) if called(plan, each, dev) != editor]
    settings: dict[str, Any] = {
        "name": plan.name,
        "dockerComposeFile": [
            *(relative(each, file) for each in with_beneath(plan, dev)),
            relative(MOUNT, file),
        ],
        "service": editor,
        "runServices": [
            editor,
            *(store.name for store in plan.stores if store.existing or written(store)),
            *(called(plan, each, dev) for each in beside if not each.profile),
        ],
        "workspaceFolder": workspace,
        "overrideCommand": True,  # it waits for the editor; the person starts the app
        "remoteUser": "root",  # it writes to the host's files, whoever owns them
        "shutdownAction": "stopCompose",
        "forwardPorts": [each.port for each in _editor_first(plan, editor) if each.port],
    }
    image = _image(plan, editor)
    if install := _install(image):
        settings["postCreateCommand"] = install
    text = json.dumps(settings, indent=2) + "\n"
    yield File(file, text, join="devcontainer", comment="//")
    yield File(MOUNT, _mount(plan, editor, image, workspace), join="mount")


def opened(plan: Plan) -> str:
    """Return the service that an editor opens: the app, where one is beside its workers."""
    dev = path_of(plan, "dev")
    own = [plan.app_services[each] for each in with_beneath(plan, dev) if each in plan.app_services]
    if own:
        return own[-1]
    services = started(plan)
    first = next((each for each in services if each == plan.app), services[0])
    return called(plan, first, dev)


def has_app(plan: Plan) -> bool:
    """Tell if what it opens is the app, and no worker."""
    editor = opened(plan)
    return all(called(plan, each, path_of(plan, "dev")) != editor for each in plan.services)


def _editor_first(plan: Plan, editor: str) -> list[Service]:
    dev = path_of(plan, "dev")
    return sorted(started(plan), key=lambda each: called(plan, each, dev) != editor)


def _mount(plan: Plan, editor: str, image: Image, workspace: str) -> str:
    """Return the project as a whole in the editor's service, whatever the image has."""
    root = relative(".", path_of(plan, "dev"))  # Compose takes paths from the first file's folder
    changed: dict[str, Any] = {
        "volumes": [{"type": "bind", "source": escape(root), "target": workspace}],
        "working_dir": workspace,
        "user": "root",
    }
    if plan.desk:
        changed["build"] = {"target": plan.desk}
    if image.language == "python" and not image.existing:  # or what is imported is the image's copy
        context = posixpath.normpath(posixpath.join(workspace, image.context))
        changed["environment"] = {"PYTHONPATH": escape(f"{context}:{context}/src")}
    return dump({"name": project_of(plan), "services": {editor: changed}})


def _image(plan: Plan, editor: str) -> Image:
    """Return what the editor's service is built from; the app's own, as its workers are."""
    service = _editor_first(plan, editor)[0]
    return next(image for image in plan.images if image.name == service.image)


def _install(image: Image) -> str:
    """Return what puts packages where Node looks for them: beside the source."""
    if image.language != "node":
        return ""
    line = f"{image.manager} install"
    return line if image.context == "." else f"cd {shlex.quote(image.context)} && {line}"
