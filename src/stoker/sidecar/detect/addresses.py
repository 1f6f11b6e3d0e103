"""The addresses that a project writes down for its variables: in examples of ``.env``, in source.

What a developer's own ``.env`` says is not among them: others have another one, or none, and would
have other files written. They are meant for a developer's machine, so where they lead is nothing
for a container; but what their driver is, and which of a Redis' databases they mean, is the
project's to say.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from stoker.sidecar.detect.dotenv import examples, placed_variables
from stoker.sidecar.detect.environment import sources
from stoker.sidecar.detection import BrokerKind
from stoker.sidecar.project import Project
from stoker.sidecar.schemes import BY_ITSELF

_MAY_TELL = re.compile(rb"://(?<!http://)(?<!https://)")
_QUOTED = re.compile(
    rf"""["'`]((?:{"|".join(BY_ITSELF.values())})"""
    r"""://[^\s"'`<>{}$]{1,300})["'`]"""
)
_BEFORE = re.compile(r"""(?:["'`][A-Z][A-Z0-9_]{2,79}["'`])?[^"'`;}]{0,80}\Z""")
"""What stands between a variable and its default, and the variable itself."""
_NAME = re.compile(r"(?<![A-Za-z0-9_])[A-Z][A-Z0-9_]{2,79}(?![A-Za-z0-9_])")
_NEXT = re.compile(
    r"[)\]]\s*,|\)\s*[\w.]+\s*=(?!=)|(?<!\?)\?(?![?.:])|"
    r",\s*(?!(?i:default|fallback))[\w.]+\s*[:=](?!=)|"
    r"\n[ \t]*(?:(?:\w+[ \t]+){0,2}[\w.]+\s*[:=](?!=)|//|\*|#(?!\[))"
)
"""What begins something else behind a variable, or follows where it is set: no default."""
_FIELD = re.compile(r"""\n[ \t]+([a-z][a-z0-9_]{2,79})[ \t]*:[^"'\n]{0,80}\Z""")
_PREFIX = re.compile(r"""\benv_prefix\s{0,20}[=:]\s{0,20}["'](\w{0,80})["']""")
_NEAR = re.compile(r"[^.]+|127\.[0-9.]+|0\.0\.0\.0|\w+\.docker\.internal")
"""This machine, or a container: of a host elsewhere people write down the domain, too."""
_FOR_TESTS = re.compile(r"(?:^|_)TEST(?:S|ING)?_|_TEST$|SHADOW")
_LONGEST = 200
_ASKED = frozenset({
    "ssl", "sslmode", "schema", "search_path", "pgbouncer", "prepared_statements",
    "prepared_statement_cache_size", "statement_cache_size", "prepare_threshold",
    "connection_limit", "pool_timeout", "connect_timeout", "client_encoding", "charset", "encoding",
    "timezone",
})  # fmt: skip
"""What drivers are asked for in an address, and is neither an account nor another place."""
_PLAIN = re.compile(r"[\w./+,-]{1,40}")


class Address(NamedTuple):
    """One of them."""

    kind: BrokerKind
    url: str
    """Without its account."""
    path: str
    line: int


def addresses(
    project: Project, read: Collection[str], files: Iterable[str] = ()
) -> dict[str, Address]:
    """Return them by their variables, of those that are ``read`` or plainly meant for it.

    ``files``: of variables, that services have; what these say comes first.
    """
    found: dict[str, Address] = {}
    given = _of_files(project, dict.fromkeys(files))
    for name, address in (*given, *_of_examples(project), *_of_source(project, read)):
        if not _FOR_TESTS.search(name):
            found.setdefault(name, address)
    return found


def of_kind(
    kind: BrokerKind, names: Iterable[str], written: Mapping[str, Address]
) -> dict[str, str]:
    """Return what is written down for some variables, where it leads to a store of this kind.

    A file of SQLite's, written down for a developer's machine, says nothing of a PostgreSQL.
    """
    meant = "postgres" if kind == "database" else kind
    return {
        name: written[name].url for name in names if name in written and written[name].kind == meant
    }


def _of_examples(project: Project) -> Iterator[tuple[str, Address]]:
    """Yield what people are told to write, and what is the same for all of them."""
    yield from _of_files(project, examples(project))


def _of_files(project: Project, paths: Iterable[str]) -> Iterator[tuple[str, Address]]:
    for path in paths:
        for name, value, line in placed_variables(project, path):
            if address := _address(value, path, line):
                yield name, address


def _of_source(project: Project, read: Collection[str]) -> Iterator[tuple[str, Address]]:
    """Yield what the source takes where nobody says anything else."""
    for path in project.telling(sources(project), _MAY_TELL):
        text = project.text(path)
        prefix = _prefix(text)
        ends = [each.start() for each in re.finditer("\n", text)]
        for quoted in _QUOTED.finditer(text):
            name = _read_before(text, quoted.start(), read, prefix)
            line = bisect_left(ends, quoted.start()) + 1
            if name and (address := _address(quoted[1], path, line)):
                yield name, address


def _prefix(text: str) -> str | None:
    """Return what the variables of a file's settings begin with; none where it has no settings."""
    if "BaseSettings" not in text:
        return None
    found = _PREFIX.search(text)
    return found[1] if found else ""


def _read_before(text: str, end: int, read: Collection[str], prefix: str | None) -> str:
    """Return the variable that something is the default of."""
    window = text[max(0, end - 160) : end]
    before = _BEFORE.search(window)
    names = [each for each in _NAME.finditer(before[0]) if each[0] in read] if before else []
    if before and names and not _NEXT.search(before[0], names[-1].end()):
        return names[-1][0]
    field = _FIELD.search(window) if prefix is not None else None
    return f"{prefix}{field[1]}".upper() if field else ""


def _address(text: str, path: str, line: int) -> Address | None:
    split = _split(text)
    if split is None:
        return None
    for kind, pattern in BY_ITSELF.items():
        near = kind == "sqlite" or _NEAR.fullmatch(split.hostname or "")
        if near and re.fullmatch(pattern, split.scheme):
            return Address(kind, _without_account(split), path, line)
    return None


def _split(text: str) -> SplitResult | None:
    """Return the parts of an address; of none that may have its password in another part."""
    try:
        split = urlsplit(text)
        plain = len(text) <= _LONGEST and (split.port is None or split.port)
    except ValueError:
        return None
    return split if plain and text.count("@") == split.netloc.count("@") else None


def _without_account(split: SplitResult) -> str:
    port = f":{split.port}" if split.port else ""
    path = split.path if re.fullmatch(r"/[\w.-]{0,64}", split.path) else ""
    kept = [(name, value) for name, value in parse_qsl(split.query) if _may_stay(name, value)]
    query = f"?{urlencode(kept)}" if kept else ""
    return f"{split.scheme}://{split.hostname or ''}{port}{path}{query}"


def _may_stay(name: str, value: str) -> bool:
    """Tell if something is asked that every server of this kind has, a container's, too."""
    encrypted = "ssl" in name.lower() and value.lower() not in ("disable", "false", "prefer")
    return name.lower() in _ASKED and _PLAIN.fullmatch(value) is not None and not encrypted
