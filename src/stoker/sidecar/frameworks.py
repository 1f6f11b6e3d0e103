"""What is known of each worker framework, as data: used by detection and by planning alike.

Sources of these facts are named in the documentation of each framework; a new one is a new entry
here, and a reader in ``detect/grammar/`` if it brings a command of its own.
"""

from __future__ import annotations

import msgspec

from stoker.sidecar import bull
from stoker.sidecar.detection import BrokerKind, Language


class Framework(msgspec.Struct, frozen=True, kw_only=True):
    """One worker framework."""

    name: str
    title: str
    packages: dict[Language, tuple[str, ...]]
    """Dependencies that show it is used; Go's by path without version."""
    brokers: tuple[BrokerKind, ...]
    """What it can keep its jobs in; the first if nothing says otherwise."""
    broker_packages: dict[str, BrokerKind] = {}
    """Dependencies that tell which."""
    stop_signal: str = "SIGTERM"
    """The one on which it finishes what it has begun."""
    stop_grace: int = 30
    """Seconds that finishing may take by its own defaults, and a margin."""
    grace_reason: str = ""
    health: tuple[str, ...] = ()
    """A check that fails when the worker does not work; ``{app}`` is filled in."""
    health_url: str = ""
    """The variable from which that check, a shell's line, takes the broker's URL: no other."""
    prepared: tuple[str, ...] = ()
    """What makes the tables of its jobs, where it does not start without and makes none itself."""
    concurrency_flag: str = ""
    in_process: tuple[str, ...] = ()
    """Companions that run inside the worker and want no service."""


def _framework(name: str, title: str, **more: object) -> Framework:
    return msgspec.convert({"name": name, "title": title, **more}, Framework)


_CELERY_PING = 'celery -A {app} inspect ping -d "celery@$HOSTNAME" -t 10'
_SIDEKIQ_ALIVE = 'bundle exec sidekiqmon processes | grep -q "^$HOSTNAME:"'
_RAILS_PREPARED = ("bin/rails", "db:prepare")

