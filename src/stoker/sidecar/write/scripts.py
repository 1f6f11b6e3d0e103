"""Development commands of the ecosystem: ``npm run dev:worker``, offered for ``package.json``."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping

from stoker.errors import ConfigError
from stoker.sidecar.plan import Image, Plan, Service
from stoker.sidecar.secrets import secrets_in
from stoker.sidecar.write.changes import Change
from stoker.sidecar.write.document import Values, mapping

_INDENT = re.compile(r"\n([ \t]+)\"")
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
    return {_name(service): _line(service) for service in workers}


def _name(service: Service) -> str:
    return f"dev:{service.name}"


def _line(service: Service) -> str:
    line = shlex.join(service.dev_command)
    return line if service.dir == "." else f"cd {shlex.quote(service.dir)} && {line}"


def _extended(path: str, before: str, scripts: Mapping[str, str]) -> str:
    package = _read(path, before)
    present = mapping(package.get("scripts"))
    missing = {
        name: line
        for name, line in scripts.items()
        if name not in present and line not in present.values() and not line.startswith(_ITSELF)
    }
    if not missing or not package:
        return before
    found = _INDENT.search(before)
    extended = {**package, "scripts": {**present, **missing}}
    text = json.dumps(extended, indent=found[1] if found else 2, ensure_ascii=False)
    return text + ("\n" if before.endswith("\n") else "")


def _read(path: str, text: str) -> Values:
    try:
        return mapping(json.loads(text.removeprefix("\ufeff")))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        hint = "repair it first"
        raise ConfigError(f"{path}, line {line}: not JSON: {error}", hint=hint) from None
