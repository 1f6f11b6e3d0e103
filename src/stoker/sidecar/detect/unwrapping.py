"""What only starts something else: ``poetry run``, ``exec``, ``sh -c``, ``dumb-init``.

``unwrap`` peels it off a step, with what starts it again at the desk, ``nodemon --exec``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from stoker.sidecar.detect.shell import Step, assigned, steps
from stoker.sidecar.detect.watchers import PYTHON, restarted

_RUNNERS: tuple[tuple[str, ...], ...] = (
    ("exec",), ("nohup",), ("sudo",), ("then",), ("command",), ("time",), ("eval",),
    ("uv", "run"), ("poetry", "run"), ("pipenv", "run"), ("pdm", "run"), ("hatch", "run"),
    ("rye", "run"), ("uvx",), ("pixi", "run"), ("bundle", "exec"), ("bundler", "exec"), ("npx",),
    ("bunx",), ("yarn", "exec"), ("pnpm", "exec"), ("pnpm", "dlx"), ("dotenv", "--"),
    ("dotenv", "run"), ("dotenv",), ("env-cmd",),
    ("dotenvx", "run"),
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
_MODULES = frozenset({
    "celery", "dramatiq", "rq", "arq", "saq", "taskiq", "huey_consumer", "procrastinate",
    "stoker", "flower", "litestar", "flask", "watchfiles", "dotenv",
})  # fmt: skip
_MODULES_OF = {"watchdog.watchmedo": "watchmedo", "huey.bin.huey_consumer": "huey_consumer"}
"""Commands that are not called as the package is, by their modules."""
_INSTALLED = frozenset({
    "node", "tsx", "ts-node", "ts-node-dev", "vite-node", "swc-node", "babel-node", "nodemon",
    "dotenv", "cross-env", "env-cmd", "pm2", "pm2-runtime",
})  # fmt: skip
"""Programs that packages bring, which some managers run by their name alone."""


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
        return [assigned(words[2:])]
    if first == "su" and "-c" in words[:-1]:
        return list(steps(words[words.index("-c") + 1]))
    if re.search(r"(wait[-_]for|wait-for-it|dockerize|wait$)", first) and "--" in words:
        return [assigned(words[words.index("--") + 1 :])]
    if first in ("concurrently", "npm-run-all", "run-p", "run-s") and len(words) > 1:
        return _concurrent(first, words)
    if first in ("docker", "docker-compose", "podman"):
        return _docker(words)
    if first in ("pnpm", "yarn") and not _INSTALLED.isdisjoint(words[1:2]):
        return [Step(tuple(words[1:]))]
    if first == "pm2" and words[1:2] == ["start"]:
        return _daemon(words[2:])
    if (again := restarted(first, words)) is not None:
        return again
    if PYTHON.fullmatch(words[0]) and words[1:2] == ["-m"] and len(words) > 2:
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
    return [assigned(words[at + 1 :])] if at + 1 < len(words) else []


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


_RUNNERS_BY_NAME = {
    name: tuple(runner for runner in _RUNNERS if runner[0] == name) for name, *_ in _RUNNERS
}


def _runner(words: Sequence[str]) -> list[Step] | None:
    if words[0].endswith("/bundle"):  # rbenv's, RVM's or the system's, as systemd needs it
        words = ("bundle", *words[1:])
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
        if runner == ("dotenv",) and rest[:1] == ["run"]:  # its own options come before
            return _runner(["dotenv", *rest])
        return [assigned(rest)]
    return None
