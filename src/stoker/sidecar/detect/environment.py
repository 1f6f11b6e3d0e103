"""The environment variables that a project's source reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from stoker.sidecar.detect.generated import is_generated
from stoker.sidecar.project import Project

CODE = ("py", "js", "ts", "mjs", "cjs", "mts", "tsx", "rb", "go", "rs", "erb")
_TEST = re.compile(r"\.(test|spec|stories|e2e-spec)\.[cm]?[jt]sx?$")
"""A test that lies beside what it tests: what it reads is not what the app reads."""

_QUOTED = {
    quote: re.compile(rb"""%b([A-Z][A-Z0-9_]{2,79})\\?["'`]""" % quote)
    for quote in (b'"', b"'", b"`")
}
"""What is the name of an environment variable, if it is asked for.

A pattern for each quote: ``re`` finds one letter several times as fast as any of three.
"""
_MEMBER = re.compile(rb"\.(?<=env\.)(?<!\wenv\.)([A-Z][A-Z0-9_]{2,79})")
_TYPE = rb":[ \t]*(?:z\.|str\b|int\b|SecretStr|Optional|\w*Dsn\b|Joi\.|t\.|url\(|str\()"
_FIELD = re.compile(rb"\n[ \t]++([A-Z][A-Z0-9_]{2,79})\??[ \t]*" + _TYPE)
"""Of a class or a schema of settings."""
_MAY_BE_FIELD = re.compile(_TYPE.replace(b":", rb":(?<=[A-Z0-9_?\t ]:)", 1))
"""In half of the time: there are fewer colons than lines."""
_OF_SETTINGS = (b"Settings", b"zod", b"Joi", b"Env", b"env")
"""One of these is in a file that has such a class or schema."""
_KEY_BASE = re.compile(rb"^[^#\n]*\bsecret_key_base\b\s*[:=]", re.MULTILINE)
_ASKED = re.compile(
    rb"(?:environ(?:\.get\(|\[)|env\w*(?:\.\w+)?(?:<\w+>)?\(|Env\w*(?:\.\w+)?(?:<\w+>)?\(|env\[|"
    rb"config(?:\.get)?\(|ENV(?:\.fetch\(|\[)|viper\.\w+\(|env::var(?:_os)?\(|"
    rb"\.get(?:OrThrow)?(?:<\w+>)?\(|env\s*[:=]\s*\\?|envconfig\s*[:=]\s*\\?|"
    rb"mapstructure\s*[:=]\s*\\?|alias\s*[:=]\s*\\?)$"
)
"""What stands before it where it is read."""


def variables(project: Project) -> list[str]:
    """Return the environment variables that the source reads, in the order of their places."""
    found: dict[bytes, None] = {}
    for path in sources(project):
        found |= dict.fromkeys(_read_in(project.data(path)))
    return [name.decode() for name in found]


def of_rails(project: Project) -> Iterator[str]:
    """Yield what Rails reads by itself in production, where it does not start without."""
    if any(not project.is_aside(path) for path in project.matching(r"credentials\.yml\.enc")):
        yield "RAILS_MASTER_KEY"
    elif any(path.endswith("config/application.rb") for path in project.named("application.rb")):
        yield "SECRET_KEY_BASE"


def needed(project: Project, read: Collection[str]) -> tuple[str, ...]:
    """Return those of some variables without which an app does not start in production.

    Rails takes the key from elsewhere where its own settings say so.
    """
    if "SECRET_KEY_BASE" not in read or "SECRET_KEY_BASE" not in of_rails(project):
        return ()
    settings = (path for path in project.suffixed("rb", "yml") if "config/" in path)
    own = (
        path for path in project.telling(settings, _KEY_BASE)
        if not project.is_aside(path) and b"SECRET_KEY_BASE" not in project.data(path)
    )  # fmt: skip
    return () if any(own) else ("SECRET_KEY_BASE",)


def places(project: Project, dir: str) -> Iterator[tuple[str, str, int]]:
    """Yield the variables that the source in a directory reads, each with its file and line."""
    for path in sources(project):
        if dir == "." or path.startswith(f"{dir}/"):
            data = project.data(path)
            for name in _read_in(data):
                found = re.search(rb"\b%b\b" % name, data)
                line = data.count(b"\n", 0, found.start()) + 1 if found else 0
                yield name.decode(), path, line


def sources(project: Project) -> Iterator[str]:
    """Yield the files of source that an app is made of."""
    for path in project.suffixed(*CODE):
        if not (project.is_aside(path) or _TEST.search(path) or is_generated(project, path)):
            yield path


def _read_in(data: bytes) -> Iterator[bytes]:
    """Yield the names of the variables that a file reads; most files speak of none."""
    quoted = [
        each for quote, pattern in _QUOTED.items() if quote in data
        for each in pattern.finditer(data)
    ]  # fmt: skip
    for each in sorted(quoted, key=re.Match[bytes].start):
        before = data[max(0, each.start() - 60) : each.start()].rstrip()
        if before.endswith((b"(", b"[", b"=", b":", b"\\")) and _ASKED.search(before):
            yield each[1]
    yield from _MEMBER.findall(data)
    if _MAY_BE_FIELD.search(data) and any(word in data for word in _OF_SETTINGS):
        yield from _FIELD.findall(data)
