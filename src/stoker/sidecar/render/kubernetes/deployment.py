"""A worker as a Deployment, without a Service: nobody connects to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stoker.sidecar.plan import Health, Image, Plan, Service
from stoker.sidecar.render import commands, stores
from stoker.sidecar.render.given import Parts
from stoker.sidecar.render.kubernetes.names import dns, secret_name
from stoker.sidecar.render.kubernetes.settings import escape, file_secrets, put_in, settings
from stoker.sidecar.render.places import UID, inside, path_of
from stoker.sidecar.render.yaml import Commented, Words
from stoker.sidecar.shared_file import ends, is_kept

_WRITES = "Its jobs are in a file inside the container, and gone with it."
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
            *(
                {"name": name, "emptyDir": {"sizeLimit": "256Mi"}}
                for name in _scratch(plan, service)
            ),
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


def _scratch(plan: Plan, service: Service) -> dict[str, str]:
    """Return where it may write though its file system is read-only: gone with its container."""
    image = image_of(plan, service)
    ours = image.language == "ruby" and not image.existing
    app = inside(service.dir, "tmp") if ours else service.scratch
    return {"tmp": "/tmp"} | ({"app-tmp": app} if app else {})


def claims(plan: Plan, service: Service) -> dict[str, str]:
    """Return the volumes that a service shares with others, and where they are."""
    found = (store for store in plan.stores if store.name in service.needs)
    own = {stores.volume(store): stores.place(store) for store in found if stores.shared(store)}
    others = kept(plan, service).items()
    return own | {
        name: place
        for name, place in others
        if not any(f"{each}/".startswith(f"{place.rstrip('/')}/") for each in own.values())
    }


def kept(plan: Plan, service: Service) -> dict[str, str]:
    """Return the volumes of the project's own that it has in production, and where they are."""
    image = image_of(plan, service)
    given = Parts(plan, service, image, path_of(plan, "prod"), "prod")
    found = dict(ends(volume) for volume in given.volumes if is_kept(volume))
    return {f"{name}-volume": place for name, place in found.items()}  # no service is called so


def image_of(plan: Plan, service: Service) -> Image:
    """Return the image that a service is started from."""
    return next(image for image in plan.images if image.name == service.image)


def tagged(plan: Plan, image: str) -> tuple[str, str]:
    """Return the name and the tag of an image."""
    return f"{plan.name}/{image}", TAG


def _container(plan: Plan, service: Service) -> dict[str, Any]:
    image = image_of(plan, service)
    parts: dict[str, Any] = {
        "name": dns(service.name),
        "image": ":".join(tagged(plan, image.name)),
        "imagePullPolicy": "IfNotPresent",
        ("command" if image.starts else "args"): Words(
            commands.filled(service, service.command, escape, put_in)
        ),
        "workingDir": _working_dir(plan, service, image),
        "env": list(_environment(plan, service)),
        "envFrom": list(_sources(plan, service)),
        "livenessProbe": _probe(service.health) if service.health else None,
        "lifecycle": _lifecycle(service),
        "resources": {
            "limits": {"cpu": service.cpus, "memory": f"{service.memory}i"},
            "requests": {"cpu": "100m", "memory": f"{service.memory}i"},
        },
        "securityContext": Commented(
            {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": not service.alone,
            },
            {"readOnlyRootFilesystem": _WRITES} if service.alone else {},
        ),
        "volumeMounts": [
            *(
                {"name": name, "mountPath": place}
                for name, place in _scratch(plan, service).items()
            ),
            *(
                {"name": dns(claim), "mountPath": place}
                for claim, place in claims(plan, service).items()
            ),
        ],
    }
    return {key: value for key, value in parts.items() if value is not None and value != []}


def _working_dir(plan: Plan, service: Service, image: Image) -> str | None:
    own = image.existing or service.dir == "."
    place = service.places.get(path_of(plan, "prod"), service.place)
    return place or (None if own else inside(service.dir))


def config_map(plan: Plan, service: Service) -> dict[str, Any] | None:
    """Return the ConfigMap with what is plain of the project's own variables, if any is."""
    found = settings(plan, service)
    if not found.plain or not found.origin:
        return None
    why = (
        f"As {found.origin.path} gives it to {found.origin.service}: a host may be called otherwise"
    )
    values = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": dns(service.name)},
        "data": dict(sorted(found.plain.items())),
    }
    return Commented(values, {"data": f"{why} in the cluster."})


def _sources(plan: Plan, service: Service) -> Iterator[dict[str, Any]]:
    """Yield what all variables are taken from; of a name that is in two, the later counts."""
    found = settings(plan, service)
    names = file_secrets(plan)
    for place, needed in found.files.items():
        reference = {"name": names[place]}
        yield {"secretRef": reference | ({} if needed else {"optional": True})}
    if found.plain:
        yield {"configMapRef": {"name": dns(service.name)}}


def _environment(plan: Plan, service: Service) -> Iterator[dict[str, Any]]:
    """Yield the variables by name, those first that others may put in."""
    found = settings(plan, service)
    for name, needed in sorted(found.secret.items()):
        source = {"name": secret_name(plan), "key": name}
        optional = {} if needed else {"optional": True}
        yield {"name": name, "valueFrom": {"secretKeyRef": source | optional}}
    for name, value in sorted(found.direct.items()):
        yield {"name": name, "value": value}


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
