"""The lines of a project that name a broker: a URL's scheme, a variable, a class of a client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from stoker.sidecar.detect.environment import CODE
from stoker.sidecar.detect.generated import is_generated
from stoker.sidecar.detection import BrokerKind, Evidence
from stoker.sidecar.project import Project
from stoker.sidecar.schemes import IN_A_SETTING

Vote = tuple[int, BrokerKind, Evidence]
"""How much something says, for which broker."""
NAMES: tuple[tuple[str, BrokerKind], ...] = (
    (r"AMQP|RABBIT", "rabbitmq"),
    (r"REDIS|VALKEY", "redis"),
    (r"FAKTORY", "faktory"),
    (r"(^|_)NATS", "nats"),
)
_CLIENTS: tuple[tuple[str, BrokerKind], ...] = (
    ("RedisBroker", "redis"), ("RabbitmqBroker", "rabbitmq"), ("RedisHuey", "redis"),
    ("SqliteHuey", "sqlite"), ("AioPikaBroker", "rabbitmq"), ("NatsBroker", "nats"),
    ("PostgresBroker", "postgres"), ("ListQueueBroker", "redis"), ("StreamBroker", "redis"),
    ("RedisStorage", "redis"), ("PostgresStorage", "postgres"), ("SqliteStorage", "sqlite"),
    ("AmqpBackend", "rabbitmq"), ("PostgresQueue", "postgres"),
)  # fmt: skip
_IN_A_FILE = re.compile(r"\bSqlite(?:Huey|Storage)\(")
_ON_A_SERVER = re.compile(r"\b(?:Priority)?Redis(?:Expire)?(?:Huey|Storage)\(")
_SETTING = re.compile(r"broker", re.IGNORECASE)
_TELLING = re.compile(
    r"://(?<!http://)(?<!https://)|k(?:(?<=[bB]rok)er|(?<=AmqpBack)end)|K(?<=BROK)ER|Huey|Storage|"
    r"Q(?<=PostgresQ)ueue"
)
"""Each by a rare letter, as ``spotting`` does it: so ``re`` skips at once what cannot be one."""
_MAY_TELL = re.compile(_TELLING.pattern.encode())
_CONFIGURATION = (
    "yml", "yaml", "toml", "ini", "cfg", "conf", "json", "env", "example", "sample", "sh",
)  # fmt: skip
_LOCKS = ("package-lock.json", "pnpm-lock.yaml")
_MOST = 401


class BrokerLines:
    """They are looked for once, however many frameworks ask."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def about(self, framework: str) -> Iterator[Vote]:
        """Yield the lines of the files that speak of brokers or of a framework."""
        words = ("broker", "Broker", "BROKER", framework, framework.capitalize(), framework.upper())
        count = 0
        for path, votes in self._votes:
            text = self.project.text(path)
            if any(word in text for word in words):
                yield from votes[: _MOST - count]
                count += len(votes)
                if count >= _MOST:
                    return

    @cached_property
    def _votes(self) -> list[tuple[str, list[Vote]]]:
        """The files that name a broker."""
        telling = self.project.telling(self._paths(), _MAY_TELL)
        every = ((path, list(_votes(path, self.project.text(path)))) for path in telling)
        return [(path, votes) for path, votes in every if votes]

    def _paths(self) -> Iterator[str]:
        for path in self.project.suffixed(*CODE, *_CONFIGURATION):
            aside = self.project.is_aside(path) or path.endswith(_LOCKS)
            if not aside and not is_generated(self.project, path):
                yield path
        yield from self.project.matching(r"\.env[.\w-]*")


def _votes(path: str, text: str) -> Iterator[Vote]:
    # Made with a file or with a server, as a variable says: containers share a server, no file.
    either = _IN_A_FILE.search(text) is not None and _ON_A_SERVER.search(text) is not None
    for start, line in _telling(text):
        named = _named(line)
        if either:
            named.pop("sqlite", None)
        number = text.count("\n", 0, start) + 1 if named else 0
        for kind, weight in named.items():
            yield weight, kind, Evidence(path, number, line, "names the broker")


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
            yield start, line


def _named(line: str) -> dict[BrokerKind, int]:
    """Return what a line names, and how much that says: most, what follows ``broker`` in it."""
    setting = None if "result" in line.lower() else _SETTING.search(line)
    at: dict[BrokerKind, int] = {
        kind: found.start() for pattern, kind in IN_A_SETTING if (found := re.search(pattern, line))
    }
    if not at and setting:
        at = {k: f.start() for pattern, k in NAMES if (f := re.search(pattern, line.upper()))}
    if not line.lstrip().startswith(("from ", "import ", "use ")):
        at |= {kind: line.find(name) for name, kind in _CLIENTS if name in line}
    after = {kind: start for kind, start in at.items() if setting and start >= setting.start()}
    told = min(after, key=lambda kind: after[kind]) if after else None
    return {kind: 8 if kind == told or (setting and not told) else 1 for kind in at}
