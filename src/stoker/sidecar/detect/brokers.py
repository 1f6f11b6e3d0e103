"""Which broker the workers need, and by which environment variables the project finds it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType

from stoker.sidecar.address_parts import part_of
from stoker.sidecar.detect import led_to
from stoker.sidecar.detect.addresses import Address, of_kind
from stoker.sidecar.detect.broker_lines import NAMES, BrokerLines, Vote
from stoker.sidecar.detect.broker_services import kind_of, own_service
from stoker.sidecar.detect.environment import places
from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.source.ruby_databases import (
    Database,
    first_database,
    other_databases,
    with_jobs,
)
from stoker.sidecar.detect.written.compose import Service
from stoker.sidecar.detection import BrokerKind, BrokerUse, Embedded, Evidence, Unit
from stoker.sidecar.frameworks import FRAMEWORKS, Framework
from stoker.sidecar.project import Project
from stoker.sidecar.schemes import IN_A_SETTING

_DECIDES = 1_000
"""More than all lines of source together."""


def uses(
    project: Project, manifests: Manifests, units: Sequence[Unit], embedded: Sequence[Embedded],
    services: Sequence[Service], read: Sequence[str], *, by_itself: bool,
    named: Callable[[str], Iterable[Vote]] = lambda framework: (),
    written: Mapping[str, Address] = MappingProxyType({}),
    clients: Callable[[], dict[str, str]] = dict[str, str],
) -> tuple[BrokerUse, ...]:  # fmt: skip
    """Return the brokers that the workers need, each with how the project finds it.

    ``by_itself``: an app of Stoker would look into the environment where its jobs are.
    ``named``: what the source calls the settings that a framework is given.
    ``written``: the addresses that the project writes down for its variables.
    ``clients``: the variables that clients of Redis are made with.
    """
    names = [unit.framework for unit in units if unit.framework] + [e.framework for e in embedded]
    kinds: dict[BrokerKind, list[Evidence]] = {}
    lines = BrokerLines(project)
    stoker = FRAMEWORKS["stoker"]
    usual = {"STOKER_URL": "url"} if stoker.name in names and by_itself else {}
    for name in dict.fromkeys(names):
        framework = FRAMEWORKS.get(name)
        if framework is not None:
            own = [unit for unit in units if unit.framework == name and unit.role == "worker"]
            beside = chain(_beside(own, framework, services), named(name))
            for kind, evidence in _kinds(manifests, framework, services, beside, lines):
                kinds.setdefault(kind, []).extend(evidence)
    if not names:
        kinds = dict(_asked(project, units, services))
    made = clients() if "redis" in kinds else dict[str, str]()

    def use(kind: BrokerKind, evidence: list[Evidence]) -> BrokerUse:
        spoken = made if kind == "redis" else {}
        spoken = spoken | variables(kind, read, services, written, by_itself=by_itself)
        led = led_to.target(_of_jobs(spoken), services)
        own = own_service(kind, services, manifests, led.name if led else "")
        told = led_to.variables(kind, own["service"], services, read)
        known = _first(spoken, told) or (usual if kind in stoker.brokers else {})
        others = rails_databases(project, manifests, kind)
        jobs = with_jobs(project, others) if "solid_queue" in names else None
        found = leading(others) | known
        by_name = bool(own["service"]) and not found
        return BrokerUse(
            kind=kind,
            variables=found,
            written=of_kind(kind, found, written),
            named=by_name and led_to.is_named(project, own["service"], services),
            databases=called(others),
            database=first_database(project, manifests) if kind == "database" else "",
            jobs=jobs.variable if jobs else "",
            evidence=tuple(dict.fromkeys((*evidence, *_shown(project, jobs))))[:4],
            **own,
        )

    return tuple(use(kind, evidence) for kind, evidence in kinds.items())


def _shown(project: Project, database: Database | None) -> Iterator[Evidence]:
    if database:
        line = project.line(database.path, database.line)
        yield Evidence(database.path, database.line, line, "the database of the jobs")


def _of_jobs(names: Mapping[str, str]) -> list[str]:
    """Return the variables that say where the jobs are, by their names: not where a cache is."""
    finding = (name for name, part in names.items() if part in ("url", "host", "address"))
    return [name for name in finding if _JOBS.search(name)]


def _first(own: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Return both; what is in the first comes first, and as it has it."""
    return {**own, **{name: part for name, part in more.items() if name not in own}}