FRAMEWORKS: dict[str, Framework] = {
    framework.name: framework
    for framework in (
        _framework(
            "stoker", "Stoker", packages={"python": ["stoker"]}, brokers=["sqlite", "redis"],
            stop_grace=40,  # more than the thirty that a worker gives its running jobs
            concurrency_flag="--concurrency",
        ),
        _framework(
            "celery", "Celery", packages={"python": ["celery", "django-celery", "flask-celery",
            "flask-celery-helper", "celery-with-redis"]}, brokers=["rabbitmq", "redis"],
            broker_packages={"celery[redis]": "redis", "celery[rabbitmq]": "rabbitmq",
            "celery[librabbitmq]": "rabbitmq", "librabbitmq": "rabbitmq", "redis": "redis",
            "django-redis": "redis", "celery-redbeat": "redis", "pika": "rabbitmq"},
            stop_grace=120, grace_reason="a warm shutdown waits for running tasks without limit",
            health=["sh", "-c", _CELERY_PING], concurrency_flag="-c",
        ),
        _framework(
            "rq", "RQ", packages={"python": ["rq", "django-rq", "flask-rq", "flask-rq2",
            "rq-scheduler"]}, brokers=["redis"], stop_grace=180,
            grace_reason="the running job is finished; its own default limit is 180 s",
        ),
        _framework(
            "dramatiq", "Dramatiq", packages={"python": ["dramatiq", "django-dramatiq",
            "flask-dramatiq", "flask-melodramatiq", "dramatiq-pg"]}, brokers=["rabbitmq", "redis"],
            broker_packages={"dramatiq[redis]": "redis", "dramatiq[rabbitmq]": "rabbitmq",
            "dramatiq-pg": "postgres", "redis": "redis", "pika": "rabbitmq"}, stop_grace=60,
            concurrency_flag="-t",
        ),
        _framework(
            "huey", "Huey", packages={"python": ["huey", "django-huey"]},
            brokers=["redis", "sqlite"], stop_signal="SIGINT", stop_grace=60,
            grace_reason="SIGINT finishes running tasks, SIGTERM interrupts them",
            concurrency_flag="-w",
        ),
        _framework("arq", "arq", packages={"python": ["arq"]}, brokers=["redis"], stop_grace=30),
        _framework(
            "saq", "SAQ", packages={"python": ["saq", "litestar-saq", "starlette-saq"]},
            brokers=["redis", "postgres"], broker_packages={"saq[postgres]": "postgres"},
        ),
        _framework(
            "taskiq", "taskiq", packages={"python": ["taskiq", "taskiq-redis", "taskiq-aio-pika",
            "taskiq-nats", "taskiq-pg", "taskiq-postgres", "taskiq-fastapi"]},
            brokers=["redis", "rabbitmq", "nats", "postgres"],
            broker_packages={"taskiq-redis": "redis", "taskiq-aio-pika": "rabbitmq",
            "taskiq-nats": "nats", "taskiq-pg": "postgres", "taskiq-postgres": "postgres"},
            concurrency_flag="-w",
        ),
        _framework(
            "procrastinate", "procrastinate", packages={"python": ["procrastinate"]},
            brokers=["postgres"], stop_grace=60, concurrency_flag="--concurrency",
        ),
        _framework(
            "bullmq", "BullMQ", packages={"node": bull.PACKAGES["bullmq"].names,
            "python": ["bullmq"]}, brokers=["redis"], stop_grace=60,
            grace_reason="the app must call worker.close(), which waits for running jobs",
        ),
        _framework(
            "bull", "Bull", packages={"node": bull.PACKAGES["bull"].names}, brokers=["redis"],
            stop_grace=60,
        ),
        _framework(
            "sidekiq", "Sidekiq", packages={"ruby": ["sidekiq", "sidekiq-pro", "sidekiq-ent"]},
            brokers=["redis"], stop_grace=30,
            grace_reason="it waits 25 s for running jobs, then puts them back",
            health=["sh", "-c", _SIDEKIQ_ALIVE], health_url="REDIS_URL",
            concurrency_flag="-c",
        ),
        _framework(
            "good_job", "GoodJob", packages={"ruby": ["good_job"]}, brokers=["postgres"],
            stop_grace=60, grace_reason="without a shutdown_timeout it waits without limit",
            prepared=_RAILS_PREPARED, concurrency_flag="--max-threads",
        ),
        _framework(
            "solid_queue", "Solid Queue", packages={"ruby": ["solid_queue"]},
            brokers=["database"], stop_grace=15, grace_reason="its shutdown_timeout is 5 s",
            prepared=_RAILS_PREPARED,
        ),
        _framework(
            "resque", "Resque", packages={"ruby": ["resque", "resque-pool"]}, brokers=["redis"],
            stop_signal="SIGQUIT", stop_grace=60,
            grace_reason="SIGQUIT finishes the running job, SIGTERM kills it",
        ),
        _framework(
            "delayed_job", "delayed_job", packages={"ruby": ["delayed_job",
            "delayed_job_active_record", "delayed_job_mongoid", "delayed"]}, brokers=["database"],
        ),
        _framework(
            "que", "Que", packages={"ruby": ["que", "que-scheduler"]}, brokers=["postgres"],
            stop_grace=60, grace_reason="it waits for running jobs without limit",
            concurrency_flag="-w",
        ),
        _framework(
            "asynq", "Asynq", packages={"go": ["github.com/hibiken/asynq"]}, brokers=["redis"],
            stop_grace=15, grace_reason="its ShutdownTimeout is 8 s",
        ),
        _framework(
            "river", "River", packages={"go": ["github.com/riverqueue/river"]},
            brokers=["postgres"],
        ),
        _framework(
            "gocraft", "gocraft/work", packages={"go": ["github.com/gocraft/work"]},
            brokers=["redis"],
        ),
        _framework(
            "machinery", "machinery", packages={"go": ["github.com/RichardKnop/machinery"]},
            brokers=["redis", "rabbitmq"],
        ),
        _framework(
            "faktory", "Faktory", packages={"go": ["github.com/contribsys/faktory_worker_go"],
            "node": ["faktory-worker"], "ruby": ["faktory_worker_ruby"], "python": ["faktory",
            "pyfaktory"], "rust": ["faktory"]}, brokers=["faktory"], stop_grace=30,
            grace_reason="workers wait 25 s for running jobs",
        ),
        _framework(
            "apalis", "apalis", packages={"rust": ["apalis", "apalis-redis", "apalis-sql",
            "apalis-postgres", "apalis-sqlite", "apalis-amqp", "apalis-core"]},
            brokers=["redis", "postgres", "rabbitmq", "sqlite"],
            broker_packages={"apalis-redis": "redis", "apalis-postgres": "postgres",
            "apalis-sql[postgres]": "postgres", "apalis-sql[sqlite]": "sqlite",
            "apalis-sqlite": "sqlite", "apalis-amqp": "rabbitmq", "apalis[redis]": "redis",
            "apalis[postgres]": "postgres"},
        ),
        _framework(
            "rusty-sidekiq", "rusty-sidekiq", packages={"rust": ["rusty-sidekiq"]},
            brokers=["redis"],
        ),
        _framework("lapin", "lapin", packages={"rust": ["lapin"]}, brokers=["rabbitmq"]),
        _framework(
            "loco", "Loco", packages={"rust": ["loco-rs"]},
            brokers=["redis", "postgres", "sqlite"], broker_packages={
            "loco-rs[bg_redis]": "redis", "loco-rs[bg_pg]": "postgres",
            "loco-rs[bg_sqlt]": "sqlite"},
        ),
        _framework(
            "clockwork", "Clockwork", packages={"ruby": ["clockwork"]}, brokers=["database"],
        ),
    )
}  # fmt: skip

LIBRARIES = frozenset({
    "flower", "rq-dashboard", "celery", "kombu", "django-celery-beat", "django-celery-results",
    "celery-redbeat", "asynqmon", "bull-board", "bull-arena", "resque-web", "rusty-sidekiq",
    "sidekiq-cron", "sidekiq-scheduler", "sidekiq-unique-jobs", "good_job", "solid_queue",
    "mission_control-jobs", "django-rq", "django-huey", "taskiq-dashboard",
}) | {
    name for framework in FRAMEWORKS.values() for names in framework.packages.values()
    for name in names
} - {"nest-bull"}  # fmt: skip
"""A project of this name is the library itself: whatever it starts is for its own development.

But ``nest-bull`` is what people call an attempt at Bull in Nest.
"""

DASHBOARD_PORTS = {
    "celery": 5555, "rq": 9181, "asynq": 8080, "river": 8080, "bullmq": 3000, "faktory": 7420,
}  # fmt: skip
