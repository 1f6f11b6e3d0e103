"""Kubernetes manifests: a Deployment for each worker, and what scales it with its queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stoker.sidecar.plan import Plan
from stoker.sidecar.render.files import File
from stoker.sidecar.render.kubernetes.deployment import (
    claims,
    deployment,
    dns,
    secret_name,
    secret_variables,
    tagged,
)
from stoker.sidecar.render.kubernetes.scaling import scaling, unscaled
from stoker.sidecar.render.yaml import dump

FOLDER = "kubernetes"
_START = """\
The Secret {secret} holds {names}:
kubectl create secret generic {secret} --from-env-file=.env
kubectl apply -k kubernetes
*-scaling.yaml need KEDA in the cluster; add them to the resources below once it is there."""

_SCALING = """\
KEDA asks the broker from its own namespace: its address, here or in the Secret, is one that is
known there, such as redis.default.svc:6379."""


def render(plan: Plan) -> Iterator[File]:
    """Yield the manifests, and a kustomization that holds them together."""
    names: list[str] = []
    for service in sorted(plan.services, key=lambda service: service.name):
        if service.role == "dashboard":
            continue  # started on demand: kubectl run
        names.append(f"{service.name}.yaml")
        why = unscaled(plan, service)
        start = f"No ScaledObject: {why}." if why else ""
        yield File(f"{FOLDER}/{names[-1]}", dump(deployment(plan, service), start=start))
        if documents := scaling(plan, service):
            text = dump(*documents, start=_SCALING)
            yield File(f"{FOLDER}/{service.name}-scaling.yaml", text)
    for claim in sorted({c for service in plan.services for c in claims(plan, service)}):
        names.append(f"{dns(claim)}.yaml")
        yield File(f"{FOLDER}/{names[-1]}", dump(_claim(claim)))
    yield File(f"{FOLDER}/kustomization.yaml", _kustomization(plan, names), join="resources")


def _claim(name: str) -> dict[str, Any]:
    """On one node only: the processes share memory beside the file."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": dns(name)},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


def _kustomization(plan: Plan, names: list[str]) -> str:
    used = {service.image for service in plan.services}
    images = [tagged(plan, image.name) for image in plan.images if image.name in used]
    return dump(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": names,
            "images": [{"name": name, "newTag": tag} for name, tag in images],
        },
        start=_START.format(
            secret=secret_name(plan), names=", ".join(secret_variables(plan)) or "nothing"
        ),
    )
