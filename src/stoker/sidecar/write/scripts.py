"""Development commands of the ecosystem: ``npm run dev:worker``, offered for ``package.json``."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping

from stoker.errors import ConfigError
from stoker.sidecar.node_programs import finder, is_of_package
from stoker.sidecar.plan import Image, Plan, Service
from stoker.sidecar.secrets import secrets_in
from stoker.sidecar.write.changes import Change
from stoker.sidecar.write.document import Values, mapping
from stoker.sidecar.write.members import with_members

_ITSELF = ("npm", "pnpm", "yarn", "bun")


def manifests(plan: Plan) -> list[str]:
    """Return the ``package.json`` of each Node image, by its path."""
    return sorted({_manifest(image) for image in plan.images if image.language == "node"})


def offers(plan: Plan, present: Mapping[str, str]) -> Iterator[Change]:
    """Yield what adds the scripts that are missing. Raises ``ConfigError`` for broken JSON."""
    for path in manifests(plan):
        before = present.get(path)
        if before is not None:
            after = _extended(path, before, _scripts(plan, path))
            if after != before:
                yield Change(path, "update", before, after)


def _manifest(image: Image) -> str:
    return "package.json" if image.context == "." else f"{image.context}/package.json"


def _scripts(plan: Plan, path: str) -> dict[str, str]:
    images = {image.name: image for image in plan.images}
    workers = [
        service
        for service in plan.services
        if service.role == "worker"
        and service.dev_command
        and not any(secrets_in(service.dev_command))
        and images[service.image].language == "node"
        and _manifest(images[service.image]) == path
    ]
    return {_name(each): _line(each, images[each.image].manager) for each in workers}


def _name(service: Service) -> str:
    return f"dev:{service.name}"


def _line(service: Service, manager: str) -> str:
    """Return the line of a script: those of the root have the programs of the root at hand."""
    words = service.dev_command
    if service.dir == ".":
        return shlex.join(words)
    found = (finder(manager), *words) if is_of_package(words[0]) else words
    return f"cd {shlex.quote(service.dir)} && {shlex.join(found)}"


def _extended(path: str, before: str, scripts: Mapping[str, str]) -> str:
    package = _read(path, before)
    present = mapping(package.get("scripts"))
    missing = {
        name: line
        for name, line in scripts.items()
        if name not in present and line not in present.values() and not line.startswith(_ITSELF)
    }
    if not missing or not isinstance(package.get("scripts", {}), dict):
        return before
    return with_members(before, "scripts", missing)


def _read(path: str, text: str) -> Values:
    try:
        return mapping(json.loads(text.removeprefix("\ufeff")))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        hint = "repair it first"
        raise ConfigError(f"{path}, line {line}: not JSON: {error}", hint=hint) from None
