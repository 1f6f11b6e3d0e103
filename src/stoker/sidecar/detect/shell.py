"""Command lines taken apart, without a shell: words, variables, and what runs what.

``steps`` splits a line at ``&&``, ``;``, ``|``; ``unwrap`` peels what only starts something else
(``poetry run``, ``exec``, ``sh -c``, ``dumb-init``, ``nodemon --exec``) off a step.
"""

from __future__ import annotations

import functools
import itertools
import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

import msgspec

LONGEST = 8_192
UNKNOWN = "\0"
"""What only a run would tell: a word with it is left out."""
ROOT = "\x01"
"""Stands before a path that starts at the project's root."""
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_OPERATORS = frozenset({"&&", "||", ";", ";;", "|", "&", "|&", "(", ")", "{", "}", "\n"})
_DEFAULTED = re.compile(r"\$\{(\w+):?[-=]([^{}$]*)\}")
_WHICH = re.compile(r"(?:(?:\S*/)?python[\d.]*\s+)?(?:\$\(|`)\s*which\s+([\w.-]+)\s*(?:\)|`)")
_VARIABLE = re.compile(r"\$\{?[A-Za-z_@]")
_PLAIN = re.compile(r"[\w \t./:=@%+,$*~^{}\[\]#!?-]*")
_KEYWORDS = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "time"})


class Step(msgspec.Struct, frozen=True):
    """One simple command of a line."""

    words: tuple[str, ...]
    environment: dict[str, str] = {}
    dir: str = "."
    """Where a ``cd`` before it led."""
    dev: bool = False
    """Run by something that starts it again when a file changes."""

    @property
    def line(self) -> str:
        """Return it as somebody would type it."""
        return shlex.join(self.words)


@functools.lru_cache(4_096)
def steps(line: str) -> tuple[Step, ...]:
    """Return the simple commands of a line, each with the directory that it is run in.

    Most lines are met more than once: scripts call each other, and all have their ``set -e``.
    """
    return tuple(_steps(line))


def _steps(line: str) -> Iterator[Step]:
    dir = "."
    for every in _simple(defaults(line[:LONGEST])):
        words = list(_known(every))
        while words and words[0] in _KEYWORDS:
            words = words[1:]
        if words[:1] in (["cd"], ["pushd"]) and len(words) > 1 and "$" not in words[1]:
            dir = words[1] if words[1].startswith("/") or dir == "." else f"{dir}/{words[1]}"
            continue
        step = _assignments(words)
        if step.words:
            yield msgspec.structs.replace(step, dir=dir)


def _known(words: Sequence[str]) -> tuple[str, ...]:
    """Leave out the words that nobody knows, with the options that they are for."""
    found: list[str] = []
    for word in () if UNKNOWN in words[0] else words:
        if UNKNOWN not in word:
            found.append(_in_project(word))
        elif not word.startswith("-") and found and re.fullmatch(r"--?[\w-]+", found[-1]):
            found.pop()
    return tuple(found)


def _in_project(word: str) -> str:
    return posixpath.normpath(word[len(ROOT) :].lstrip("/")) if word.startswith(ROOT) else word


def defaults(line: str) -> str:
    """Put in the default of every ``${VARIABLE:-default}``, and what ``$(which NAME)`` finds."""
    line = _WHICH.sub(r"\1", line) if "which" in line else line
    for _ in range(3):
        line, count = _DEFAULTED.subn(lambda found: found[2], line)
        if not count:
            break
    return line


def has_variables(words: Sequence[str]) -> bool:
    """Tell if a shell would put something in."""
    return any(_VARIABLE.search(word) or "`" in word or "$(" in word for word in words)


