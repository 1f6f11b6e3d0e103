"""The brokers: which image, and what services get to find them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from stoker.sidecar.address_parts import part_of
from stoker.sidecar.conninfo import as_url
from stoker.sidecar.detection import BrokerKind, BrokerUse, Detection, Unit
from stoker.sidecar.frameworks import FRAMEWORKS
from stoker.sidecar.interpolation import filled, required, settled
from stoker.sidecar.plan import Part, Store, for_development, own_files
from stoker.sidecar.planning import accounts, data
from stoker.sidecar.schemes import ENCRYPTED
from stoker.sidecar.shared_file import folder, holding, is_named
from stoker.sidecar.values import PLACEHOLDER

_IMAGES: dict[BrokerKind, tuple[str, str]] = {
    "redis": ("redis", "redis:7-alpine"),
    "rabbitmq": ("rabbitmq", "rabbitmq:4-alpine"),
    "faktory": ("faktory", "contribsys/faktory:1.9.1"),
    "postgres": ("postgres", "postgres:17-alpine"),
    "nats": ("nats", "nats:2-alpine"),
    "sqlite": ("jobs", "sqlite:3"),
    "database": ("postgres", "postgres:17-alpine"),
}
_PORTS: dict[BrokerKind, str] = {
    "redis": "6379", "rabbitmq": "5672", "faktory": "7419", "postgres": "5432", "nats": "4222",
    "database": "5432",
}  # fmt: skip
_USUAL: dict[BrokerKind, str] = {
    "redis": "REDIS_URL", "rabbitmq": "AMQP_URL", "faktory": "FAKTORY_URL",
    "postgres": "DATABASE_URL", "nats": "NATS_URL", "database": "DATABASE_URL",
    "sqlite": "STOKER_URL",
}  # fmt: skip
_OWN_VARIABLES: dict[str, dict[BrokerKind, str]] = {
    "celery": {"redis": "CELERY_BROKER_URL", "rabbitmq": "CELERY_BROKER_URL"},
    "rq": {"redis": "REDIS_URL"},
    "sidekiq": {"redis": "REDIS_URL"},
    "resque": {"redis": "REDIS_URL"},
    "faktory": {"faktory": "FAKTORY_URL"},
    "good_job": {"postgres": "DATABASE_URL"},
    "que": {"postgres": "DATABASE_URL"},
    "solid_queue": {"database": "DATABASE_URL"},
    "delayed_job": {"database": "DATABASE_URL"},
    "clockwork": {"database": "DATABASE_URL"},
}
"""What frameworks, or Rails for them, read by themselves, whatever the source says."""
_BY_RAILS = "DATABASE_URL"
"""It comes before all that ``config/database.yml`` says, and its parts are put together there."""
_MADE_OF = {
    "redis": ("valkey/valkey",),
    "postgres": ("postgis/postgis", "pgvector/pgvector"),
}
"""Other images that are used in the same way."""
_SERVICE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""A service's name that a plan can have: of another nothing could be waited for."""
_LONGEST = 2_048


def stores_for(detection: Detection) -> dict[BrokerKind, Store]:
    """Return the store for each broker that its workers can be told of."""
    stores: dict[BrokerKind, Store] = {
        use.kind: _store(
            use,
            _variables(use, detection),
            _told_of(use, detection),
            dict(_deployed(detection)),
            detection.layers,
            rails=_is_rails(detection),
        )
        for use in (*detection.uses, *detection.beside)
        if not in_the_image(use, detection) and not use.engine and use.kind != "sqs"
    }
    if "database" in stores and "postgres" in stores:
        # An application's database is PostgreSQL where one of its frameworks takes no other.
        stores["database"] = stores["postgres"]
    return stores


def names_of(detection: Detection) -> frozenset[str]:
    """Return the variables that tell services where all their brokers and stores are."""
    every = (use for use in (*detection.uses, *detection.beside) if use.kind != "sqs")
    return frozenset(name for use in every for name in _variables(use, detection))


def urls(kind: BrokerKind, detection: Detection) -> list[str]:
    """Return the variables in which services have a broker's URL."""
    use = next((each for each in detection.uses if each.kind == kind), None)
    known = _variables(use, detection) if use else {_USUAL[kind]: "url"}
    return [name for name, part in known.items() if part == "url"]