def _asked(
    project: Project, units: Sequence[Unit], services: Sequence[Service]
) -> Iterator[tuple[BrokerKind, list[Evidence]]]:
    """Yield the brokers of workers without a framework: those whose address they are to have.

    Their source reads it, or their own compose services are given it. Of a database it is one
    that the project has: what it would have to hold, nobody could put beside them.
    """
    workers = [unit for unit in units if unit.role == "worker"]
    found: dict[BrokerKind, list[Evidence]] = {}
    for name, path, line in (
        each for dir in dict.fromkeys(unit.dir for unit in workers) for each in places(project, dir)
    ):
        if kind := _addressed(name):
            text = project.line(path, line)
            found.setdefault(kind, []).append(Evidence(path, line, text, "reads its address"))
    for unit in workers:
        for kind in map(_addressed, (name for each in unit.given for name in each.environment)):
            if kind and kind not in found:
                found[kind] = list(unit.evidence[:1])
    for kind, seen in found.items():
        if kind != "postgres" or any(kind_of(each) == kind for each in services):
            yield kind, seen


def _addressed(name: str) -> BrokerKind | None:
    """Return the kind of broker whose address a variable holds, by its name."""
    if part_of(name) not in ("url", "host", "address"):
        return None
    kinds: tuple[tuple[str, BrokerKind], ...] = (*NAMES, (_DATABASE, "postgres"))
    return next((kind for pattern, kind in kinds if re.search(pattern, name)), None)


def _beside(
    units: Sequence[Unit], framework: Framework, services: Sequence[Service]
) -> Iterator[Vote]:
    """Yield the broker that the workers' services wait for, if it can only be this one."""
    places = {(unit.evidence[0].path, unit.name) for unit in units if unit.evidence}
    own = [service for service in services if (service.path, service.name) in places]
    kinds: dict[BrokerKind, list[Evidence]] = {}
    for service in services:
        kind = kind_of(service)
        if kind in framework.brokers:
            kinds.setdefault(kind, []).append(
                Evidence(service.path, service.line, service.image, "the service that it waits for")
            )
    awaited = {name for service in own for name in service.depends_on}
    named = {service.name for service in services if kind_of(service) in kinds}
    for kind, evidence in kinds.items():
        if len(kinds) == 1 and awaited & named:
            yield _DECIDES, kind, evidence[0]


def _kinds(
    manifests: Manifests, framework: Framework, services: Sequence[Service],
    beside: Iterator[Vote], lines: BrokerLines,
) -> Iterator[tuple[BrokerKind, list[Evidence]]]:  # fmt: skip
    if len(framework.brokers) == 1:
        dependency = manifests.has(*(n for names in framework.packages.values() for n in names))
        yield framework.brokers[0], [dependency.evidence] if dependency else []
        return
    votes: dict[BrokerKind, tuple[int, list[Evidence]]] = {}
    stated = _votes(manifests, framework, services)
    brought = {framework.broker_packages.get(each.name) for each in manifests.dependencies}
    for weight, kind, evidence in chain(beside, stated, lines.about(framework.name)):
        if kind in framework.brokers or kind in ("nats", "sqs") or kind in brought:
            total, seen = votes.get(kind, (0, []))
            votes[kind] = (total + weight, [*seen, evidence])
    if not votes:
        yield framework.brokers[0], []
        return
    kind = max(votes, key=lambda kind: votes[kind][0])
    yield kind, votes[kind][1]


def _votes(
    manifests: Manifests, framework: Framework, services: Sequence[Service]
) -> Iterator[Vote]:
    for dependency in manifests.dependencies:
        kind = framework.broker_packages.get(dependency.name)
        if kind is not None and not dependency.dev:
            weight = 12 if framework.name in ("taskiq", "apalis", "loco", "saq") else 2
            yield weight, kind, dependency.evidence
    for service in services:
        kind = kind_of(service)
        if kind is not None:
            weight = 6 if kind == "rabbitmq" else 3  # Redis may be there for much else
            yield weight, kind, Evidence(service.path, service.line, service.image, "a service")


