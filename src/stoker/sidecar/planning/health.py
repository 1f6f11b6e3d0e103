"""How a container tells that its worker works."""

from __future__ import annotations

import shlex

from stoker.sidecar.detection import Detection, Unit
from stoker.sidecar.frameworks import FRAMEWORKS, Framework
from stoker.sidecar.plan import Health, Image
from stoker.sidecar.planning.stores import urls


def health(unit: Unit, image: Image, detection: Detection) -> Health | None:
    """Return a worker's check, if one means anything."""
    framework = FRAMEWORKS.get(unit.framework or "")
    if "sqs" in detection.brokers or unit.role != "worker":
        return None
    if framework is None or not framework.health:
        return None
    app = _app(unit)
    if any("{app}" in word for word in framework.health) and not app:
        return None
    if "solo" in unit.command or "-n" in unit.command or "--hostname" in " ".join(unit.command):
        return None  # busy, it does not answer; under another name, it is not found
    command = tuple(word.replace("{app}", app) for word in framework.health)
    if image.existing and unit.runner and command[:2] == ("sh", "-c"):
        command = ("sh", "-c", f"{shlex.join(unit.runner)} {command[2]}")
    if framework.health_url:
        variable = _address(unit, framework, detection)
        if not variable:
            return None  # it would ask a broker that nobody has
        if variable != framework.health_url:
            command = ("sh", "-c", f'{framework.health_url}="${variable}" {command[2]}')
    return Health(command=command)


def _address(unit: Unit, framework: Framework, detection: Detection) -> str:
    """Return the variable with the broker's URL: that which is called after the framework.

    Without one it is what the check reads by itself, or else the first: another may be a cache's.
    """
    usual = framework.health_url
    told = {*unit.environment, *(name for each in unit.given for name in each.environment)}
    found = urls(framework.brokers[0], detection)
    own = [name for name in found if framework.name.upper() in name]
    if own or not (usual in told or usual in found):
        return next(iter(own or found), "")
    return usual


def _app(unit: Unit) -> str:
    words = unit.command
    for at, word in enumerate(words):
        if word in ("-A", "--app") and at + 1 < len(words):
            return _plain(words[at + 1])
        if word.startswith(("--app=", "-A=")):
            return _plain(word.partition("=")[2])
    return ""


def _plain(app: str) -> str:
    """Return an app's name, if a shell would take it as it is."""
    return app if app and all(letter.isalnum() or letter in "._:-/" for letter in app) else ""
