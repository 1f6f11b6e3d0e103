"""KEDA: as many workers as the queue is long, for the frameworks whose queues it can count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from stoker.sidecar.plan import Plan, Service, Store
from stoker.sidecar.render.kubernetes.deployment import dns, secret_name

MOST = 10
JOBS_A_WORKER = "20"

_LISTS = {
    "bull": "bull:{queue}:wait",
    "bullmq": "bull:{queue}:wait",
    "stoker": "bull:{queue}:wait",
    "celery": "{queue}",
    "rq": "rq:queue:{queue}",
    "dramatiq": "dramatiq:{queue}",
    "saq": "saq:{queue}:queued",
    "sidekiq": "queue:{queue}",
    "resque": "resque:queue:{queue}",
    "asynq": "asynq:{{{queue}}}:pending",
    "huey": "huey.redis.{queue}",
    "taskiq": "{queue}",
}
"""Where each framework keeps the jobs that wait, in Redis."""
_DEFAULTS = {"celery": "celery", "taskiq": "taskiq"}
"""Queues with another name than ``default``, where none is said."""
_TABLES = {
    "procrastinate": (
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND queue_name IN ({queues})"
    ),
    "good_job": (
        "SELECT count(*) FROM good_jobs WHERE finished_at IS NULL AND queue_name IN ({queues})"
    ),
    "solid_queue": (
        "SELECT count(*) FROM solid_queue_ready_executions WHERE queue_name IN ({queues})"
    ),
    "delayed_job": (
        "SELECT count(*) FROM delayed_jobs WHERE failed_at IS NULL AND locked_at IS NULL "
        "AND run_at <= now() AND queue IN ({queues})"
    ),
    "river": "SELECT count(*) FROM river_job WHERE state = 'available' AND queue IN ({queues})",
}


def scaling(plan: Plan, service: Service) -> list[dict[str, Any]]:
    """Return a ScaledObject, and what it needs to connect; nothing where none would count."""
    stores = [store for store in plan.stores if store.name in service.needs]
    if service.role != "worker" or service.singleton or not service.framework:
        return []
    for store in stores:
        if triggers := list(_triggers(plan, service, store)):
            return [*_authentication(plan, service, store), _scaled(service, triggers)]
    return []


def _scaled(service: Service, triggers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": dns(service.name)},
        "spec": {
            "scaleTargetRef": {"name": dns(service.name)},
            "minReplicaCount": 1,
            "maxReplicaCount": max(MOST, service.replicas),
            # Longer than the grace: it looks again only after the last one has stopped.
            "cooldownPeriod": max(300, service.stop_grace * 2),
            "triggers": triggers,
        },
    }


def _triggers(plan: Plan, service: Service, store: Store) -> Iterator[dict[str, Any]]:
    framework = service.framework or ""
    queues = service.queues or (_DEFAULTS.get(framework, "default"),)
    if store.kind == "redis" and framework in _LISTS:
        for queue in queues:
            yield _redis(store, _LISTS[framework].format(queue=queue))
    elif store.kind == "rabbitmq":
        for queue in queues:
            yield _with_authentication(
                "rabbitmq",
                service,
                {"queueName": queue, "mode": "QueueLength", "value": JOBS_A_WORKER},
            )
    elif store.kind in ("postgres", "database") and framework in _TABLES:
        quoted = ", ".join("'" + queue.replace("'", "''") + "'" for queue in queues)
        query = _TABLES[framework].replace("{queues}", quoted)
        yield _with_authentication(
            "postgresql", service, {"query": query, "targetQueryValue": JOBS_A_WORKER}
        )


def _redis(store: Store, list_name: str) -> dict[str, Any]:
    parts = [urlsplit(value) for value in store.variables.values() if value.startswith("redis")]
    database = next((part.path.strip("/") for part in parts if part.path.strip("/")), "0")
    metadata = {
        "address": f"{store.name}:6379",
        "databaseIndex": database,
        "listName": list_name,
        "listLength": JOBS_A_WORKER,
    }
    return {"type": "redis", "metadata": metadata}


def _with_authentication(type: str, service: Service, metadata: dict[str, Any]) -> dict[str, Any]:
    reference = {"name": dns(service.name)}
    return {"type": type, "metadata": metadata, "authenticationRef": reference}


def _authentication(plan: Plan, service: Service, store: Store) -> list[dict[str, Any]]:
    """Return where the address is kept: it has a password in it."""
    variable = next((name for name, value in store.variables.items() if "://" in value), None)
    if store.kind == "redis" or variable is None:
        return []
    parameter = "host" if store.kind == "rabbitmq" else "connection"
    target = {"parameter": parameter, "name": secret_name(plan), "key": variable}
    return [
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "TriggerAuthentication",
            "metadata": {"name": dns(service.name)},
            "spec": {"secretTargetRef": [target]},
        }
    ]
