"""Brokers and databases, set up so that a job that was accepted is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from stoker.sidecar import shared_file
from stoker.sidecar.detection import BrokerKind
from stoker.sidecar.interpolation import escape, required
from stoker.sidecar.plan import Store
from stoker.sidecar.render.files import Mode
from stoker.sidecar.render.places import DATA
from stoker.sidecar.render.yaml import Words
from stoker.sidecar.secrets import holds_secret, is_secret
from stoker.sidecar.values import OURS


class _Kind(NamedTuple):
    volume: str
    """Where it keeps its data."""
    health: tuple[str, ...]
    """Succeeds when it answers."""
    command: tuple[str, ...] = ()
    grace: int = 30


_REDIS = ("redis-server", "--appendonly", "yes", "--appendfsync", "everysec")
_KINDS: dict[BrokerKind, _Kind] = {
    # An evicted key is a lost job, hence noeviction; a crash costs a second at most.
    "redis": _Kind(
        "/data", ("redis-cli", "ping"), (*_REDIS, "--maxmemory-policy", "noeviction"), 30
    ),
    "rabbitmq": _Kind("/var/lib/rabbitmq", ("rabbitmq-diagnostics", "-q", "check_running"), (), 60),
    "postgres": _Kind("/var/lib/postgresql", ("pg_isready", "-U", "{user}", "-d", "{database}")),
    "nats": _Kind(
        "/data",
        ("wget", "-qO-", "http://127.0.0.1:8222/healthz"),
        ("-js", "-sd", "/data", "-m", "8222"),
    ),
    "faktory": _Kind(
        "/var/lib/faktory/db",
        ("wget", "-qO-", "http://127.0.0.1:7420/health"),
        ("/faktory", "-b", ":7419", "-w", ":7420"),
    ),
}
_KINDS["database"] = _KINDS["postgres"]
_SECRETS: dict[BrokerKind, tuple[str, str, str]] = {
    "postgres": ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"),
    "rabbitmq": ("RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS", "RABBITMQ_DEFAULT_VHOST"),
}
_SECRETS["database"] = _SECRETS["postgres"]
_REDIS_SECRET = "REDIS_PASSWORD"


def written(store: Store) -> bool:
    """Return whether a container of ours is it: an SQLite file, or one elsewhere, is none."""
    return store.kind in _KINDS and not store.outside


def shared(store: Store) -> bool:
    """Return whether it is a file, on a volume that its users share."""
    return store.kind == "sqlite"


def place(store: Store) -> str:
    """Return the directory of the file, which its volume is mounted on."""
    return shared_file.place((store.file, *store.variables.values())) or DATA


def volume(store: Store) -> str:
    """Return the name of its volume: that of the project's own service, where it has its data.

    One that begins anew has another: it would put its own files in the place of those there.
    """
    kind = _KINDS.get(store.kind)
    own = store.mounts.get(_place(store, kind)) if kind else None
    if own in store.kept:
        return own
    usual = f"{store.name}-data"
    return f"{store.name}-production" if usual in store.mounts.values() else usual


def left(store: Store) -> str:
    """Return where the data of the project's own service is, if ours begins without it."""
    kind = _KINDS.get(store.kind)
    if kind is None or volume(store) in store.kept:
        return ""
    places = (f"{kind.volume}/", "/bitnami/")
    return next((own for at, own in store.mounts.items() if f"{at}/".startswith(places)), "")


def service(store: Store, mode: Mode) -> dict[str, Any]:
    """Return its compose service."""
    kind = _KINDS[store.kind]
    known = account(store) or _USUAL
    words = {"user": known.user, "database": known.database}
    parts: dict[str, Any] = {
        "image": store.image,
        "volumes": [f"{volume(store)}:{_place(store, kind)}"],
        "environment": _own_variables(store, mode),
        "command": Words([*_command(store, kind), *_protection(store, mode)]),
        "restart": None if mode == "dev" else "unless-stopped",
        "healthcheck": {
            "test": Words(["CMD", *(escape(word.format(**words)) for word in kind.health)]),
            "interval": "5s",
            "timeout": "5s",
            "retries": 12,
            "start_period": "5s",
        },
        "hostname": store.name if store.kind == "rabbitmq" else None,  # its data is below its name
        "stop_grace_period": f"{kind.grace}s",
    }
    return {key: value for key, value in parts.items() if value not in ((), [], {}, None)}


def _command(store: Store, kind: _Kind) -> tuple[str, ...]:
    """Valkey's image gives up root only for a program of its own name."""
    if kind.command[:1] == ("redis-server",) and store.image.startswith("valkey/"):
        return ("valkey-server", *kind.command[1:])
    return kind.command


def _place(store: Store, kind: _Kind) -> str:
    """PostgreSQL keeps its data one folder deeper up to version 17."""
    if store.kind not in ("postgres", "database"):
        return kind.volume
    tagged = store.image.partition("@")[0]
    major = tagged.rpartition(":")[2].split(".")[0].split("-")[0]
    number = int(major) if re.fullmatch(r"[0-9]{1,9}", major) else 0
    return kind.volume if number >= 18 else f"{kind.volume}/data"


class Account(NamedTuple):
    user: str
    password: str
    database: str


_USUAL = Account("app", "app", "app")


def account(store: Store) -> Account | None:
    """Return who services are to it, if its address says so."""
    for value in (*store.variables.values(), store.outside):
        try:
            parts = urlsplit(value)
        except ValueError:
            continue
        if parts.scheme and (parts.username or parts.password):
            return Account(
                parts.username or "",
                parts.password or "",
                parts.path.strip("/") or parts.username or "",
            )
    return _of_parts(store)


