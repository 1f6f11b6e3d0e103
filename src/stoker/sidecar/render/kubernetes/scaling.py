"""KEDA: as many workers as the queue is long, for the frameworks whose queues it can count.

Where it cannot, there is no ScaledObject, and the Deployment says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stoker.sidecar.plan import Plan, Service, Store
from stoker.sidecar.render import stores
from stoker.sidecar.render.kubernetes.address import Address, address
from stoker.sidecar.render.kubernetes.names import dns, secret_name
from stoker.sidecar.render.yaml import Commented

MOST = 10
JOBS_A_WORKER = "20"

_USUAL = "By default: a prefix that the source gives its keys, or a database, has to be said here."
_KEYS = {
    "bull": "bull:{queue}:wait",
    "bullmq": "bull:{queue}:wait",
    "stoker": "bull:{queue}:wait",
    "celery": "{queue}",
    "rq": "rq:queue:{queue}",
    "dramatiq": "dramatiq:{queue}",
    "saq": "saq:{queue}:queued",
    "sidekiq": "queue:{queue}",
    "resque": "resque:queue:{queue}",
    "rusty-sidekiq": "queue:{queue}",
    "asynq": "asynq:{{{queue}}}:pending",
    "huey": "huey.redis.{queue}",
    "taskiq": "{queue}",
    "arq": "{queue}",
}
"""Where each framework keeps the jobs that wait, in Redis: KEDA counts lists and sorted sets."""
_DEFAULTS = {
    "stoker": "default",
    "celery": "celery",
    "rq": "default",
    "dramatiq": "default",
    "saq": "default",
    "sidekiq": "default",
    "rusty-sidekiq": "default",
    "asynq": "default",
    "taskiq": "taskiq",
    "arq": "arq:queue",
    "river": "default",
}
"""The queue of those that have one where none is said."""
_TABLES = {
    "procrastinate": (
        "procrastinate_jobs WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= "
        "now())",
        "queue_name",
    ),
    "good_job": (
        "good_jobs WHERE finished_at IS NULL AND (scheduled_at IS NULL OR scheduled_at <= now() "
        "AT TIME ZONE 'utc')",
        "queue_name",
    ),
    "solid_queue": ("solid_queue_ready_executions", "queue_name"),
    "delayed_job": (
        "delayed_jobs WHERE failed_at IS NULL AND locked_at IS NULL AND run_at <= now() AT TIME "
        "ZONE 'utc'",
        "queue",
    ),
    "river": ("river_job WHERE state = 'available'", "queue"),
}
"""The rows that wait, and the column of their queue. Without a queue, all are worked on."""
_REASONS = {
    "gocraft": "its queues are below a namespace that only the source knows",
    "huey": "its queue is huey.redis.NAME, the name of the Huey in the source",
}
_UNNAMED = "the name of its queue is not known"


def scaling(plan: Plan, service: Service) -> list[dict[str, Any]]:
    """Return a ScaledObject, and what it needs to connect; nothing where none would count."""
    if service.role == "worker" and not (service.singleton or service.alone):
        for store in _stores(plan, service):
            if triggers := list(_triggers(service, store)):
                return [*_authentication(plan, service, store), _scaled(service, triggers)]
    return []


def unscaled(plan: Plan, service: Service) -> str:
    """Return why a worker has no ScaledObject; nothing if it has one, or is no worker."""
    if service.role != "worker" or scaling(plan, service):
        return ""
    if service.singleton:
        return "two of it at once would do things twice"
    if service.alone:
        return "its jobs are in a file inside its container, and a second one would have none"
    found = _stores(plan, service)
    if not service.framework or not found:
        return "where its jobs wait is not known"
    if stores.shared(found[0]):
        return "its jobs are in a file, which KEDA cannot count"
    if service.waiting == "nowhere":
        return "its jobs wait nowhere: what is sent while no worker listens is lost"
    if found[0].kind in ("rabbitmq", "postgres", "database") and not _secret_keys(found[0]):
        return f"KEDA wants the address of {found[0].name} in one variable"
    return _REASONS.get(service.framework, _UNNAMED)


def asked(plan: Plan, service: Service) -> set[str]:
    """Return the keys of the Secret that KEDA needs to count a worker's jobs."""
    found = (
        reference["key"]
        for document in scaling(plan, service)
        for reference in document["spec"].get("secretTargetRef", ())
    )
    return set(found)


def _stores(plan: Plan, service: Service) -> list[Store]:
    return [store for store in plan.stores if store.name in service.needs]


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