def unheard(detection: Detection) -> Iterator[str]:
    """Yield what to do where nothing reads the address that a broker has in its container."""
    for use in detection.uses:
        if use.kind == "sqs":
            yield f"{_at(use)}{_SQS}"
        known = use.variables or use.named or use.outside or use.engine or use.kind == "sqs"
        if known or use.kind == "sqlite" or _own(use, detection):
            continue
        yield (
            f"{_at(use)}the source reads no variable for the address of {use.kind}, and in a "
            "container localhost is the container itself: have it read "
            f"{_USUAL[use.kind]}, which is set"
        )


_SQS = (
    "the jobs are in Amazon's SQS, which is no container: workers need its region and an account "
    "there, a role or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)


def said_openly(detection: Detection, stores: Mapping[BrokerKind, Store]) -> Iterator[str]:
    """Yield which password is to be said once more: it is not copied out of a compose file."""
    for use in (*detection.uses, *detection.beside):
        if use.openly and use.given and stores[use.kind].told:
            yield (
                f"{use.given[0].path}: {use.service} asks for a password, and workers take it from "
                f"{use.password}: have .env say the same"
            )


def built(detection: Detection) -> Iterator[str]:
    """Yield which store has more than its image, where the file for production is a new one."""
    new = not own_files(detection.files.get("compose", ()), production=True)
    for use in (*detection.uses, *detection.beside):
        if use.built and new and not use.outside and not use.engine:
            yield (
                f"{use.built}: {use.service} is built from it, and in the file for production it "
                f"is {use.image} alone: build it there, too, if workers need what is added"
            )


def kept_elsewhere(detection: Detection, stores: Mapping[BrokerKind, Store]) -> Iterator[str]:
    """Yield what ``.env`` is to say, where workers do not see who they are to a database."""
    for use in (*detection.uses, *detection.beside):
        told = stores[use.kind].told if use.kind in stores else {}
        for each in use.given:
            asked = [
                name for name, text in told.get(each.path, {}).items() if text == required(name)
            ]
            if asked and (places := accounts.kept_in(use, each)):
                where = " and ".join(places)
                yield (
                    f"{each.path}: {use.service} has its account from {where}, which no worker "
                    f"sees: have .env say {', '.join(asked)}"
                )
                break


def _at(use: BrokerUse) -> str:
    return f"{use.evidence[-1].path}:{use.evidence[-1].line}: " if use.evidence else ""


def in_the_apps_file(detection: Detection) -> Iterator[str]:
    """Yield what to do where the jobs are in the app's own file of SQLite's."""
    for use in detection.uses:
        if use.engine == "sqlite":
            yield (
                f"{_at(use)}the jobs are in the app's database, which is a file of SQLite's: a "
                "worker in a container of its own has another one, until both have its directory "
                "on one volume (or the app's own process works the jobs)"
            )


def _variables(use: BrokerUse, detection: Detection) -> dict[str, str]:
    """Return the variables that are read for a broker, each with what it holds."""
    if use.variables:
        rails = use.kind == "database" or _BY_RAILS in _own(use, detection)
        return ({_BY_RAILS: "url"} if rails else {}) | use.variables
    return dict.fromkeys(_own(use, detection) or [_USUAL[use.kind]], "url")


def _own(use: BrokerUse, detection: Detection) -> list[str]:
    """Return what frameworks read by themselves; of two brokers, the first has it."""
    frameworks = dict.fromkeys(unit.framework or "" for unit in detection.units)
    told: dict[BrokerKind, bool] = {each.kind: bool(each.variables) for each in detection.uses}
    first: list[BrokerKind] = [kind for kind in told if kind == use.kind or not told[kind]]
    before = first[: first.index(use.kind)] if use.kind in first else []
    known = [_OWN_VARIABLES.get(name, {}) for name in frameworks]
    taken = {each.get(kind) for each in known for kind in before}
    found = (each.get(use.kind) for each in known)
    return [name for name in found if name and name not in taken]


def in_the_image(use: BrokerUse, detection: Detection) -> bool:
    """Return whether the jobs are in a file whose place is the source's to say.

    Stoker's can be put on a volume by a variable, unless the source tells its app where they are;
    another's would be gone with its container. A volume is mounted where the source has a place
    that one can be mounted on.
    """
    told = not use.variables or all(unit.framework != "stoker" for unit in detection.units)
    return use.kind == "sqlite" and told and not use.file


def has_own_file(unit: Unit, detection: Detection) -> bool:
    """Tell if a line shows that a worker's jobs are in a file inside its container."""
    framework = FRAMEWORKS.get(unit.framework or "")
    return framework is not None and any(
        use.kind in framework.brokers and use.evidence and in_the_image(use, detection)
        for use in detection.uses
    )


def _told_of(use: BrokerUse, detection: Detection) -> dict[str, str]:
    """Return the variables that services are given, but for a file that no volume can have."""
    told = dict(_told(detection))
    if use.kind != "sqlite":
        return told
    told |= dict.fromkeys(use.variables, use.app) if use.app else {}
    units = [*([detection.web] if detection.web else []), *detection.units]
    volumes = [each for unit in units for given in for_development(unit) for each in given.volumes]
    return {name: value for name, value in told.items() if _can_be_kept(folder(value), volumes)}


def _can_be_kept(place: str, volumes: Sequence[str]) -> bool:
    """Tell if a directory can be on a volume in production, too: none of the host's is there."""
    there = list(holding(volumes, place))
    return bool(place) and (not there or any(map(is_named, there)))


def _deployed(detection: Detection) -> Iterator[tuple[str, str]]:
    """Yield the variables that the project's own files for production give to services."""
    for unit in [*([detection.web] if detection.web else []), *detection.units]:
        own = own_files([each.path for each in unit.given], production=True)
        for each in unit.given:
            if each.path in own and not each.ours:
                yield from ((name, as_url(v)) for name, v in each.environment.items() if v)


def _told(detection: Detection) -> Iterator[tuple[str, str]]:
    """Yield the variables that compose files give to services; a worker's own come last."""
    own = [unit for unit in detection.units if unit.role == "worker"]
    for unit in ([detection.web] if detection.web else []) + own[::-1]:
        for each in for_development(unit):
            if not each.ours:  # what Stoker wrote says nothing of the project
                yield from ((name, as_url(v)) for name, v in each.environment.items() if v)


def _is_rails(detection: Detection) -> bool:
    return any(unit.language == "ruby" for unit in detection.units)


def _store(
    use: BrokerUse, variables: Mapping[str, str], told: Mapping[str, str],
    deployed: Mapping[str, str], layers: Mapping[str, Sequence[str]], *, rails: bool,
) -> Store:  # fmt: skip
    usual, image = _IMAGES[use.kind]
    if use.outside:
        known = {name: _known(told.get(name, ""), "") for name in variables}
        return Store(
            name=usual,
            kind=use.kind,
            image=image,
            variables={name: value for name, value in known.items() if value},
            outside=use.outside,
            elsewhere=use.elsewhere,
            parts=_unsaid((n for n, value in known.items() if value), variables),
            address=next(
                (n for n, part in variables.items() if part == "url" and not known[n]), ""
            ),
        )
    if use.file:
        return Store(name=usual, kind=use.kind, image=image, file=use.file)
    existing = _SERVICE.fullmatch(use.service) is not None
    name = use.service if existing else usual
    own = accounts.of_service(use, layers, named_elsewhere=rails) if existing else {}
    unnamed = accounts.is_unnamed(use.kind, variables)
    named = use.database if existing else ""
    ours = accounts.usual(use.kind, unnamed=unnamed, database=named)
    account = next(iter(own.values()), ours).plain(ours)
    values = _values(use.kind, variables, name, told, account)
    if existing and use.password:
        values = {n: _let_in(value, variables.get(n, "")) for n, value in values.items()}
        values |= {n: PLACEHOLDER for n, part in variables.items() if part == "password"}
    values = {
        name: _as_written(value, use.written.get(name, use.usual)) for name, value in values.items()
    }
    alike = _is_alike(own_image := _official(use.image), image)
    same = any(account.user == settled(each.user) for each in list(own.values())[:1])
    return Store(
        name=name,
        kind=use.kind,
        image=own_image if alike else image,
        variables=_as_told(values, told),
        parts=_unsaid(values, variables),
        databases={n: name for n, name in use.databases.items() if n in values},
        jobs=use.jobs if use.jobs in values else "",
        secret=accounts.deployed(use, deployed, variables)
        or (accounts.secret(use) if existing else ""),
        user=account.user if unnamed else "",
        database=account.database if unnamed else "",
        existing=existing,
        elsewhere=use.elsewhere,
        mounts=data.mounts(use) if existing else {},
        kept=data.kept(use) if existing and alike and same else (),
        files=_files(use) if existing else (),
        edited=tuple(each.path for each in use.given if each.ours) if existing else (),
        told={
            path: texts
            for path, every in (
                *((path, each.texts(values, variables)) for path, each in own.items()),
                *accounts.of_redis(use, values),
            )
            if (texts := {name: text for name, text in every.items() if not told.get(name)})
        },
    )


def _unsaid(values: Iterable[str], parts: Mapping[str, str]) -> dict[str, Part]:
    """Return what variables hold whose names do not say it."""
    found = {name: part for name in values if (part := parts.get(name)) and part != part_of(name)}
    return msgspec.convert(found, dict[str, Part])


def _files(use: BrokerUse) -> tuple[str, ...]:
    """Return where it is there; one of ours is put on the file that has it, too, by ourselves."""
    own = {each.path for each in use.given}
    ours = any(each.ours for each in use.given)
    return tuple(path for path in use.files if path in own) if ours else use.files


def _values(
    kind: BrokerKind, variables: Mapping[str, str], host: str, told: Mapping[str, str],
    account: accounts.Account,
) -> dict[str, str]:  # fmt: skip
    login = f"{account.user}:{account.password}"
    url = {
        "redis": f"redis://{host}:6379/0",
        "rabbitmq": f"amqp://{login}@{host}:5672/{account.database}",
        "faktory": f"tcp://:dev@{host}:7419",
        "postgres": f"postgresql://{login}@{host}:5432/{account.database}",
        "database": f"postgresql://{login}@{host}:5432/{account.database}",
        "nats": f"nats://{host}:4222",
        "sqlite": "sqlite:////data/jobs.db",
    }[kind]
    port = _PORTS.get(kind, "")
    known = {"url": url, "host": host, "port": port, "address": f"{host}:{port}"}
    if kind in ("rabbitmq", "postgres", "database"):
        known |= {
            "user": account.user, "password": account.password, "database": account.database,
            "sslmode": "disable", "server": url.rpartition("/")[0],
        }  # fmt: skip
    elif any(part == "password" and told.get(name) for name, part in variables.items()):
        known["password"] = PLACEHOLDER
    named = {
        name: f"{url}_{accounts.called(name)}" if part == "other" else known[part]
        for name, part in variables.items()
        if part in known or part == "other"
    }
    if kind == "redis":
        named = {name: value for name, value in named.items() if variables[name] != "database"}
    return named or {_USUAL[kind]: url}


def _let_in(value: str, part: str) -> str:
    """Return the address of a Redis with a password in it, as its service asks for one."""
    is_url = part in ("", "url") and "://" in value and "@" not in value
    return value.replace("://", f"://:{PLACEHOLDER}@", 1) if is_url else value


def _as_written(value: str, written: str) -> str:
    """Return an address as the project writes it down: its driver, and what it asks of the server.

    Of Redis it is the database, too. How it is encrypted is none of a container's.
    """
    scheme, found, place = value.partition("://")
    if not found or not written:
        return value
    theirs = urlsplit(written)
    if scheme == "redis":
        place = place.rpartition("/")[0] + (theirs.path if theirs.path[1:].isdecimal() else "/0")
    elif theirs.scheme not in ENCRYPTED:
        scheme = theirs.scheme
    query = f"?{theirs.query}" if theirs.query and scheme.startswith("postgres") else ""
    return f"{scheme}://{place}{query}"


def _official(image: str) -> str:
    """Return an image's name without the registry that is meant where none is named."""
    return re.sub(r"\A(?:registry\.hub\.)?docker\.(?:io|com)/(?:library/)?", "", image)


def _is_alike(own: str, usual: str) -> bool:
    """Tell if a project's own image takes the same command, check and volume as the usual one.

    That of NATS does only where it has a shell's programs in it.
    """
    tagged, pinned, digest = own.partition("@")
    name, _, tag = tagged.rpartition(":")
    repository = usual.rpartition(":")[0]
    return (
        name in (repository, *_MADE_OF.get(repository, ()))
        and (not pinned or re.fullmatch(r"sha256:[0-9a-f]{64}", digest) is not None)
        and re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", tag) is not None
        and (repository != "nats" or "alpine" in tag)
    )


def _as_told(values: dict[str, str], told: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with what the project's own services are told, where that is known."""
    return {name: _known(told.get(name, ""), value) for name, value in values.items()}


def _known(text: str, usual: str) -> str:
    """Return an address as it is written, without what only Compose could put in.

    A password that it puts in is the operator's: here it stands for one.
    """
    text = filled(text, {})
    scheme, found, rest = text.partition("://")
    account, at, place = rest.rpartition("@")
    user, colon, password = account.partition(":")
    if found and at and colon and "$" in password:
        text = f"{scheme}://{user}:{PLACEHOLDER}@{place}"
    return text if text and "$" not in text and _is_address(text) else usual


def _is_address(text: str) -> bool:
    try:
        urlsplit(text)
    except ValueError:
        return False
    return len(text) <= _LONGEST
