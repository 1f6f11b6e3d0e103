"""A worker as a Deployment, without a Service: nobody connects to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stoker.sidecar.plan import Health, Plan, Service
from stoker.sidecar.render import stores
from stoker.sidecar.render.places import DATA, UID, inside
from stoker.sidecar.render.yaml import Words

TAG = "1.0.0"
"""To be changed in ``kustomization.yaml`` by whoever releases."""


def deployment(plan: Plan, service: Service) -> dict[str, Any]:
    """Return the Deployment of a service."""
    labels = {
        "app.kubernetes.io/name": dns(service.name),
        "app.kubernetes.io/part-of": dns(plan.name),
    }
    pod = {
        "automountServiceAccountToken": False,
        "containers": [_container(plan, service)],
        "securityContext": {
            "fsGroup": UID,
            "runAsGroup": UID,
            "runAsNonRoot": True,
            "runAsUser": UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": service.stop_grace,
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
            *(
                {"name": dns(claim), "persistentVolumeClaim": {"claimName": dns(claim)}}
                for claim in claims(plan, service)
            ),
        ],
    }
    one = {"replicas": 1, "strategy": {"type": "Recreate"}}  # never two, not even for a moment
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": dns(service.name), "labels": labels},
        "spec": (one if service.singleton else {"replicas": service.replicas})
        | {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def claims(plan: Plan, service: Service) -> list[str]:
    """Return the volumes of files that a service shares with others: an SQLite broker."""
    found = (store for store in plan.stores if store.name in service.needs)
    return [stores.volume(store) for store in found if stores.shared(store)]


def dns(name: str) -> str:
    """Return a name as Kubernetes takes it."""
    return name.replace("_", "-").strip("-")


def secret_name(plan: Plan) -> str:
    """Return the Secret that holds what ``.env`` holds."""
    return f"{dns(plan.name)}-env"


def secret_variables(plan: Plan) -> list[str]:
    """Return the variables that it has to hold."""
    needed = {need for service in plan.services for need in service.needs}
    found = [store for store in plan.stores if store.name in needed]
    asked = {"FAKTORY_PASSWORD" for store in found if store.kind == "faktory"}  # by KEDA
    return sorted({*plan.secrets, *asked, *(name for store in found for name in store.variables)})


def tagged(plan: Plan, image: str) -> tuple[str, str]:
    """Return the name and the tag of an image."""
    return f"{plan.name}/{image}", TAG


def _container(plan: Plan, service: Service) -> dict[str, Any]:
    image = next(image for image in plan.images if image.name == service.image)
    parts: dict[str, Any] = {
        "name": dns(service.name),
        "image": ":".join(tagged(plan, image.name)),
        "imagePullPolicy": "IfNotPresent",
        "args": Words([escape(word) for word in service.command]),
        "workingDir": None if image.existing or service.dir == "." else inside(service.dir),
        "env": list(_environment(plan, service)),
        "livenessProbe": _probe(service.health) if service.health else None,
        "lifecycle": _lifecycle(service),
        "resources": {
            "limits": {"cpu": service.cpus, "memory": f"{service.memory}i"},
            "requests": {"cpu": "100m", "memory": f"{service.memory}i"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},
            *({"name": dns(claim), "mountPath": DATA} for claim in claims(plan, service)),
        ],
    }
    return {key: value for key, value in parts.items() if value is not None and value != []}


def _environment(plan: Plan, service: Service) -> Iterator[dict[str, Any]]:
    """Yield the variables; where the broker is and what is secret come from the Secret."""
    secret = set(plan.secrets)
    for store in plan.stores:
        secret |= set(store.variables) if store.name in service.needs else set()
    for name in sorted(secret | set(service.environment)):
        if name in secret:
            source = {"name": secret_name(plan), "key": name}
            yield {"name": name, "valueFrom": {"secretKeyRef": source}}
        else:
            yield {"name": name, "value": escape(service.environment[name])}


def _probe(health: Health) -> dict[str, Any]:
    return {
        "exec": {"command": Words(health.command)},
        "initialDelaySeconds": health.start_period,
        "periodSeconds": health.interval,
        "timeoutSeconds": health.timeout,
        "failureThreshold": health.retries,
    }


def _lifecycle(service: Service) -> dict[str, Any] | None:
    """Kubernetes stops with SIGTERM: where that loses the running job, ask as the worker wants."""
    if service.stop_signal == "SIGTERM":
        return None
    ask = f"kill -s {service.stop_signal.removeprefix('SIG')} 1; while kill -0 1; do sleep 1; done"
    return {"preStop": {"exec": {"command": Words(["sh", "-c", ask])}}}


def escape(text: str) -> str:
    """Return text in which Kubernetes replaces no variables."""
    return text.replace("$(", "$$(")
