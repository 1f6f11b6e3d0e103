"""Which service of the project's own compose files is a broker, or the app's database."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypedDict

from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.shell import split
from stoker.sidecar.detect.written.compose import Service
from stoker.sidecar.detection import BrokerKind
from stoker.sidecar.plan import own_files
from stoker.sidecar.values import Given

Engine = Literal["", "mysql", "sqlite"]

_IMAGES: tuple[tuple[str, BrokerKind], ...] = (
    (r"(^|/)(redis|valkey|keydb|dragonfly|redis-stack\S*)\b", "redis"),
    (r"rabbitmq", "rabbitmq"),
    (r"faktory", "faktory"),
    (r"(^|/)(nats)\b", "nats"),
    (r"postgres|postgis|timescale|pgvector|supabase/postgres", "postgres"),
)
_JOBS = re.compile(r"(^|[-_.])(queues?|brokers?|jobs?|celery|sidekiq|bull|worker)([-_.]|$)")
_ABOUT = re.compile(r"exporter|commander|insight|backup|admin|browser")
"""An image for one of them, and none itself: it looks at it, or copies it."""
_KEPT: tuple[tuple[str, BrokerKind], ...] = (
    ("/var/lib/postgresql", "postgres"), ("/var/lib/rabbitmq", "rabbitmq"),
    ("/var/lib/faktory", "faktory"),
)  # fmt: skip
"""Where they keep what they have: whatever an image is called, this tells what it is."""
_MYSQL = re.compile(r"(^|/)(mysql|mariadb|percona)\b")
_ADAPTERS: tuple[tuple[Engine, tuple[str, ...]], ...] = (
    ("", ("pg",)), ("mysql", ("mysql2", "trilogy")), ("sqlite", ("sqlite3",)),
)  # fmt: skip
"""What an application of Rails reads its database with; the first that it asks for counts."""


REDIS_PASSWORD = "REDIS_PASSWORD"
"""Where the password is that a file says to the letter: it is not copied."""
_OPTION = "--requirepass"
_PASSWORD = re.compile(r"\$\$?\{?([A-Za-z_]\w*)|[^\\$]|\$+\(")
"""How that begins: with a variable, or it says it itself, or reads it. An empty one is none."""
_REFERENCE = re.compile(r"\$\{?([A-Za-z_]\w*)(?::?[-?][^{}]*)?\}?")
_BY_ITSELF = re.compile(r"(^|/)bitnami\w*/(redis|valkey)\b")
_NAMES_IT = (
    "REDIS_PASSWORD", "VALKEY_PASSWORD", "REDIS_PASSWORD_FILE", "VALKEY_PASSWORD_FILE",
)  # fmt: skip
"""What some images are told it by, or the file with it."""


class _Password(TypedDict):
    password: str
    openly: bool


_NO_PASSWORD = _Password(password="", openly=False)


class OwnService(_Password):
    """What a ``BrokerUse`` says of it."""

    service: str
    image: str
    built: str
    given: tuple[Given, ...]
    files: tuple[str, ...]
    volumes: tuple[str, ...]
    engine: Engine


def kind_of(service: Service) -> BrokerKind | None:
    """Return the kind of broker that a service is, by its image or by where its data is kept.

    What is built on one is it: with an extension, or with settings.
    """
    if found := _of_image(service.image or service.base):
        return found
    if service.written or _ABOUT.search(service.image.lower()):
        return None  # it starts something of its own
    volumes = list(service.given.volumes) if service.given else []
    return next((kind for place, kind in _KEPT for each in volumes if place in each), None)


@functools.lru_cache(1_024)
def _of_image(image: str) -> BrokerKind | None:
    name = image.lower()
    if _ABOUT.search(name.rpartition("/")[2]):
        return None
    return next((kind for pattern, kind in _IMAGES if re.search(pattern, name)), None)


def own_service(
    kind: BrokerKind, services: Sequence[Service], manifests: Manifests, led: str = ""
) -> OwnService:
    """Return which service is a broker of this kind: that of the file people develop with.

    Of several in there it is the one that a variable of the jobs leads to, ``led``, or that is
    called after them: the first one may be a cache.
    """
    engine: Engine = _engine(services, manifests) if kind == "database" else ""
    paths = own_files(dict.fromkeys(each.path for each in services), production=False)
    ordered = sorted(services, key=lambda each: (each.path not in paths, _at(paths, each.path)))
    alike = [each for each in ordered if _is(each, kind, engine)]
    beside = [each for each in alike if each.path == alike[0].path]
    of_jobs = sorted(beside, key=lambda each: (each.name != led, not _JOBS.search(each.name)))
    found = next(iter(of_jobs), None)
    if found is None:
        return OwnService(
            service="",
            image="",
            built="",
            given=(),
            files=(),
            volumes=(),
            engine=engine,
            **_NO_PASSWORD,
        )
    same = [found, *(each for each in ordered if each.name == found.name and each is not found)]
    there = {each.path for each in same} | set(_overlays(services))
    there |= {path for each in same for path in each.included_by}
    return OwnService(
        service=found.name,
        image=found.image or found.base,
        built="" if found.image else found.dockerfile,
        given=_given(same),
        files=tuple(path for path in dict.fromkeys(e.path for e in services) if path in there),
        volumes=found.volumes,
        engine=engine,
        **_password(found if kind == "redis" else None),
    )


def _given(services: Sequence[Service]) -> tuple[Given, ...]:
    """Return what they are given, once for each file: one says it better than what it includes."""
    found = {each.path: each.given for each in services if each.given}
    for each in (given for service in services for given in service.everywhere()):
        found.setdefault(each.path, each)
    return tuple(found.values())


def _password(service: Service | None) -> _Password:
    """Return the variable with the password that a Redis asks for, or that it says it itself."""
    told = _PASSWORD.match(_asked_for(_words(service.command)) if service else "")
    own = service.given.environment if service and service.given else {}
    by_itself = service is not None and _BY_ITSELF.search(service.image.lower())
    name = told[1] if told else next(filter(own.get, _NAMES_IT), "") if by_itself else None
    if name == "" or (name is None and told is None):
        return _NO_PASSWORD
    text = own.get(name or "")
    if name and not text:
        return _Password(password=name, openly=False)
    outer = _REFERENCE.fullmatch(text or "") if not (name or "").endswith("_FILE") else None
    return _Password(password=outer[1] if outer else REDIS_PASSWORD, openly=outer is None)


def _asked_for(words: Iterable[str]) -> str:
    """Return the password that a Redis is started with, as it is written."""
    before = ""
    for word in words:
        if before == _OPTION:
            return word
        if word.startswith(f"{_OPTION}="):
            return word.removeprefix(f"{_OPTION}=")
        before = word
    return ""


def _words(line: str, shells: int = 2) -> Iterator[str]:
    """Yield the words of a command, and those of what it has a shell start."""
    for word in split(line):
        yield from _words(word, shells - 1) if shells and re.search(r"\s", word) else (word,)


def _at(paths: Sequence[str], path: str) -> int:
    return paths.index(path) if path in paths else len(paths)


def _is(service: Service, kind: BrokerKind, engine: Engine) -> bool:
    """Tell if a service is of this kind; an application's database is PostgreSQL, or MySQL."""
    if kind != "database":
        return kind_of(service) == kind
    if engine == "mysql":
        return is_mysql(service)
    return engine == "" and kind_of(service) == "postgres"


def is_mysql(service: Service) -> bool:
    """Tell if a service is MySQL, or what is used in its place."""
    return _MYSQL.search(service.image.lower()) is not None


def _engine(services: Sequence[Service], manifests: Manifests) -> Engine:
    """Return what an application's database is, by what it is read with."""
    for engine, names in _ADAPTERS:
        if manifests.has(*names, language="ruby"):
            return engine
    return "mysql" if any(map(is_mysql, services)) else ""


def _overlays(services: Sequence[Service]) -> Sequence[str]:
    """Return the files that are only read on top of another: a service of theirs has no image."""
    return [each.path for each in services if not each.is_whole]