_DATABASE = (
    r"^(?!.*(MONGO|MYSQL|MARIA|REDIS|MSSQL|ORACLE|SQLITE|CLICKHOUSE|NEO4J|TEST|SHADOW))"
    r"(DATABASE|DB_|SQL_(DATABASE|DB)$|PG[A-Z]+$|PG_|(.*_)?POSTGRES|(.*_)?(DATABASE|DB|SQL)_?"
    r"(HOST(NAME)?|SERVER|ADDR(ESS)?|PORT|USER(NAME)?|PASS(WORD|WD)?|PWD|NAME|UR[LI]|DSN"
    r"|SSL_?MODE)$)"
)
_SERVERS = ("redis", "rabbitmq", "nats", "postgres")
_BROKER_NAME = re.compile(
    r"(CELERY_?BROKER|^BROKER$|(?<![A-Z])BROKER_UR[LI]|DRAMATIQ_BROKER|QUEUE_URL|TASKIQ_BROKER|STOKER_URL)"
)
_JOBS = re.compile(r"(^|_)(BROKER|QUEUES?|JOBS?|CELERY|SIDEKIQ|BULL(MQ)?|WORKER)(_|$)")
"""What a variable is called after that leads to the jobs, of all that lead to such a server."""


def variables(
    kind: BrokerKind, read: Sequence[str], services: Sequence[Service],
    written: Mapping[str, Address], *, by_itself: bool,
) -> dict[str, str]:  # fmt: skip
    """Return the variables that the project finds a broker by, each with what it holds.

    That of the jobs comes first: others lead to what is kept beside them.
    """
    found: dict[str, str] = {}
    given = {name for service in services for name in service.environment}
    if not by_itself:
        given.discard("STOKER_URL")  # given in vain: the source tells its app something else
    own = spoken_of(kind)
    for name in [*read, *sorted(given - set(read))]:
        about = own is not None and re.search(own, name) is not None
        if not about and not (_BROKER_NAME.search(name) and _fits(kind, name, services)):
            continue
        if name not in read and not re.search(r"URL|BROKER", name):
            continue
        part = part_of(name)
        if part is not None:
            found[name] = part
    meant = "postgres" if kind == "database" else kind
    servers = ((name, each.kind) for name, each in written.items() if each.kind in _SERVERS)
    for name, led in servers:
        if led == meant and name not in found:
            found[name] = "url"
        elif led != meant and name in found and not _BROKER_NAME.search(name):
            del found[name]  # whatever it is called: it leads to something else
    return dict(sorted(found.items(), key=lambda each: not _BROKER_NAME.search(each[0])))


def rails_databases(project: Project, manifests: Manifests, kind: BrokerKind) -> list[Database]:
    """Return the other databases of an application of Rails that has several."""
    return other_databases(project, manifests) if kind in ("postgres", "database") else []


def leading(others: Iterable[Database]) -> dict[str, str]:
    """Return the variables that lead to all of them, the first one, too; nothing for that alone."""
    found = {each.variable: each.part for each in others}
    return {"DATABASE_URL": "url"} | found if found else {}


def called(others: Iterable[Database]) -> dict[str, str]:
    """Return what databases are called in production that an address does not name."""
    return {each.variable: each.called for each in others if each.called}


def spoken_of(kind: BrokerKind) -> str | None:
    """Return what the name of a variable has in it that is about a broker of this kind."""
    if kind in ("postgres", "database"):
        return _DATABASE
    return next((pattern for pattern, each in NAMES if each == kind), None)


def _fits(kind: BrokerKind, name: str, services: Sequence[Service]) -> bool:
    """Tell if what a compose file gives to a variable is a URL of this kind of broker."""
    values = [service.environment[name] for service in services if name in service.environment]
    schemes = [pattern for pattern, each in IN_A_SETTING if each == kind]
    return not any("://" in value for value in values) or any(
        re.match(pattern, value) for value in values for pattern in schemes
    )
