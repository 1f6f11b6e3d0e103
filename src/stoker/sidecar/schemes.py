"""Which kind of broker, or of database, an address leads to: by its scheme."""

from __future__ import annotations

from stoker.sidecar.detection import BrokerKind

_REDIS = "rediss?|valkeys?"
_RABBITMQ = "(?:py)?amqps?"
_POSTGRES = "postgres(?:ql)?|postgis"
_MYSQL = "mysql2?|mariadb"
_DRIVER = r"(?:\+\w{1,40})?"

BY_ITSELF: dict[BrokerKind, str] = {
    "redis": _REDIS,
    "rabbitmq": _RABBITMQ,
    "nats": "nats",
    "postgres": f"(?:{_POSTGRES}){_DRIVER}",
    "database": f"(?:{_MYSQL}|mongodb){_DRIVER}",  # no container is written for it
    "sqlite": f"sqlite{_DRIVER}",
}
"""What is enough to know the kind."""
ON_A_SERVER: dict[BrokerKind, str] = {
    "redis": _REDIS,
    "rabbitmq": _RABBITMQ,
    "nats": "nats|tls",
    "faktory": r"tcp(?:\+tls)?",
    "postgres": f"(?:{_POSTGRES}){_DRIVER}",
    "database": rf"(?:sqla\+)?(?:{_POSTGRES}|{_MYSQL}){_DRIVER}",  # in MongoDB are no jobs
}
"""What there may be where the kind is known: much else has some of these, too."""
IN_A_SETTING: tuple[tuple[str, BrokerKind], ...] = (
    (rf"(?:{_REDIS})(?:\+socket|\+sentinel)?://|sentinel://|unix://", "redis"),
    (rf"{_RABBITMQ}://", "rabbitmq"),
    (r"nats://", "nats"),
    (r"\bsqs://|https://sqs\.|transport\W{1,6}sqs\b", "sqs"),
    (r"sqla\+|db\+postgres", "database"),
    (r"\bsqlite(?:\+\w+)?://", "sqlite"),
)
"""What a framework is told its broker by, with the transports that only Celery has.

An address of PostgreSQL without one of these is the app's database's.
"""
ENCRYPTED = frozenset({"rediss", "valkeys", "amqps", "pyamqps", "tls", "tcp+tls"})
_USUAL: dict[BrokerKind, str] = {"rabbitmq": "amqp", "faktory": "tcp", "database": "postgres"}


def usual(kind: BrokerKind) -> str:
    """Return the one that an address gets which is written down in parts."""
    return _USUAL.get(kind, kind)
