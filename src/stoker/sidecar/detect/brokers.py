"""Which broker the workers need, and by which environment variables the project finds it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.written.compose import Service
from stoker.sidecar.detection import BrokerKind, BrokerUse, Embedded, Evidence, Unit
from stoker.sidecar.frameworks import FRAMEWORKS, Framework
from stoker.sidecar.project import Project

_Vote = tuple[int, BrokerKind, Evidence]
_DECIDES = 1_000
"""More than all lines of source together."""
_SCHEMES: tuple[tuple[str, BrokerKind], ...] = (
    (r"rediss?(?:\+socket|\+sentinel)?://|valkeys?://|sentinel://|unix://", "redis"),
    (r"(?:py)?amqps?://", "rabbitmq"),
    (r"nats://", "nats"),
    (r"sqla\+|db\+postgres", "database"),
    (r"\bsqlite(?:\+\w+)?://", "sqlite"),
)
_IMAGES: tuple[tuple[str, BrokerKind], ...] = (
    (r"(^|/)(redis|valkey|keydb|dragonfly|redis-stack\S*)\b", "redis"),
    (r"rabbitmq", "rabbitmq"),
    (r"faktory", "faktory"),
    (r"(^|/)(nats)\b", "nats"),
    (r"postgres|postgis|timescale|pgvector|supabase/postgres", "postgres"),
)
_NAMES: tuple[tuple[str, BrokerKind], ...] = (
    (r"AMQP|RABBIT", "rabbitmq"),
    (r"REDIS|VALKEY", "redis"),
    (r"FAKTORY", "faktory"),
    (r"(^|_)NATS", "nats"),
)
_SETTING = re.compile(r"broker|BROKER", re.IGNORECASE)
_CODE = ("py", "js", "ts", "mjs", "cjs", "mts", "tsx", "rb", "go", "rs", "erb")
_CONFIGURATION = (
    "yml",
    "yaml",
    "toml",
    "ini",
    "cfg",
    "conf",
    "json",
    "env",
    "example",
    "sample",
    "sh",
)

_QUOTED = re.compile(r"""["'`]([A-Z][A-Z0-9_]{2,79})\\?["'`]""")
"""What is the name of an environment variable, if it is asked for."""
_MEMBER = re.compile(r"\benv\.([A-Z][A-Z0-9_]{2,79})")
_FIELD = re.compile(
    r"^[ \t]+([A-Z][A-Z0-9_]{2,79})\??[ \t]*:[ \t]*"
    r"(?:z\.|str\b|int\b|SecretStr|Optional|\w*Dsn\b|Joi\.|t\.|url\(|str\()",
    re.MULTILINE,
)
"""Of a class or a schema of settings."""
_ASKED = re.compile(
    r"""(?:environ(?:\.get\(|\[)|getenv\(|\w*[eE]nv\w*(?:\.\w+)?(?:<\w+>)?\(|config(?:\.get)?\(|env\[|"""
    r"""ENV(?:\.fetch\(|\[)|LookupEnv\(|viper\.\w+\(|env::var(?:_os)?\(|\.get(?:OrThrow)?(?:<\w+>)?\(|"""
    r"""(?:env|envconfig|mapstructure|alias)\s*[:=]\s*\\?)\s*$"""
)
"""What stands before it where it is read."""


def uses(
    project: Project, manifests: Manifests, units: Sequence[Unit], embedded: Sequence[Embedded],
    services: Sequence[Service], read: Mapping[str, Evidence],
) -> tuple[BrokerUse, ...]:  # fmt: skip
    """Return the brokers that the workers need, each with how the project finds it."""
    names = [unit.framework for unit in units if unit.framework] + [e.framework for e in embedded]
    kinds: dict[BrokerKind, list[Evidence]] = {}
    for name in dict.fromkeys(names):
        framework = FRAMEWORKS.get(name)
        if framework is not None:
            own = [unit for unit in units if unit.framework == name and unit.role == "worker"]
            beside = _beside(own, framework, services)
            for kind, evidence in _kinds(project, manifests, framework, services, beside):
                kinds.setdefault(kind, []).extend(evidence)
    return tuple(
        BrokerUse(
            kind=kind,
            variables=_variables(kind, read, services),
            service=_service(kind, services),
            evidence=tuple(evidence[:4]),
        )
        for kind, evidence in kinds.items()
    )


def _beside(
    units: Sequence[Unit], framework: Framework, services: Sequence[Service]
) -> Iterator[_Vote]:
    """Yield the broker that the workers' services wait for, if it can only be this one."""
    places = {(unit.evidence[0].path, unit.name) for unit in units if unit.evidence}
    own = [service for service in services if (service.path, service.name) in places]
    kinds: dict[BrokerKind, list[Evidence]] = {}
    for service in services:
        kind = _kind_of(service.image)
        if kind in framework.brokers:
            kinds.setdefault(kind, []).append(
                Evidence(service.path, service.line, service.image, "the service that it waits for")
            )
    awaited = {name for service in own for name in service.depends_on}
    named = {service.name for service in services if _kind_of(service.image) in kinds}
    for kind, evidence in kinds.items():
        if len(kinds) == 1 and awaited & named:
            yield _DECIDES, kind, evidence[0]


def _kind_of(image: str) -> BrokerKind | None:
    return next((k for pattern, k in _IMAGES if re.search(pattern, image.lower())), None)


def _kinds(
    project: Project, manifests: Manifests, framework: Framework, services: Sequence[Service],
    beside: Iterator[_Vote],
) -> Iterator[tuple[BrokerKind, list[Evidence]]]:  # fmt: skip
    if len(framework.brokers) == 1:
        dependency = manifests.has(*(n for names in framework.packages.values() for n in names))
        yield framework.brokers[0], [dependency.evidence] if dependency else []
        return
    votes: dict[BrokerKind, tuple[int, list[Evidence]]] = {}
    every = chain(beside, _votes(project, manifests, framework, services))
    for weight, kind, evidence in every:
        if kind in framework.brokers or kind == "nats":
            total, seen = votes.get(kind, (0, []))
            votes[kind] = (total + weight, [*seen, evidence])
    if not votes:
        yield framework.brokers[0], []
        return
    kind = max(votes, key=lambda kind: votes[kind][0])
    yield kind, votes[kind][1]


def _votes(
    project: Project, manifests: Manifests, framework: Framework, services: Sequence[Service]
) -> Iterator[_Vote]:
    for dependency in manifests.dependencies:
        kind = framework.broker_packages.get(dependency.name)
        if kind is not None and not dependency.dev:
            weight = 12 if framework.name in ("taskiq", "apalis", "loco", "saq") else 2
            yield weight, kind, dependency.evidence
    for service in services:
        kind = _kind_of(service.image)
        if kind is not None:
            yield 3, kind, Evidence(service.path, service.line, service.image, "a service")
    yield from _lines(project, framework)


def _lines(project: Project, framework: Framework) -> Iterator[_Vote]:
    """Yield the lines about a broker that name a scheme, a variable or a class of its client."""
    name = framework.name
    about = ("broker", "Broker", "BROKER", name, name.capitalize(), name.upper())
    count = 0
    for path in _configuring(project):
        text = project.text(path)
        if not any(word in text for word in about):
            continue
        for number, line in _telling(text):
            for kind, weight in _named(line).items():
                yield weight, kind, Evidence(path, number, line.strip()[:200], "names the broker")
                count += 1
                if count > 400:
                    return


_CLIENTS: tuple[tuple[str, BrokerKind], ...] = (
    ("RedisBroker", "redis"), ("RabbitmqBroker", "rabbitmq"), ("RedisHuey", "redis"),
    ("SqliteHuey", "sqlite"), ("AioPikaBroker", "rabbitmq"), ("NatsBroker", "nats"),
    ("PostgresBroker", "postgres"), ("ListQueueBroker", "redis"), ("StreamBroker", "redis"),
    ("RedisStorage", "redis"), ("PostgresStorage", "postgres"), ("SqliteStorage", "sqlite"),
    ("AmqpBackend", "rabbitmq"), ("PostgresQueue", "postgres"),
)  # fmt: skip
_TELLING = re.compile(r"://|broker|Huey|Storage|AmqpBackend|PostgresQueue", re.IGNORECASE)


def _telling(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that can name a broker; most files have none, so they are not split."""
    end = -1
    for found in _TELLING.finditer(text):
        if found.start() < end:
            continue
        start = text.rfind("\n", 0, found.start()) + 1
        end = text.find("\n", found.start())
        end = len(text) if end < 0 else end
        line = text[start:end]
        if len(line) <= 400 and not line.lstrip().startswith(("#", "//")):
            yield text.count("\n", 0, start) + 1, line


def _named(line: str) -> dict[BrokerKind, int]:
    """Return what a line names, and how much that says: most, what follows ``broker`` in it."""
    setting = None if "result" in line.lower() else _SETTING.search(line)
    at: dict[BrokerKind, int] = {
        kind: found.start() for pattern, kind in _SCHEMES if (found := re.search(pattern, line))
    }
    if not at and setting:
        at = {k: f.start() for pattern, k in _NAMES if (f := re.search(pattern, line.upper()))}
    if not line.lstrip().startswith(("from ", "import ", "use ")):
        at |= {kind: line.find(name) for name, kind in _CLIENTS if name in line}
    after = {kind: start for kind, start in at.items() if setting and start >= setting.start()}
    told = min(after, key=lambda kind: after[kind]) if after else None
    return {kind: 8 if kind == told or (setting and not told) else 1 for kind in at}


def _configuring(project: Project) -> Iterator[str]:
    for path in project.suffixed(*_CODE, *_CONFIGURATION):
        if not project.is_aside(path) and not path.endswith(
            ("package-lock.json", "pnpm-lock.yaml")
        ):
            yield path
    yield from project.matching(r"\.env[.\w-]*")


# ---- variables ----------------------------------------------------------------------------------


def variables(project: Project) -> dict[str, Evidence]:
    """Return the environment variables that the source reads, with the first place of each."""
    found: dict[str, Evidence] = {}
    for path in project.suffixed(*_CODE):
        if project.is_aside(path):
            continue
        text = project.text(path)
        for each in _read_in(text):
            if each[1] not in found:
                number = text.count("\n", 0, each.start(1)) + 1
                found[each[1]] = Evidence(path, number, each[1], "is read here")
    return found


def _read_in(text: str) -> Iterator[re.Match[str]]:
    """Yield the names of the variables that a file reads; most files speak of none."""
    for each in _QUOTED.finditer(text):
        if _ASKED.search(text, max(0, each.start() - 60), each.start()):
            yield each
    if "env." in text:
        yield from _MEMBER.finditer(text)
    if any(word in text for word in ("Settings", "zod", "Joi", "Env", "env")):
        yield from _FIELD.finditer(text)


_PARTS: tuple[tuple[str, str], ...] = (
    (r"(URL|URI|DSN|_BROKER|CONNECTION|CONNECTION_STRING|PROVIDER|TOGO|CLOUD)$|^BROKER$", "url"),
    (r"PORT$", "port"),
    (r"(PASS|PASSWORD|PASSWD|PWD)$", "password"),
    (r"(USER|USERNAME)$", "user"),
    (r"(_DB|DATABASE|DB_INDEX|DB_NUMBER|VHOST)$", "database"),
    (r"(ADDR|ADDRESS|ENDPOINT|HOSTPORT)$", "address"),
    (r"(HOST|HOSTNAME|SERVER|RABBITMQ|^REDIS)$", "host"),
)
_BROKER_NAME = re.compile(
    r"(CELERY_BROKER|BROKER_URL|DRAMATIQ_BROKER|QUEUE_URL|TASKIQ_BROKER|STOKER_URL)"
)


def _variables(
    kind: BrokerKind, read: Mapping[str, Evidence], services: Sequence[Service]
) -> dict[str, str]:
    found: dict[str, str] = {}
    given = {name for service in services for name in service.environment}
    own = next((pattern for pattern, each in _NAMES if each == kind), None)
    if kind in ("postgres", "database"):
        own = r"^(DATABASE|POSTGRES|PG|DB_)"
    for name in [*read, *sorted(given - set(read))]:
        about = own is not None and re.search(own, name) is not None
        if not about and not (_BROKER_NAME.search(name) and _fits(kind, name, services)):
            continue
        if name not in read and not re.search(r"URL|BROKER", name):
            continue
        part = next((part for pattern, part in _PARTS if re.search(pattern, name)), None)
        if part is not None:
            found[name] = part
    return found


def _fits(kind: BrokerKind, name: str, services: Sequence[Service]) -> bool:
    """Tell if what a compose file gives to a variable is a URL of this kind of broker."""
    values = [service.environment[name] for service in services if name in service.environment]
    schemes = [pattern for pattern, each in _SCHEMES if each == kind]
    return not any("://" in value for value in values) or any(
        re.match(pattern, value) for value in values for pattern in schemes
    )


def _service(kind: BrokerKind, services: Sequence[Service]) -> str:
    return next((each.name for each in services if _kind_of(each.image) == kind), "")