def _triggers(service: Service, store: Store) -> Iterator[dict[str, Any]]:
    framework = service.framework or ""
    if service.waiting == "nowhere":
        return
    match store.kind:
        case "redis" if framework in _KEYS:
            for queue in _named(service):
                yield _in_redis(service, store, queue)
        case "rabbitmq" if _secret_keys(store):
            for queue in _named(service):
                counted = {"queueName": queue, "mode": "QueueLength", "value": JOBS_A_WORKER}
                yield _with_authentication("rabbitmq", service, counted)
        case "postgres" | "database" if framework in _TABLES and _secret_keys(store):
            counted = {"query": _query(service), "targetQueryValue": JOBS_A_WORKER}
            yield _with_authentication("postgresql", service, counted)
        case "nats" if service.waiting == "jetstream":
            yield {"type": "nats-jetstream", "metadata": _in_jetstream(store)}
        case "faktory":
            yield _with_authentication("metrics-api", service, _in_faktory(store))
        case _:
            pass


def _named(service: Service) -> tuple[str, ...]:
    """Return the queues whose names can be asked for: no patterns."""
    default = _DEFAULTS.get(service.framework or "")
    queues = service.queues or ((default,) if default else ())
    return () if any("*" in queue for queue in queues) else queues


def _in_redis(service: Service, store: Store, queue: str) -> dict[str, Any]:
    where = _connected(address(store))
    if service.waiting == "stream":
        lag = {"lagCount": JOBS_A_WORKER, "activationLagCount": "0"}
        group = {"stream": queue, "consumerGroup": "taskiq"}
        kind, counted = "redis-streams", group | lag
    else:
        key = _KEYS[service.framework or ""].format(queue=queue)
        kind, counted = "redis", {"listName": key, "listLength": JOBS_A_WORKER}
    metadata = Commented(where | counted, {"listName": _USUAL} if "listName" in counted else {})
    if _secret_keys(store):
        return _with_authentication(kind, service, metadata)
    return {"type": kind, "metadata": metadata}


def _connected(redis: Address) -> dict[str, str]:
    """Return how KEDA connects, as far as it is no secret."""
    host = f"[{redis.host}]" if ":" in redis.host else redis.host
    where = {"address": f"{host}:{redis.port or 6379}", "databaseIndex": redis.database}
    if redis.encrypted:
        where |= {"enableTLS": "true"} | ({} if redis.verified else {"unsafeSsl": "true"})
    return where


def _query(service: Service) -> str:
    rows, column = _TABLES[service.framework or ""]
    named = _named(service)
    if not named:
        return f"SELECT count(*) FROM {rows}"
    quoted = ", ".join("'" + queue.replace("'", "''") + "'" for queue in named)
    joined = "AND" if " WHERE " in rows else "WHERE"
    return f"SELECT count(*) FROM {rows} {joined} {column} IN ({quoted})"


def _in_jetstream(store: Store) -> dict[str, str]:
    """As taskiq-nats names them, unless told otherwise."""
    return {
        "natsServerMonitoringEndpoint": f"{address(store).host}:8222",
        "account": "$G",
        "stream": "taskiq_jetstream",
        "consumer": "taskiq_durable",
        "lagThreshold": JOBS_A_WORKER,
    }


def _in_faktory(store: Store) -> dict[str, str]:
    return {
        "url": f"http://{address(store).host}:7420/stats",
        "valueLocation": "faktory.total_enqueued",
        "targetValue": JOBS_A_WORKER,
        "authMode": "basic",
    }


def _with_authentication(
    type: str, service: Service, metadata: Mapping[str, str]
) -> dict[str, Any]:
    reference = {"name": dns(service.name)}
    return {"type": type, "metadata": metadata, "authenticationRef": reference}


def _authentication(plan: Plan, service: Service, store: Store) -> list[dict[str, Any]]:
    """Return where the address is kept that has a password in it, or the password itself."""
    keys = _secret_keys(store)
    if not keys:
        return []
    secret = secret_name(plan)
    return [
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "TriggerAuthentication",
            "metadata": {"name": dns(service.name)},
            "spec": {
                "secretTargetRef": [
                    {"parameter": parameter, "name": secret, "key": key}
                    for parameter, key in keys.items()
                ]
            },
        }
    ]


def _secret_keys(store: Store) -> dict[str, str]:
    """Return which of KEDA's parameters has which key of the Secret."""
    told = (name for name, value in store.variables.items() if "://" in value)
    url = store.jobs or next(told, store.address)
    match store.kind:
        case "redis":
            return _account_keys(store)
        case "faktory":  # it takes any user's name, and KEDA wants one
            return dict.fromkeys(("username", "password"), "FAKTORY_PASSWORD")
        case "rabbitmq" if url:
            return {"host": url}
        case "postgres" | "database" if url:
            return {"connection": url}
        case _:
            return {}


def _account_keys(store: Store) -> dict[str, str]:
    """A variable that holds just the name or the password is the key, or else a usual name."""
    usual = stores.secret(store)
    if usual is None:
        return {}
    keys = {value: name for name, value in store.variables.items()}
    found = {"password": keys.get(stores.password(store), usual)}
    known = stores.account(store)
    if known is None or known.user in ("", "default"):  # who is meant where nobody is named
        return found
    return {"username": keys.get(known.user, "REDIS_USERNAME"), **found}
