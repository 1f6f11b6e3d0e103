"""The environment variables that a project's source reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.project import Project

CODE = ("py", "js", "ts", "mjs", "cjs", "mts", "tsx", "rb", "go", "rs", "erb")

_QUOTED = tuple(re.compile(rf"""{quote}([A-Z][A-Z0-9_]{{2,79}})\\?["'`]""") for quote in "\"'`")
"""What is the name of an environment variable, if it is asked for.

A pattern for each quote: ``re`` finds one letter several times as fast as any of three.
"""
_MEMBER = re.compile(r"\.(?<=env\.)(?<!\wenv\.)([A-Z][A-Z0-9_]{2,79})")
_FIELD = re.compile(
    r"\n[ \t]++([A-Z][A-Z0-9_]{2,79})\??[ \t]*:[ \t]*"
    r"(?:z\.|str\b|int\b|SecretStr|Optional|\w*Dsn\b|Joi\.|t\.|url\(|str\()"
)
"""Of a class or a schema of settings. No space is given back: twice as fast on other lines."""
_ASKED = re.compile(
    r"(?:environ(?:\.get\(|\[)|env\w*(?:\.\w+)?(?:<\w+>)?\(|Env\w*(?:\.\w+)?(?:<\w+>)?\(|env\[|"
    r"config(?:\.get)?\(|ENV(?:\.fetch\(|\[)|viper\.\w+\(|env::var(?:_os)?\(|"
    r"\.get(?:OrThrow)?(?:<\w+>)?\(|env\s*[:=]\s*\\?|envconfig\s*[:=]\s*\\?|"
    r"mapstructure\s*[:=]\s*\\?|alias\s*[:=]\s*\\?)$"
)
"""What stands before it where it is read."""


def variables(project: Project) -> list[str]:
    """Return the environment variables that the source reads, in the order of their places."""
    found: dict[str, None] = {}
    for path in project.suffixed(*CODE):
        if not project.is_aside(path):
            found |= dict.fromkeys(_read_in(project.text(path)))
    return list(found)


def places(project: Project, dir: str) -> Iterator[tuple[str, str, int]]:
    """Yield the variables that the source in a directory reads, each with its file and line."""
    for path in project.suffixed(*CODE):
        if (dir == "." or path.startswith(f"{dir}/")) and not project.is_aside(path):
            text = project.text(path)
            for name in _read_in(text):
                found = re.search(rf"\b{name}\b", text)
                yield name, path, text.count("\n", 0, found.start()) + 1 if found else 0


def _read_in(text: str) -> Iterator[str]:
    """Yield the names of the variables that a file reads; most files speak of none."""
    quoted = [each for pattern in _QUOTED for each in pattern.finditer(text)]
    for each in sorted(quoted, key=re.Match[str].start):
        before = text[max(0, each.start() - 60) : each.start()].rstrip()
        if before.endswith(("(", "[", "=", ":", "\\")) and _ASKED.search(before):
            yield each[1]
    yield from _MEMBER.findall(text)
    fields = _FIELD.findall(text)
    if fields and any(word in text for word in ("Settings", "zod", "Joi", "Env", "env")):
        yield from fields
