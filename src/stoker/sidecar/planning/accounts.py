"""Who workers are to a broker or database of the project's own: as its compose service makes it.

An account of ours would be let in nowhere: it is the service's image that makes one, by the
variables that it is given, and by its own defaults where it is given none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from stoker.sidecar.detection import BrokerKind, BrokerUse
from stoker.sidecar.interpolation import Variable, escape, parsed, required, settled
from stoker.sidecar.layered import merged
from stoker.sidecar.values import PLACEHOLDER, Given


class _Maker(NamedTuple):
    """The variables that an image makes an account by, and what it does without them."""

    user: tuple[str, ...]
    password: tuple[str, ...]
    database: tuple[str, ...]
    usual: tuple[str, str, str]
    """The database may be called as the user is: nothing."""


_POSTGRES = _Maker(
    ("POSTGRES_USER", "POSTGRESQL_USERNAME", "POSTGRESQL_USER"),
    ("POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"),
    ("POSTGRES_DB", "POSTGRESQL_DATABASE"),
    ("postgres", "", ""),
)
_RABBITMQ = _Maker(
    ("RABBITMQ_DEFAULT_USER", "RABBITMQ_USERNAME"),
    ("RABBITMQ_DEFAULT_PASS", "RABBITMQ_PASSWORD"),
    ("RABBITMQ_DEFAULT_VHOST", "RABBITMQ_VHOST"),
    ("guest", "guest", "/"),
)
_MAKERS: Mapping[BrokerKind, _Maker] = {
    "postgres": _POSTGRES, "database": _POSTGRES, "rabbitmq": _RABBITMQ,
}  # fmt: skip


_USUAL = "REDIS_PASSWORD"
_ADDRESSES = ("url", "server", "other")
_OURS = f"://:{PLACEHOLDER}@"


class Account(NamedTuple):
    """As a compose file has it: a ``$`` is meant for Compose."""

    user: str
    password: str
    database: str
    known: bool = True
    """The file says it, or leaves it to the image; else only the operator knows it."""
    chosen: bool = True
    """The file says it."""

    def plain(self, usual: Account) -> Account:
        """Return it for a broker of ours, as far as it was chosen and is known without Compose.

        A password stays the operator's, and need not be known.
        """
        user, database = settled(self.user), settled(self.database)
        if not self.chosen or not user:
            return usual
        return Account(user, PLACEHOLDER, database or usual.database)

    def texts(self, values: Mapping[str, str], parts: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that have something of it, each with what it is set to."""
        found: dict[str, str] = {}
        for name, value in values.items():
            part = parts.get(name, "url")
            if part in _ADDRESSES:
                found[name] = self._url(value, self._named(name, part))
            elif part in ("user", "password", "database"):
                found[name] = getattr(self, part)
        return found if self.known else {name: required(name) for name in found}

    def _named(self, variable: str, part: str) -> str:
        """Return what the database is called that a variable leads to."""
        if part == "server":
            return ""
        first = self.database or self.user
        return f"{first}_{called(variable)}" if part == "other" else self.database

    def _url(self, value: str, database: str) -> str:
        scheme, _, rest = value.partition("://")
        rest, asks, query = rest.rpartition("@")[2].partition("?")
        place = rest.partition("/")[0]
        login = ":".join(filter(None, (_quoted(self.user), _quoted(self.password))))
        path = f"/{database}" if database else ""
        return f"{scheme}://{login}@{place}{path}{asks}{escape(query)}"


def called(variable: str) -> str:
    """Return what a variable calls a database: ``QUEUE_DATABASE_URL``, ``JOBS_DB_URL``."""
    return re.sub(r"(_?(DATABASE|DB))?_?UR[LI]\Z", "", variable).lower()


def usual(kind: BrokerKind, *, unnamed: bool = False, database: str = "") -> Account:
    """Return the account of one that is ours; ``unnamed``: the source itself says whose it is.

    That is most often the one that the image makes if told nothing. ``database``: what the project
    calls it in production.
    """
    if unnamed:
        return Account("postgres", PLACEHOLDER, "postgres")
    return Account("app", PLACEHOLDER, "/" if kind == "rabbitmq" else database or "app")


def is_unnamed(kind: BrokerKind, parts: Mapping[str, str]) -> bool:
    """Tell if no variable says who services are to a database, though some lead to it."""
    return kind in ("postgres", "database") and not {"url", "user"} & {*parts.values()}


