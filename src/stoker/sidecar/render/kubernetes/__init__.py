"""Kubernetes manifests: a Deployment for each worker, and what scales it with its queue."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator
from typing import Any

from stoker.sidecar.interpolation import filled
from stoker.sidecar.plan import Image, Plan, Service
from stoker.sidecar.render.files import File
from stoker.sidecar.render.kubernetes.deployment import claims, config_map, deployment, kept, tagged
from stoker.sidecar.render.kubernetes.names import dns, secret_name
from stoker.sidecar.render.kubernetes.scaling import asked, scaling, unscaled
from stoker.sidecar.render.kubernetes.settings import file_secrets, settings
from stoker.sidecar.render.yaml import Commented, dump, one_line

FOLDER = "kubernetes"
_SECRET = f"""\
cp {FOLDER}/.env.example {FOLDER}/.env, and fill it in
kubectl create secret generic {{secret}} --from-env-file={FOLDER}/.env
"""
_FILE = "kubectl create secret generic {secret} --from-env-file={path}\n"
_OPTIONAL = "  (only if there is such a file)\n"
_PLAIN = "kubectl takes all behind the = for the value, quotes and comments, too.\n"
_START = f"""\
kubectl apply -k {FOLDER}
*-scaling.yaml need KEDA in the cluster; add them to the resources below once it is there."""
_EXAMPLE = """\
# cp {folder}/.env.example {folder}/.env, fill it in, and:
# kubectl create secret generic {secret} --from-env-file={folder}/.env
"""
_MAY_BE_SAID = "# These may be left out, and so they are while there is a # before them:\n"
_REFERENCE = re.compile(r"([a-z0-9][a-z0-9._:/-]{0,199}?)(?::([A-Za-z0-9_][\w.-]{0,127}))?")
_ASKED = re.compile(r":\$\{[^{}]*\}\Z")
"""A tag that has no default."""
_SHARED = "What the app has there, too: it mounts this claim. On one node ReadWriteOnce will do."
_SCALING = """\
KEDA asks the broker from its own namespace: its address, here or in the Secret, is one that is
known there, such as redis.default.svc:6379."""


def render(plan: Plan) -> Iterator[File]:
    """Yield the manifests, and a kustomization that holds them together."""
    names: list[str] = []
    for service in _deployed(plan):
        names.append(f"{service.name}.yaml")
        why = unscaled(plan, service)
        start = f"No ScaledObject: {why}." if why else ""
        config = config_map(plan, service)
        made = (*([config] if config else ()), deployment(plan, service))
        yield File(f"{FOLDER}/{names[-1]}", dump(*made, start=start))
        if documents := scaling(plan, service):
            text = dump(*documents, start=_SCALING)
            yield File(f"{FOLDER}/{service.name}-scaling.yaml", text)
    shared = {name for service in plan.services for name in kept(plan, service)}
    for claim in sorted({c for service in plan.services for c in claims(plan, service)}):
        names.append(f"{dns(claim)}.yaml")
        yield File(f"{FOLDER}/{names[-1]}", dump(_claim(claim, shared=claim in shared)))
    if keys := _secret_keys(plan):
        head = _EXAMPLE.format(folder=FOLDER, secret=secret_name(plan))
        optional = [key for key in keys if key in plan.settings]
        text = head + _named(plan, keys)
        text += "".join(f"{key}=\n" for key in keys if key not in optional)
        text += _MAY_BE_SAID if optional else ""
        text += "".join(f"# {key}=\n" for key in optional)
        yield File(f"{FOLDER}/.env.example", text)
    yield File(f"{FOLDER}/kustomization.yaml", _kustomization(plan, names), join="resources")


def _deployed(plan: Plan) -> list[Service]:
    """Return the services that run all the time; a dashboard is started by ``kubectl run``."""
    found = (service for service in plan.services if service.role != "dashboard")
    return sorted(found, key=lambda service: service.name)


def _secret_keys(plan: Plan) -> list[str]:
    """Return what the operator's Secret has to hold."""
    keys: set[str] = set()
    for service in _deployed(plan):
        found = settings(plan, service)
        keys |= found.secret.keys() | asked(plan, service)
    return sorted(keys)


def _named(plan: Plan, keys: Collection[str]) -> str:
    """Return which addresses have to name a database: KEDA does not read the app's settings."""
    named = ((key, name) for store in plan.stores for key, name in store.databases.items())
    return "".join(f"# {key} ends with /{one_line(name)}\n" for key, name in named if key in keys)


def _start(plan: Plan) -> str:
    """Return what has to be done first: what is secret stands in none of these files."""
    lines = _SECRET.format(secret=secret_name(plan)) if _secret_keys(plan) else ""
    files: dict[str, bool] = {}
    for service in _deployed(plan):
        for place, needed in settings(plan, service).files.items():
            files[place] = needed or files.get(place, False)
    names = file_secrets(plan)
    for place, needed in files.items():
        line = _FILE.format(secret=names[place], path=_in_shell(place))
        lines += line + ("" if needed else _OPTIONAL)
    return lines + (_PLAIN if files else "") + _START


def _in_shell(place: str) -> str:
    """Return a file as it is typed; a variable in its name is put in, and nothing else is done."""
    if re.fullmatch(r"(?=.*\$)([\w./@+-]|\$\{\w+\}|\$[A-Za-z_]\w*)+", place):
        return f'"{place}"'
    return one_line(shlex.quote(place))


def _claim(name: str, *, shared: bool) -> dict[str, Any]:
    """Return the claim of a volume. SQLite's is on one node: processes share memory beside it."""
    spec = {
        "accessModes": ["ReadWriteMany" if shared else "ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": dns(name)},
        "spec": Commented(spec, {"accessModes": _SHARED} if shared else {}),
    }


def _image(plan: Plan, image: Image) -> dict[str, str]:
    """Return what an image is called where it is pulled: as a compose file has the app's."""
    name, tag = tagged(plan, image.name)
    for text in image.pulled.values():
        if found := _REFERENCE.fullmatch(_ASKED.sub("", filled(text, {}))):
            return {"name": name, "newName": found[1], "newTag": found[2] or tag}
    return {"name": name, "newTag": tag}


def _kustomization(plan: Plan, names: list[str]) -> str:
    used = {service.image for service in plan.services}
    images = [_image(plan, image) for image in plan.images if image.name in used]
    return dump(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": names,
            "images": images,
        },
        start=_start(plan),
    )