def _of_parts(store: Store) -> Account | None:
    """Return it where its parts are in variables of their own."""
    told = {part: value for name, value in store.variables.items() if (part := store.part(name))}
    user = told.get("user", store.user)
    if store.kind not in _SECRETS or not user:
        return None
    database = told.get("database", "").strip("/") or store.database or user
    return Account(user, told.get("password", _USUAL.password), database)


def _own_variables(store: Store, mode: Mode) -> dict[str, str]:
    """Return the variables that make its account; in production the password is the operator's."""
    if store.kind == "faktory" and mode == "prod":
        return {"FAKTORY_PASSWORD": required("FAKTORY_PASSWORD")}
    if store.kind == "redis" and (protection := _protection(store, mode)):
        return {"REDISCLI_AUTH": protection[-1]}  # for its check
    if store.kind not in _SECRETS:
        return {}
    known = account(store) or _USUAL
    user, word, database = _SECRETS[store.kind]
    values = {
        user: escape(known.user),
        word: escape(known.password)
        if _may_stand(known.password, mode)
        else required(store.secret or word),
    }
    usual = store.kind == "rabbitmq" and known.database == known.user  # no name: it is called /
    return values | ({} if usual else {database: escape(known.database)})


def _protection(store: Store, mode: Mode) -> tuple[str, ...]:
    """Return what has a Redis ask for a password, where services have one for it."""
    found = password(store)
    deployed = mode == "prod" and store.secret  # services have one there, and none at a desk
    if store.kind != "redis" or not (found or deployed):
        return ()
    asked = required(store.secret or _REDIS_SECRET)
    return ("--requirepass", escape(found) if found and _may_stand(found, mode) else asked)


def _may_stand(password: str, mode: Mode) -> bool:
    """Tell if a password may be written: one of ours, where only a developer is."""
    return mode == "dev" and password in OURS


def password(store: Store) -> str:
    """Return the password that services have for it: in its address, or in a variable."""
    found = account(store)
    if store.kind != "redis" and not store.outside:
        found = found or _USUAL
    named = (value for name, value in store.variables.items() if store.part(name) == "password")
    return found.password if found else next(named, "")


def secret(store: Store) -> str | None:
    """Return the variable with its password, if it has one."""
    if store.outside and not password(store):
        return None
    if store.kind == "faktory":
        return "FAKTORY_PASSWORD"
    if store.kind == "redis":
        return (store.secret or _REDIS_SECRET) if password(store) else None
    return (store.secret or _SECRETS[store.kind][1]) if store.kind in _SECRETS else None


def variables(store: Store, mode: Mode) -> dict[str, str]:
    """Return what services get to find it; in production the password is the operator's."""
    if mode == "dev":
        return {
            name: escape(value) if is_ours(value) or not is_secret(name, value) else required(name)
            for name, value in store.variables.items()
        }
    return with_password(store, required, escape)


def is_ours(value: str) -> bool:
    """Tell if there is no secret in a value but the word that stands for one."""
    words = "|".join(OURS)
    return value in OURS or not is_secret("", re.sub(rf":({words})(?=@)", "", value))


def with_password(
    store: Store, put_in: Callable[[str], str], escape: Callable[[str], str]
) -> dict[str, str]:
    """Return what services get to find it, with what puts the operator's password in.

    One that has no password where somebody else runs it, needs none.
    """
    name, word = secret(store), password(store)
    made: dict[str, str] = {}
    for variable in store.variables:
        value = _in_full(store, variable)
        # A user may be called as the password is; one of ours has no other password.
        is_password = store.part(variable) == "password" and (value == word or not store.outside)
        has_password = is_password or f":{word}@" in value
        known = name is not None and _is_known(value, word)
        # Only an address has a place that the operator's password is put in, and one alone.
        no_place = not is_password and ("://" not in value or holds_secret(_without_login(value)))
        unsaid = bool(store.outside) or name is None or no_place
        if unsaid and not known and is_secret(variable, value):
            made[variable] = put_in(variable)  # whatever it holds, only the operator may say it
        elif name is None or (store.outside and not has_password):
            made[variable] = escape(value)
        else:
            made[variable] = put_in(name) if is_password else _secured(value, name, put_in, escape)
    return made


def _in_full(store: Store, variable: str) -> str:
    """Return an address with the name of its database, where that is only said for production."""
    value, name = store.variables[variable], store.databases.get(variable)
    _, found, place = value.partition("://")
    return f"{value}/{name}" if name and found and "/" not in place else value


def _is_known(value: str, word: str) -> bool:
    """Tell if a value has no secret but the password that is known: it, or an address with it."""
    rest = re.sub(rf"(?<=://)[^\s/:@]*:{re.escape(word)}@", "", value, count=1)
    return value == word or (
        bool(word) and rest != value and value.count("://") == 1 and not is_secret("", rest)
    )


def _without_login(value: str) -> str:
    scheme, found, rest = value.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}{found}{place.rpartition('@')[2]}{slash}{path}"


def _secured(
    value: str, name: str, put_in: Callable[[str], str], escape: Callable[[str], str]
) -> str:
    """Return an address with the operator's password in it; any other value as it is."""
    scheme, found, rest = value.partition("://")
    if not found:
        return escape(value)
    place, slash, path = rest.partition("/")
    account, _, host = place.rpartition("@")
    user = account.partition(":")[0]
    return f"{escape(scheme)}://{escape(user)}:{put_in(name)}@{escape(host + slash + path)}"