def of_service(
    use: BrokerUse, layers: Mapping[str, Sequence[str]], *, named_elsewhere: bool
) -> dict[str, Account]:
    """Return the account that the broker's own service makes, by compose file.

    What the files beneath one say holds there, too. ``named_elsewhere``: the app says itself what
    its database is called, as Rails does in ``config/database.yml``; an address without a name
    leaves that so.
    """
    maker = _MAKERS.get(use.kind)
    if maker is None:
        return {}
    said = {each.path: each for each in use.given}
    read = {path: (*layers.get(path, ()), path) for path in said}
    whole = {path: merged(said[each] for each in read[path] if each in said) for path in said}
    return {path: _made(maker, each, named_elsewhere) for path, each in whole.items() if each}


def kept_in(use: BrokerUse, given: Given) -> tuple[str, ...]:
    """Return what has something of the account where workers do not see it."""
    maker = _MAKERS.get(use.kind)
    names = (*maker.user, *maker.password, *maker.database) if maker else ()
    secrets = [f"{name}_FILE" for name in names if _in_file(given, [name])]
    return tuple(secrets or given.env_file)


def of_redis(use: BrokerUse, values: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield, by compose file, what has the password in it that the service there asks for."""
    if not use.password:
        return
    put_in = required(use.password)
    texts = {
        name: put_in if value == PLACEHOLDER else value.replace(_OURS, f"://:{put_in}@")
        for name, value in values.items()
        if value == PLACEHOLDER or _OURS in value
    }
    yield from ((each.path, texts) for each in use.given)


def secret(use: BrokerUse) -> str:
    """Return the variable that the operator says the password of its own service by, if by one.

    So nobody has to say the same one twice, where workers or others have it from there, too.
    """
    maker = _MAKERS.get(use.kind)
    if maker is None:
        return "" if use.password == _USUAL else use.password
    texts = (_said(given, maker.password, "") for given in use.given)
    named = next((name for text in texts if text and (name := _alone(text))), "")
    return "" if named == maker.password[0] else named


def deployed(use: BrokerUse, values: Mapping[str, str], parts: Mapping[str, str]) -> str:
    """Return the variable that a file for production puts the password into an address by.

    What services log in with there is what a store of ours has to ask for.
    """
    texts = (
        _password_in(value) if parts.get(name) in _ADDRESSES else value
        for name, value in values.items()
        if parts.get(name) in (*_ADDRESSES, "password")
    )
    named = next((name for text in texts if text and (name := _alone(text))), "")
    maker = _MAKERS.get(use.kind)
    return "" if named == (maker.password[0] if maker else _USUAL) else named


def _password_in(url: str) -> str:
    login, found, _ = url.partition("://")[2].rpartition("@")
    return login.partition(":")[2] if found else ""


def _alone(text: str) -> str:
    """Return the variable that is all of a text."""
    match [part for part in parsed(text) if part != ""]:
        case [Variable(name=name, operator=operator)] if "+" not in operator:
            return name
        case _:
            return ""


def _made(maker: _Maker, given: Given, named_elsewhere: bool) -> Account:
    usual_user, usual_password, usual_database = maker.usual
    user = _said(given, maker.user, usual_user)
    password = _said(given, maker.password, usual_password)
    chosen = [name for name in maker.database if given.environment.get(name)]
    by_itself = "" if named_elsewhere else usual_database or user or ""
    database = _said(given, maker.database, by_itself) if chosen or not named_elsewhere else ""
    return Account(
        user or "",
        password or "",
        database or "",
        known=user is not None and password is not None and not _in_file(given, maker.database),
        chosen=any(name in given.environment for name in maker.user),
    )


def _said(given: Given, names: tuple[str, ...], usual: str) -> str | None:
    """Return what a variable is set to; ``None`` if that is in a file that Compose does not read.

    ``.env`` it reads: for the container, and to put in what is asked of it.
    """
    for name in names:
        if name in given.environment:
            text = given.environment[name]
            return text if text is not None else f"${{{name}}}"
    if _in_file(given, names):
        return None
    if not given.env_file:
        return usual
    beside = all(place in (".env", "./.env") for place in given.env_file)
    return f"${{{names[0]}:-{usual}}}" if beside else None


def _in_file(given: Given, names: Iterable[str]) -> bool:
    """Tell if one of some variables is in a file that only the container has: a secret."""
    return any(f"{name}_FILE" in given.environment for name in names)


def _quoted(text: str) -> str:
    """Return a text as an address has it; what Compose puts in stays as it is."""
    plain = settled(text)
    return escape(quote(plain, safe="")) if plain is not None and "$" not in text else text
