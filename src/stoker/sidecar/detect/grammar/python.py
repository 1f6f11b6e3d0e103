"""The command lines of Python's frameworks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from stoker.sidecar.detect.grammar.words import (
    Launch,
    Reader,
    Words,
    dashboard,
    listed,
    number,
    options,
    positional,
    renamed,
    scheduler,
)
from stoker.sidecar.detection import Role

_CELERY_ROLES: dict[str, Role] = {
    "worker": "worker", "beat": "scheduler", "flower": "dashboard", "multi": "worker",
}  # fmt: skip


_CELERY_VALUES = frozenset({
    "-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir",
})  # fmt: skip
"""Before the role, which an app may be called: ``celery -A worker beat``."""


def _celery(words: Words, _environment: dict[str, str]) -> Launch | None:
    app = options(words, "-A", "--app")
    given = positional(words[1:], _CELERY_VALUES)
    verb = next((word for word in given if word in _CELERY_ROLES), "")
    if not verb:
        return None
    if verb == "multi" and not {"start", "restart"} & set(words):
        return None
    queues = listed(options(words, "-Q", "--queues", "-q"))
    count = number(options(words, "-c", "--concurrency"))
    return Launch("celery", _CELERY_ROLES[verb], words, app[0] if app else "", queues, count)


def _flower(words: Words, _environment: dict[str, str]) -> Launch | None:
    app = options(words, "-A", "--app")
    return Launch("celery", "dashboard", words, app[0] if app else "")


_DRAMATIQ_VALUES = frozenset({
    "-p", "--processes", "-t", "--threads", "-Q", "--queues", "--path", "-P", "--watch",
    "--log-file", "--pid-file", "--use-spawn", "--fork-function", "-f", "-W",
    "--worker-shutdown-timeout",
})  # fmt: skip


def _dramatiq(words: Words, _environment: dict[str, str]) -> Launch | None:
    queues: list[str] = []
    for at, word in enumerate(words):
        if word in ("-Q", "--queues"):  # takes all words up to the next option
            for value in words[at + 1 :]:
                if value.startswith("-"):
                    break
                queues.append(value)
    modules = [word for word in positional(words[1:], _DRAMATIQ_VALUES) if word not in queues]
    if not modules:
        return None
    count = number(options(words, "-p", "--processes"))
    return Launch("dramatiq", "worker", words, modules[0], listed(queues), count)


_RQ_VALUES = frozenset({
    "-u", "--url", "-c", "--config", "-n", "--name", "-w", "--worker-class", "-j", "--job-class",
    "--queue-class", "-P", "--path", "--results-ttl", "--worker-ttl", "--logging_level", "-S",
    "--connection-class", "--sentry-dsn", "--log-format", "--max-jobs", "--max-idle-time", "-i",
    "--num-workers", "--serializer", "-l", "--logging-level", "--pid", "-v", "--settings",
    "--verbosity", "--maintenance-interval", "--dequeue-strategy",
})  # fmt: skip


def _rq(words: Words, _environment: dict[str, str]) -> Launch | None:
    if words[0].endswith(("rqworker", "rqworker.py")):
        rest: Sequence[str] = words[1:]
    elif words[1:2] == ("worker",) or words[1:2] == ("worker-pool",):
        rest = words[2:]
    elif words[1:2] == ("cron",):
        return Launch("rq", "scheduler", words)
    else:
        return None
    queues = listed(positional(rest, _RQ_VALUES))
    return Launch("rq", "worker", words, "", queues or ("default",))


_HUEY_VALUES = frozenset({
    "-w", "--workers", "-k", "--worker-type", "-l", "--logfile", "-d", "--delay", "-m",
    "--max-delay", "-b", "--backoff", "-c", "--health-check-interval", "-s", "--scheduler-interval",
})  # fmt: skip


def _huey(words: Words, _environment: dict[str, str]) -> Launch | None:
    modules = positional(words[1:], _HUEY_VALUES)
    count = number(options(words, "-w", "--workers"))
    role: Role = "scheduler" if count == 0 else "worker"  # without workers, only that is left
    return Launch("huey", role, words, modules[0] if modules else "", (), count)


def _arq(words: Words, _environment: dict[str, str]) -> Launch | None:
    names = positional(words[1:], frozenset({"--watch", "--custom-log-dict", "-v"}))
    if not names or "--check" in words:
        return None
    return Launch("arq", "worker", words, names[0])


def _saq(words: Words, _environment: dict[str, str]) -> Launch | None:
    names = positional(words[1:], frozenset({"--workers", "--port", "--extra-web-settings"}))
    if not names or "--check" in words:
        return None
    return Launch("saq", "worker", words, names[0], (), number(options(words, "--workers")))


def _litestar(words: Words, _environment: dict[str, str]) -> Launch | None:
    if "workers" in words and "run" in words:
        return Launch("saq", "worker", words, (options(words, "--app") or [""])[0])
    return None


_TASKIQ_VALUES = frozenset({
    "-w", "--workers", "-tp", "--tasks-pattern", "--log-level", "--app-dir", "--max-async-tasks",
    "--max-threadpool-threads", "--receiver", "--shutdown-timeout", "--wait-tasks-timeout",
    "--reload-dir", "--max-prefetch", "--ack-type", "--app-factory", "--log-format",
})  # fmt: skip


def _taskiq(words: Words, _environment: dict[str, str]) -> Launch | None:
    roles: dict[str, Role] = {"worker": "worker", "scheduler": "scheduler"}
    role = roles.get(words[1]) if len(words) > 1 else None
    names = [name for name in positional(words[2:], _TASKIQ_VALUES) if ":" in name]
    if role is None or not names:
        return None
    count = number(options(words, "-w", "--workers"))
    return Launch("taskiq", role, words, names[0], (), count)


def _procrastinate(words: Words, _environment: dict[str, str]) -> Launch | None:
    if "worker" not in words:
        return None
    app = options(words, "-a", "--app")
    queues = listed(options(words, "-q", "--queues"))
    count = number(options(words, "-c", "--concurrency"))
    return Launch("procrastinate", "worker", words, app[0] if app else "", queues, count)


_STOKER_VALUES = frozenset({"-q", "--queue", "--queues", "--concurrency", "--url", "-c"})


def _unwatched(words: Words) -> Iterator[str]:
    """Yield the words of ``stoker dev`` that are those of its worker."""
    for before, word in pairwise(("", *words)):
        if before != "--watch" and not word.startswith("--watch"):
            yield word


def _stoker(words: Words, _environment: dict[str, str]) -> Launch | None:
    if words[1:2] not in (("worker",), ("dev",)):
        return None
    if words[1] == "dev":  # a worker that starts again when its code changes
        words = ("stoker", "worker", *_unwatched(words[2:]))
    app = positional(words[2:], _STOKER_VALUES)
    count = number(options(words, "--concurrency", "-c"))
    queues = listed(options(words, "-q", "--queue", "--queues"))
    return Launch("stoker", "worker", words, app[0] if app else "", queues, count)


_DJANGO: dict[str, tuple[str, Role]] = {
    "rqworker": ("rq", "worker"),
    "rqworker-pool": ("rq", "worker"),
    "rqscheduler": ("rq", "scheduler"),
    "rqcron": ("rq", "scheduler"),
    "run_huey": ("huey", "worker"),
    "djangohuey": ("huey", "worker"),
    "run_djangohuey": ("huey", "worker"),
    "rundramatiq": ("dramatiq", "worker"),
    "procrastinate": ("procrastinate", "worker"),
    "celery": ("celery", "worker"),
    "celeryd": ("celery", "worker"),
    "celerybeat": ("celery", "scheduler"),
}


def django(words: Words, environment: dict[str, str]) -> Launch | None:
    at = next((i for i, word in enumerate(words[1:], 1) if word in _DJANGO), 0)
    if not at or any(not word.startswith("-") for word in words[1:at]):
        return None
    framework, role = _DJANGO[words[at]]
    rest = words[at:]
    match words[at]:
        case "rqworker" | "rqworker-pool":
            queues = listed(positional(rest[1:], _RQ_VALUES)) or ("default",)
            return Launch(framework, role, words, "", queues)
        case "procrastinate" | "celery":
            return renamed(PROGRAMS[framework](rest, environment), words)
        case "rundramatiq":
            queues = listed(options(rest, "-Q", "--queues"))
            return Launch(framework, role, words, "", queues, number(options(rest, "--processes")))
        case _:
            queues = listed(options(rest, "--queue"))
            return Launch(framework, role, words, "", queues, number(options(rest, "-w")))


def flask(words: Words, _environment: dict[str, str]) -> Launch | None:
    if words[1:3] == ("rq", "worker"):
        return Launch("rq", "worker", words, "", listed(positional(words[3:], _RQ_VALUES)))
    if words[1:3] == ("rq", "scheduler"):
        return Launch("rq", "scheduler", words)
    return None


PROGRAMS: dict[str, Reader] = {
    "celery": _celery,
    "flower": _flower,
    "dramatiq": _dramatiq,
    "dramatiq-gevent": _dramatiq,
    "periodiq": scheduler("dramatiq"),
    "rq": _rq,
    "rqworker": _rq,
    "rqscheduler": scheduler("rq"),
    "rqcron": scheduler("rq"),
    "rq-dashboard": dashboard("rq"),
    "huey_consumer": _huey,
    "arq": _arq,
    "saq": _saq,
    "litestar": _litestar,
    "app": _litestar,
    "popol": lambda words, _: Launch("saq", "worker", words) if "runworker" in words else None,
    "taskiq": _taskiq,
    "procrastinate": _procrastinate,
    "stoker": _stoker,
    "flask": flask,
}
"""By the name of the program."""