def as_shell(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command that a shell puts variables into, if there are any."""
    if not has_variables(words):
        return words
    return ("sh", "-c", "exec " + " ".join(_quoted(word) for word in words))


def _quoted(word: str) -> str:
    return (
        word
        if re.fullmatch(r"[\w@%+=:,./${}\[\]*-]+", word)
        else '"' + word.replace('"', '\\"') + '"'
    )


def split(line: str) -> list[str]:
    """Split into words as a shell does; at spaces if its quotes do not match."""
    try:
        return shlex.split(line, comments=False)
    except ValueError:
        return line.split()


def _simple(line: str) -> Iterator[list[str]]:
    words: list[str] = []
    redirected = False
    try:
        for word in _lexed(line):
            if set(word) <= set("<>&") and ("<" in word or ">" in word):
                if words and words[-1].isdigit():
                    words.pop()
                redirected = True
            elif word in _OPERATORS or set(word) <= set("();|&\n"):
                if words:
                    yield words
                words, redirected = [], False
            elif redirected:
                redirected = False
            else:
                words.append(word)
    except ValueError:
        words = words or line.split()
    if words:
        yield words


def _lexed(line: str) -> Iterable[str]:
    """Return words and operators; the quick way where none is quoted, escaped or joined."""
    if _PLAIN.fullmatch(line):
        return line.split()
    lexer = shlex.shlex(line.replace("\\\n", " "), posix=True, punctuation_chars="();|&\n<>")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    return lexer


def _assignments(words: Sequence[str]) -> Step:
    environment: dict[str, str] = {}
    rest = list(words)
    while rest:
        found = _ASSIGNMENT.fullmatch(rest[0])
        if found is None:
            if rest[0] not in ("env", "cross-env", "export", "command", "/usr/bin/env"):
                break
        else:
            environment[found[1]] = found[2]
        rest.pop(0)
    return Step(tuple(rest), environment)


# ---- what only starts something else ------------------------------------------------------------

_RUNNERS: tuple[tuple[str, ...], ...] = (
    ("exec",), ("nohup",), ("sudo",), ("then",), ("command",), ("time",), ("eval",),
    ("uv", "run"), ("poetry", "run"), ("pipenv", "run"), ("pdm", "run"), ("hatch", "run"),
    ("rye", "run"), ("uvx",), ("pixi", "run"), ("bundle", "exec"), ("bundler", "exec"), ("npx",),
    ("bunx",), ("yarn", "exec"), ("pnpm", "exec"), ("pnpm", "dlx"), ("dotenv", "--"),
    ("dotenv",), ("env-cmd",),
    ("dotenvx", "run", "--"),
    ("dumb-init",), ("tini",), ("/usr/bin/dumb-init",), ("/usr/bin/tini",), ("/sbin/tini",),
    ("/tini",), ("catatonit",), ("ddtrace-run",), ("opentelemetry-instrument",),
    ("newrelic-admin", "run-program"), ("doppler", "run"), ("infisical", "run"),
    ("chamber", "exec"),
    ("op", "run"), ("stdbuf",), ("watchexec",), ("aws-vault", "exec"), ("heroku", "run"),
    ("heroku", "local:run"), ("bin/qgtunnel",), ("conda", "run"), ("spring",), ("foreman", "run"),
    ("xvfb-run",), ("jemalloc.sh",), ("prom",), ("hivemind",), ("ionice",), ("chpst",),
    ("python", "-m"), ("python3", "-m"), ("setarch",), ("caffeinate",), ("nice",), ("timeout",),
)  # fmt: skip
_RUNNER_VALUES = frozenset({
    "--with", "--extra", "--group", "--env-file", "-e", "-f", "-c", "--config", "--project",
    "-p", "-n", "-u", "--env", "--environments", "--package", "--directory", "--python", "-o", "-g",
})  # fmt: skip
_WITH_USER = frozenset({"gosu", "su-exec", "setpriv", "setuser"})
_SHELLS = frozenset({"sh", "bash", "ash", "zsh", "dash"})
_PYTHON = re.compile(r"(?:\S*/)?python[0-9.]*|pypy3?|py")
_MODULES = frozenset({
    "celery", "dramatiq", "rq", "arq", "saq", "taskiq", "huey_consumer", "procrastinate",
    "stoker", "flower", "litestar", "flask", "watchfiles", "dotenv",
})  # fmt: skip
_MODULES_OF = {"watchdog.watchmedo": "watchmedo", "huey.bin.huey_consumer": "huey_consumer"}
"""Commands that are not called as the package is, by their modules."""
DEV_RUNNERS = frozenset({
    "nodemon", "ts-node-dev", "tsnd", "watchmedo", "watchfiles", "reflex", "air", "modd", "entr",
    "tsc-watch", "CompileDaemon", "guard", "rerun", "wgo", "watchexec", "cargo-watch", "bacon",
})  # fmt: skip
"""They start a command again when a file changes."""
_INSTALLED = frozenset({
    "node", "tsx", "ts-node", "ts-node-dev", "vite-node", "swc-node", "babel-node", "nodemon",
    "dotenv", "cross-env", "env-cmd", "pm2", "pm2-runtime",
})  # fmt: skip
"""Programs that packages bring, which some managers run by their name alone."""
_TOLD_IN_A_FILE = frozenset({"air"})
"""They have no command on their line: who knows the file reads it."""
_WATCHED = ("--exec", "-x", "--onSuccess", "--onsuccess")
"""What stands before the command that is started again."""
DEV_FLAGS = frozenset({"--watch", "watch", "--reload", "-r:dev", "--hot", "--respawn"})


def unwrap(step: Step, depth: int = 0) -> Iterator[Step]:
    """Yield what a step runs in the end; several for ``sh -c "a; b"`` and ``concurrently``."""
    if depth > 8 or not step.words:
        return
    inner = _inside(step)
    if inner is None:
        yield step
        return
    for each in inner:
        merged = Step(
            each.words,
            step.environment | each.environment,
            each.dir if step.dir == "." else f"{step.dir}/{each.dir}".removesuffix("/."),
            step.dev or each.dev,
        )
        yield from unwrap(merged, depth + 1)


def _inside(step: Step) -> list[Step] | None:
    words = list(step.words)
    first = words[0].rpartition("/")[2] if words[0].startswith(("/", "./")) else words[0]
    if first in _SHELLS:
        return _shell(words)
    if first in _WITH_USER:
        return [_assignments(words[2:])]
    if first == "su" and "-c" in words[:-1]:
        return list(steps(words[words.index("-c") + 1]))
    if re.search(r"(wait[-_]for|wait-for-it|dockerize|wait$)", first) and "--" in words:
        return [_assignments(words[words.index("--") + 1 :])]
    if first in ("concurrently", "npm-run-all", "run-p", "run-s") and len(words) > 1:
        return _concurrent(first, words)
    if first in ("docker", "docker-compose", "podman"):
        return _docker(words)
    if first in ("pnpm", "yarn") and not _INSTALLED.isdisjoint(words[1:2]):
        return [Step(tuple(words[1:]))]
    if first == "pm2" and words[1:2] == ["start"]:
        return _daemon(words[2:])
    if first in DEV_RUNNERS - _TOLD_IN_A_FILE:
        return _watched(first, words)
    if (watched := _debugged(words) or _reloaded(words)) is not None:
        return watched
    if _PYTHON.fullmatch(words[0]) and words[1:2] == ["-m"] and len(words) > 2:
        package = words[2].split(".")[0]
        name = _MODULES_OF.get(words[2]) or (package if package in _MODULES else "")
        return [Step((name, *words[3:]))] if name else None
    return _runner(words)


def _shell(words: Sequence[str]) -> list[Step] | None:
    for at, word in enumerate(words[1:], 1):
        if re.fullmatch(r"-[a-z]*c", word) and at + 1 < len(words):
            return list(steps(words[at + 1]))
        if not word.startswith(("-", "+")):
            return [Step(tuple(words[at:]))]  # a script
    return []


def _concurrent(first: str, words: Sequence[str]) -> list[Step]:
    found: list[Step] = []
    skip = False
    for word in words[1:]:
        if skip or word.startswith("-"):
            skip = not skip and word in ("-n", "--names", "-c", "--prefix-colors", "-p", "--prefix")
        elif first == "concurrently" and not word.startswith("npm:"):
            found += list(steps(word))
        else:
            found.append(Step(("npm", "run", word.removeprefix("npm:"))))
    return found


_DOCKER_VALUES = frozenset({
    "-e", "--env", "-v", "--volume", "-p", "--publish", "--name", "--network", "--net", "-w",
    "--workdir", "-u", "--user", "--env-file", "-f", "--file", "--entrypoint", "--link", "-h",
    "--hostname", "--restart", "--memory", "-m", "--cpus", "--add-host", "-l", "--label",
    "--project-name", "--profile", "--log-opt", "--log-driver", "--gpus", "--platform",
})  # fmt: skip


def _docker(words: Sequence[str]) -> list[Step]:
    """Return what ``docker run IMAGE …``, ``docker compose exec SERVICE …`` start."""
    verbs = [at for at, word in enumerate(words[:8]) if word in ("run", "exec")]
    if not verbs:
        return []
    at = verbs[0] + 1
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _DOCKER_VALUES and "=" not in words[at] else 1
    return [_assignments(words[at + 1 :])] if at + 1 < len(words) else []


_DAEMON_VALUES = frozenset({
    "-n", "--name", "-i", "--instances", "--interpreter", "--cron", "-c", "--max-memory-restart",
    "--namespace", "-o", "--output", "-e", "--error", "-l", "--log", "--cwd", "--node-args",
    "--restart-delay", "--env",
})  # fmt: skip


def _daemon(words: Sequence[str]) -> list[Step] | None:
    """Return what ``pm2 start FILE`` runs: where a container is restarted, nobody needs pm2."""
    options, rest = dict[str, str](), list(words)
    while rest and rest[0].startswith("-") and rest[0] != "--":
        value = rest[0] in _DAEMON_VALUES and len(rest) > 1
        options[rest[0]] = rest[1] if value else ""
        rest = rest[2:] if value else rest[1:]
    if not rest or re.search(r"\.(json|ya?ml|config\.[cm]?js)$|^-", rest[0]):
        return None  # of apps that are told in a file, which is read for itself
    after = list(itertools.dropwhile(lambda word: word != "--", rest))[1:]
    for flag, value in itertools.pairwise(rest[1:]):
        options.setdefault(flag, value)
    if " " in rest[0]:
        return list(steps(rest[0]))
    is_file = "/" in rest[0] or re.search(r"\.[cm]?[jt]s$", rest[0])
    interpreter = options.get("--interpreter") or "node"
    return [Step((*((interpreter,) if is_file else ()), rest[0], *after))]


_WATCH_VALUES = frozenset({
    "-d", "--directory", "-p", "--pattern", "--patterns", "-w", "--watch", "-e", "--ext", "-i",
    "--ignore", "--filter", "-s", "--signal", "--delay", "-c", "--debounce-interval", "--interval",
    "-g", "-r", "-t", "--ignore-patterns", "--sigint-timeout", "--grace-period", "--target-type",
})  # fmt: skip


def _watched(first: str, words: Sequence[str]) -> list[Step]:
    if "--" in words:
        inner = _assignments(words[words.index("--") + 1 :])
        return [msgspec.structs.replace(inner, dev=True)]
    flag = next((word for word in words[:-1] if word in _WATCHED), None)
    if flag is not None:
        at = words.index(flag) + 1
        inner = list(steps(words[at])) if " " in words[at] else [Step(tuple(words[at:]))]
        return [msgspec.structs.replace(each, dev=True) for each in inner]
    rest = list(words[1:])
    if rest[:1] == ["auto-restart"]:
        rest = rest[1:]
    while rest and rest[0].startswith("-"):
        value = rest[0] in _WATCH_VALUES and len(rest) > 1
        rest = rest[2:] if value else rest[1:]
    if not rest:
        return []
    if first == "watchfiles" or " " in rest[0]:
        return [msgspec.structs.replace(each, dev=True) for each in steps(rest[0])]
    program = {"nodemon": ("node",), "ts-node-dev": ("ts-node",), "tsnd": ("ts-node",)}.get(
        first, ()
    )
    if first == "nodemon" and not re.search(r"\.[cm]?[jt]sx?$", rest[0]):
        program = ()
    return [Step((*program, *rest), dev=True)]


_DEBUGGERS = frozenset({"debugpy", "ptvsd"})
_DEBUGGER_VALUES = frozenset({
    "--listen", "--connect", "--host", "--port", "--log-to", "--log-dir", "--adapter-access-token",
    "--configure-subProcess", "--configure-qt",
})  # fmt: skip
_RELOADER = re.compile(r"(?:\S*[/_-])?(?:auto[-_]?)?(?:reload|watch|restart)(?:er)?\.py")


def _debugged(words: Sequence[str]) -> list[Step] | None:
    """Return what ``python -m debugpy --listen 5678 FILE`` runs, or ``… -m MODULE``."""
    at = next((at for at, word in enumerate(words) if not word.startswith("-") and at), 0)
    if not (_PYTHON.fullmatch(words[0]) and words[at] in _DEBUGGERS and words[at - 1] == "-m"):
        return None
    rest = list(words[at + 1 :])
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        rest = rest[2:] if rest[0] in _DEBUGGER_VALUES else rest[1:]
    return [Step((words[0], *rest), dev=True)] if rest else None


def _reloaded(words: Sequence[str]) -> list[Step] | None:
    """Return the command that a program of the project's own restarts, given as one word."""
    if len(words) < 3 or " " not in words[-1] or not _PYTHON.fullmatch(words[0]):
        return None
    if not _RELOADER.fullmatch(words[1]):
        return None
    return [msgspec.structs.replace(each, dev=True) for each in steps(words[-1])]


_RUNNERS_BY_NAME = {
    name: tuple(runner for runner in _RUNNERS if runner[0] == name) for name, *_ in _RUNNERS
}


def _runner(words: Sequence[str]) -> list[Step] | None:
    for runner in _RUNNERS_BY_NAME.get(words[0], ()):
        if tuple(words[: len(runner)]) != runner or len(words) <= len(runner):
            continue
        if runner in (("python", "-m"), ("python3", "-m")):
            return None
        rest = list(words[len(runner) :])
        while rest and rest[0].startswith("-"):
            value = rest[0] in _RUNNER_VALUES and len(rest) > 1
            rest = rest[2:] if value else rest[1:]
        if runner == ("timeout",) and rest:
            rest = rest[1:]
        return [_assignments(rest)]
    return None


def is_dev(step: Step) -> bool:
    """Tell if the command is meant for the desk: it watches files, or builds what it starts."""
    builds = step.words[:1] in (("nx",), ("air",)) or step.words[:2] == ("nest", "start")
    return step.dev or builds or any(word in DEV_FLAGS for word in step.words)
