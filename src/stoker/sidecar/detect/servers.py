"""The command lines of web servers: which port, and what makes them heard outside a container."""

from __future__ import annotations

import re

import msgspec

from stoker.sidecar.detect.grammar import options, positional

Words = tuple[str, ...]
EVERYWHERE = "0.0.0.0"
"""Every address inside of the container; its port is bound to the host's loopback."""


class Server(msgspec.Struct, frozen=True):
    """What is known of one server's command line."""

    port: int
    """The one that it listens on by itself."""
    ports: tuple[str, ...] = ()
    """Options that say another, alone or after ``host:``."""
    everywhere: Words = ()
    """What makes it listen on every address: by itself it does not."""
    told: tuple[str, ...] = ()
    """Options that say where it listens, so that nothing is added."""
    verbs: tuple[str, ...] = ()
    """It serves only with one of these."""
    reload: Words = ()
    """What makes it start again when a file changes."""
    variable: str = ""
    """What makes it listen everywhere by its environment: entry files look at a command's words."""
    since: int = 0
    """The first major version that reads it."""


class Serving(msgspec.Struct, frozen=True):
    """A command that serves."""

    words: Words
    port: int | None
    dev_words: Words = ()
    environment: dict[str, str] = {}
    """What it has to be told beside its command."""


_BIND = ("--bind", f"{EVERYWHERE}:8000")
_HOST = ("--host", EVERYWHERE)
_SERVERS: dict[str, Server] = {
    "gunicorn": Server(8000, ("-b", "--bind"), _BIND, ("-b", "--bind", "-c", "--config")),
    "uvicorn": Server(8000, ("--port",), _HOST, ("--host", "--uds", "--fd"), (), ("--reload",)),
    "hypercorn": Server(8000, ("-b", "--bind"), _BIND, ("-b", "--bind", "-c", "--config")),
    "daphne": Server(
        8000, ("-p", "--port"), ("-b", EVERYWHERE), ("-b", "--bind", "-u", "-e", "--endpoint")
    ),
    "granian": Server(8000, ("--port",), _HOST, ("--host",)),
    "waitress-serve": Server(8080, ("--port", "--listen")),
    "flask": Server(5000, ("-p", "--port"), _HOST, ("-h", "--host"), ("run",)),
    "fastapi": Server(8000, ("--port",), _HOST, ("--host",), ("run", "dev")),
    "litestar": Server(8000, ("-p", "--port"), _HOST, ("-H", "--host"), ("run",)),
    "streamlit": Server(8501, ("--server.port",), verbs=("run",)),
    "rails": Server(
        3000,
        ("-p", "--port"),
        ("-b", EVERYWHERE),
        ("-b", "--binding"),
        ("server", "s"),
        variable="BINDING",
        since=6,
    ),
    "puma": Server(9292, ("-p", "--port", "-b", "--bind")),
    "unicorn": Server(8080, ("-p", "--port", "-l", "--listen")),
    "rackup": Server(9292, ("-p", "--port"), _HOST, ("-o", "--host")),
    "next": Server(3000, ("-p", "--port"), verbs=("start", "dev")),
    "nuxt": Server(3000, ("-p", "--port"), _HOST, ("--host",), ("start", "dev")),
    "nest": Server(3000, verbs=("start",)),
    "remix-serve": Server(3000),
    "react-router-serve": Server(3000),
    "strapi": Server(1337, verbs=("start", "develop")),
}
_VALUES = frozenset({"-A", "--app", "-e", "--env-file", "--app-dir"})
_RAILS = re.compile(
    r"""^ {4}rails \((\d+)|^\s*gem\s*\(?\s*["']rails["']\s*,\s*["'][~>=\s]*(\d+)""", re.MULTILINE
)
_RUBY = frozenset({"rails", "puma", "unicorn", "rackup"})


def serving(words: Words, version: int | None = None) -> Serving | None:
    """Return what a command serves, if it is a known server's; ``version`` is its major one."""
    if not words:
        return None
    if words[1:2] == ("-m",) and re.fullmatch(r"(?:\S*/)?python[0-9.]*", words[0]):
        inner = serving(words[2:])
        return inner and Serving(
            (*words[:2], *inner.words),
            inner.port,
            inner.dev_words and (*words[:2], *inner.dev_words),
        )
    django = _django(words)
    if django is not None:
        return django
    name = words[0].rpartition("/")[2]
    server = _SERVERS.get(name)
    if server is None or (server.verbs and _verb(words) not in server.verbs):
        return None
    if {"--help", "--version"} & set(words):
        return None
    given = options(words, *server.ports)
    port = _port(given[0]) if given else server.port
    told = bool(options(words, *server.told))
    by_variable = bool(server.variable) and (version is None or version >= server.since)
    made = words if told or by_variable else (*words, *server.everywhere)
    if name in _RUBY and "/" not in words[0]:
        made = ("bundle", "exec", *made)
    dev = (*made, *server.reload) if server.reload and "--reload" not in made else ()
    return Serving(
        made, port, dev, {server.variable: EVERYWHERE} if by_variable and not told else {}
    )


def rails_version(text: str) -> int | None:
    """Return the major version of Rails that a ``Gemfile`` or its lock file names."""
    found = _RAILS.search(text)
    return int(found[1] or found[2]) if found else None


def _verb(words: Words) -> str:
    return next(iter(positional(words[1:], _VALUES)), "")


def _django(words: Words) -> Serving | None:
    """Return what ``manage.py runserver`` serves: it reloads by itself."""
    at = next((i for i, word in enumerate(words) if word in ("runserver", "runserver_plus")), 0)
    if not at or not words[at - 1].endswith(("manage.py", "django-admin", "manage")):
        return None
    rest = [word for word in positional(words[at + 1 :], frozenset({"--settings"})) if word]
    if not rest:
        return Serving((*words, f"{EVERYWHERE}:8000"), 8000)
    heard = rest[0] if ":" in rest[0] else f"{EVERYWHERE}:{rest[0]}"
    return Serving(tuple(heard if word == rest[0] else word for word in words), _port(rest[0]))


def _port(text: str) -> int | None:
    found = re.search(r"(?:^|:)(\d{2,5})$", text)
    return int(found[1]) if found and 0 < int(found[1]) < 65_536 else None
