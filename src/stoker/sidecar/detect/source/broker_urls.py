"""Where Python's source itself says that a framework's broker is: by an address written there.

Half of them are none: where one connection is made of what is not known before it runs, nobody can
tell which of them counts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from stoker.sidecar.detect.source.celery_settings import settings
from stoker.sidecar.detect.source.python_constants import text_of
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Module
from stoker.sidecar.detect.source.stoker_urls import AppURL
from stoker.sidecar.detect.spotting import sieve
from stoker.sidecar.frameworks import FRAMEWORKS
from stoker.sidecar.values import PLACEHOLDER

_SETS_BROKER = sieve("Celery", "broker_url", "BROKER_URL")
_SETTINGS = ("broker_url", "celery_broker_url")
_REDIS = ("Redis", "StrictRedis", "from_url")
_MADE: dict[str, tuple[str, ...]] = {
    "rq": _REDIS,
    "arq": ("RedisSettings", "from_dsn"),
    "saq": _REDIS,
    "huey": ("RedisHuey", "PriorityRedisHuey", "RedisExpireHuey", "PriorityRedisExpireHuey",
             "SqliteHuey"),
    "dramatiq": ("RedisBroker", "RabbitmqBroker"),
    "taskiq": ("ListQueueBroker", "RedisStreamBroker", "PubSubBroker", "AioPikaBroker"),
}  # fmt: skip
"""What makes the connection to its broker, by framework."""
_RABBITMQ = ("RabbitmqBroker", "AioPikaBroker")
_WHOLE = ("url", "dsn")
"""Arguments that are the whole address; it may be the first, too."""
_HOST_FIRST = ("Redis", "StrictRedis", "RedisSettings")


def told(source: PythonSource, framework: str) -> list[AppURL]:
    """Return where a framework's broker is, if the source says so of every connection."""
    found = list(_of_celery(source) if framework == "celery" else _made(source, framework))
    return found if all(each.url for each in found) else []


def _of_celery(source: PythonSource) -> Iterator[AppURL]:
    for path in source.project.telling(source.paths, _SETS_BROKER):
        module = source.module(path)
        if module is None:
            continue
        given = [value for name, value in settings(module) if name.lower() in _SETTINGS]
        for full, call in module.calls:
            if full.rpartition(".")[2] == "Celery":
                given += [each.value for each in call.keywords if each.arg == "broker"]
        for value in given:
            if not (isinstance(value, ast.Constant) and value.value is None):
                yield _told("celery", path, value, text_of(source, module, value))


def _made(source: PythonSource, framework: str) -> Iterator[AppURL]:
    names = _MADE.get(framework, ())
    importing = re.compile(rb"^\s*(?:from|import)\s+%b" % framework.encode(), re.MULTILINE)
    for path in source.project.telling(source.paths, importing) if names else ():
        module = source.module(path)
        for full, call in module.calls if module else ():
            name = full.rpartition(".")[2]
            if module is not None and name in names:
                yield _told(framework, path, call, _address(source, module, name, call))


def _told(framework: str, path: str, node: ast.expr, url: str) -> AppURL:
    return AppURL(path, node.lineno, False, url, FRAMEWORKS[framework].title)


def _address(source: PythonSource, module: Module, name: str, call: ast.Call) -> str:
    """Return the address that a connection is made of; what is told nothing is on this machine."""
    given = {each.arg or "**": each.value for each in call.keywords}
    first = call.args[0] if call.args else None
    if "**" in given or isinstance(first, ast.Starred):
        return ""
    if name == "SqliteHuey":
        file = text_of(source, module, given["filename"]) if "filename" in given else "huey.db"
        return f"sqlite:///{file}" if file else ""
    whole = next((given[key] for key in _WHOLE if key in given), None)
    if whole is not None:
        return text_of(source, module, whole)
    text = text_of(source, module, first) if first is not None else ""
    if "://" in text:
        return text
    host = given.get("host") or (first if name in _HOST_FIRST else None)
    if host is not None:
        text = text_of(source, module, host)
        return _joined(name, text, given) if text else ""
    if first is None or name in _MADE["huey"]:  # whose first is the queue's name
        return _joined(name, "localhost", {})
    return ""


def _joined(name: str, host: str, given: Mapping[str, ast.expr]) -> str:
    scheme = "amqp" if name in _RABBITMQ else "redis"
    account = f":{PLACEHOLDER}@" if "password" in given else ""
    numbers = {key: _number(value) for key, value in given.items()}
    port = f":{numbers['port']}" if numbers.get("port") else ""
    database = numbers.get("db") or numbers.get("database")
    return f"{scheme}://{account}{host}{port}{f'/{database}' if database else ''}"


def _number(value: ast.expr) -> str:
    if isinstance(value, ast.Constant) and isinstance(value.value, int):
        return str(value.value)
    return ""
