"""The environment variables that a project's source reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.detection import Evidence
from stoker.sidecar.project import Project

CODE = ("py", "js", "ts", "mjs", "cjs", "mts", "tsx", "rb", "go", "rs", "erb")

_QUOTED = re.compile(r"""["'`]([A-Z][A-Z0-9_]{2,79})\\?["'`]""")
"""What is the name of an environment variable, if it is asked for."""
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


def variables(project: Project) -> dict[str, Evidence]:
    """Return the environment variables that the source reads, with the first place of each."""
    found: dict[str, Evidence] = {}
    for path in project.suffixed(*CODE):
        if project.is_aside(path):
            continue
        text = project.text(path)
        for each in _read_in(text):
            if each[1] not in found:
                number = text.count("\n", 0, each.start(1)) + 1
                found[each[1]] = Evidence(path, number, each[1], "is read here")
    return found


def _read_in(text: str) -> Iterator[re.Match[str]]:
    """Yield the names of the variables that a file reads; most files speak of none."""
    for each in _QUOTED.finditer(text):
        before = text[max(0, each.start() - 60) : each.start()].rstrip()
        if before.endswith(("(", "[", "=", ":", "\\")) and _ASKED.search(before):
            yield each
    yield from _MEMBER.finditer(text)
    for each in _FIELD.finditer(text):
        if any(word in text for word in ("Settings", "zod", "Joi", "Env", "env")):
            yield each
