"""A development container: the editor in the app's service, its broker and workers beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from stoker.sidecar.plan import Plan, Service, started
from stoker.sidecar.render.compose import path_of
from stoker.sidecar.render.files import File
from stoker.sidecar.render.interpolation import escape
from stoker.sidecar.render.places import relative
from stoker.sidecar.render.yaml import dump

FOLDER = ".devcontainer"


def render(plan: Plan) -> Iterator[File]:
    """Yield ``devcontainer.json`` and what it adds to the compose file."""
    service, *beside = sorted(started(plan), key=lambda each: each != plan.app)
    workspace = f"/workspaces/{plan.name}"
    settings = {
        "name": plan.name,
        "dockerComposeFile": [
            relative(path_of(plan, "dev"), f"{FOLDER}/devcontainer.json"),
            "compose.yaml",
        ],
        "service": service.name,
        "runServices": [
            service.name,
            *(store.name for store in plan.stores),
            *(each.name for each in beside if not each.profile),
        ],
        "workspaceFolder": workspace,
        "overrideCommand": True,  # it waits for the editor; the person starts the app
        "remoteUser": "root",  # it writes to the host's files, whoever owns them
        "shutdownAction": "stopCompose",
        "forwardPorts": [each.port for each in (service, *beside) if each.port],
    }
    text = json.dumps(settings, indent=2) + "\n"
    yield File(f"{FOLDER}/devcontainer.json", text, comment="//")
    yield File(f"{FOLDER}/compose.yaml", _mount(plan, service, workspace))


def _mount(plan: Plan, service: Service, workspace: str) -> str:
    """Return the project as a whole in the editor's service, whatever the image has."""
    root = relative(".", path_of(plan, "dev"))  # Compose takes paths from the first file's folder
    volume = {"type": "bind", "source": escape(root), "target": workspace}
    changed = {"volumes": [volume], "working_dir": workspace, "user": "root"}
    return dump({"name": plan.name, "services": {service.name: changed}})
