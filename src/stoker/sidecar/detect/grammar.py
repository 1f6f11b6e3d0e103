"""The command lines of the frameworks: which role, which app, which queues.

Each reader gets the words of one simple command, without what only starts it (``shell.unwrap``),
and returns ``None`` for what is none of its business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from stoker.sidecar.detection import Role

Words = tuple[str, ...]


class Launch(msgspec.Struct, frozen=True):
    """A command that starts a process of a framework."""

    framework: str
    role: Role
    words: Words
    app: str = ""
    queues: tuple[str, ...] = ()
    concurrency: int | None = None


def recognise(words: Words, environment: dict[str, str]) -> Launch | None:
    """Return what a command starts, if it is a framework's own."""
    if not words:
        return None
    program = words[0].rpartition("/")[2].removesuffix(".py")
    if program in ("python", "python3", "ruby", "uv") and len(words) > 2 and words[1] != "-m":
        inner = words[1].rpartition("/")[2]
        if inner in ("manage.py", "rails", "rake") or inner in ("huey_consumer.py", "celery"):
            return recognise((*words[1:],), environment) and _with(
                recognise(words[1:], environment), words
            )
    reader = _PROGRAMS.get(program)
    if reader is not None:
        return reader(words, environment)
    if program == "manage" and words[1:2] == ("rq",):
        return _flask(("flask", *words[1:]), environment) and _with(
            _flask(("flask", *words[1:]), environment), words
        )
    if (program == "manage" and len(words) > 1) or program == "django-admin":
        return _django(words, environment)
    return None


def _with(launch: Launch | None, words: Words) -> Launch | None:
    return None if launch is None else msgspec.structs.replace(launch, words=words)


def options(words: Sequence[str], *names: str) -> list[str]:
    """Return the values of an option, however it is written: ``-Q a``, ``-Qa``, ``--queues=a``."""
    found: list[str] = []
    for at, word in enumerate(words):
        for name in names:
            if word == name:
                if at + 1 < len(words):
                    found.append(words[at + 1])
            elif word.startswith(f"{name}="):
                found.append(word[len(name) + 1 :])
            elif len(name) == 2 and word.startswith(name) and not word.startswith("--"):
                found.append(word[2:])
    return found


def positional(words: Sequence[str], with_value: frozenset[str]) -> list[str]:
    """Return the words that are neither options nor their values."""
    found: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-") and len(word) > 1:
            skip = word in with_value
        else:
            found.append(word)
    return found


def listed(values: Sequence[str], separators: str = ",") -> tuple[str, ...]:
    """Return the names of lists with separators, without what a shell would put in."""
    names = [name.strip() for value in values for name in re.split(f"[{separators}]", value)]
    return tuple(dict.fromkeys(name for name in names if name and "$" not in name))


def number(values: Sequence[str]) -> int | None:
    """Return the first whole number."""
    return next((int(value) for value in values if re.fullmatch(r"\d{1,6}", value)), None)


# ---- Python -------------------------------------------------------------------------------------

_CELERY_ROLES: dict[str, Role] = {
    "worker": "worker", "beat": "scheduler", "flower": "dashboard", "multi": "worker",
}  # fmt: skip


def _celery(words: Words, _environment: dict[str, str]) -> Launch | None:
    app = options(words, "-A", "--app")
    verb = next((word for word in words[1:] if word in _CELERY_ROLES), "")
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


def _scheduler(framework: str) -> Callable[[Words, dict[str, str]], Launch]:
    return lambda words, _environment: Launch(framework, "scheduler", words)


def _dashboard(framework: str) -> Callable[[Words, dict[str, str]], Launch]:
    return lambda words, _environment: Launch(framework, "dashboard", words)


_HUEY_VALUES = frozenset({
    "-w", "--workers", "-k", "--worker-type", "-l", "--logfile", "-d", "--delay", "-m",
    "--max-delay", "-b", "--backoff", "-c", "--health-check-interval", "-s", "--scheduler-interval",
})  # fmt: skip


def _huey(words: Words, _environment: dict[str, str]) -> Launch | None:
    modules = positional(words[1:], _HUEY_VALUES)
    count = number(options(words, "-w", "--workers"))
    return Launch("huey", "worker", words, modules[0] if modules else "", (), count)


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


def _stoker(words: Words, _environment: dict[str, str]) -> Launch | None:
    if words[1:2] not in (("worker",), ("dev",)):
        return None
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


def _django(words: Words, environment: dict[str, str]) -> Launch | None:
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
            return _with(_PROGRAMS[framework](rest, environment), words)
        case "rundramatiq":
            queues = listed(options(rest, "-Q", "--queues"))
            return Launch(framework, role, words, "", queues, number(options(rest, "--processes")))
        case _:
            queues = listed(options(rest, "--queue"))
            return Launch(framework, role, words, "", queues, number(options(rest, "-w")))


def _flask(words: Words, _environment: dict[str, str]) -> Launch | None:
    if words[1:3] == ("rq", "worker"):
        return Launch("rq", "worker", words, "", listed(positional(words[3:], _RQ_VALUES)))
    if words[1:3] == ("rq", "scheduler"):
        return Launch("rq", "scheduler", words)
    return None


# ---- Ruby ---------------------------------------------------------------------------------------


def _bundled(words: Words) -> Words:
    return words if "/" in words[0] else ("bundle", "exec", *words)


def _sidekiq(words: Words, _environment: dict[str, str]) -> Launch | None:
    queues = [value.partition(",")[0] for value in options(words, "-q", "--queue")]
    count = number(options(words, "-c", "--concurrency"))
    config = options(words, "-C", "--config")
    app = config[0].removeprefix("./") if config else ""
    return Launch("sidekiq", "worker", _bundled(words), app, listed(queues), count)


def _good_job(words: Words, _environment: dict[str, str]) -> Launch | None:
    if any(word in ("cleanup_preserved_jobs", "help", "version") for word in words[1:2]):
        return None
    queues = listed(options(words, "--queues"), ";|,")
    names = tuple(queue.partition(":")[0].lstrip("+-") for queue in queues)
    count = number(options(words, "--max-threads"))
    return Launch("good_job", "worker", _bundled(words), "", names, count)


def _jobs(words: Words, _environment: dict[str, str]) -> Launch | None:
    if words[0].rpartition("/")[0].rpartition("/")[2] != "bin":
        return None
    if words[1:2] and words[1] not in ("start",) and not words[1].startswith("-"):
        return None
    return Launch("solid_queue", "worker", words)


_RAKE: dict[str, tuple[str, Role]] = {
    "resque:work": ("resque", "worker"),
    "resque:workers": ("resque", "worker"),
    "resque:pool": ("resque", "worker"),
    "resque:scheduler": ("resque", "scheduler"),
    "jobs:work": ("delayed_job", "worker"),
    "solid_queue:start": ("solid_queue", "worker"),
    "delayed:work": ("delayed_job", "worker"),
    "good_job:start": ("good_job", "worker"),
}


def _rake(words: Words, environment: dict[str, str]) -> Launch | None:
    given = dict(word.split("=", 1) for word in words[1:] if re.match(r"[A-Z_]+=", word))
    for word in words[1:]:
        if word in _RAKE:
            framework, role = _RAKE[word]
            every = environment | given
            queues = listed([every.get("QUEUE") or every.get("QUEUES") or ""])
            return Launch(
                framework, role, _bundled(words), "", queues, number([every.get("COUNT", "")])
            )
    return None


def _delayed_job(words: Words, _environment: dict[str, str]) -> Launch | None:
    if not {"run", "start", "restart"} & set(words):
        return None
    queues = listed(options(words, "--queue", "--queues"))
    return Launch("delayed_job", "worker", words, "", queues, number(options(words, "-n")))


def _resque_pool(words: Words, _environment: dict[str, str]) -> Launch | None:
    return Launch("resque", "worker", _bundled(words))


def _clockwork(words: Words, _environment: dict[str, str]) -> Launch | None:
    return Launch("clockwork", "scheduler", _bundled(words), words[1] if len(words) > 1 else "")


def _faktory(words: Words, _environment: dict[str, str]) -> Launch | None:
    ruby = words[0].endswith("faktory-worker")
    queues = listed(options(words, "-q", "--queue"))
    count = number(options(words, "-c", "--concurrency"))
    return Launch("faktory", "worker", _bundled(words) if ruby else words, "", queues, count)


def _cargo(words: Words, _environment: dict[str, str]) -> Launch | None:
    if "loco" in words and "start" in words and any(w in ("--worker", "-w") for w in words):
        return Launch("loco", "worker", words)
    return None


_PROGRAMS: dict[str, Callable[[Words, dict[str, str]], Launch | None]] = {
    "celery": _celery,
    "flower": _flower,
    "dramatiq": _dramatiq,
    "dramatiq-gevent": _dramatiq,
    "periodiq": _scheduler("dramatiq"),
    "rq": _rq,
    "rqworker": _rq,
    "rqscheduler": _scheduler("rq"),
    "rqcron": _scheduler("rq"),
    "rq-dashboard": _dashboard("rq"),
    "huey_consumer": _huey,
    "arq": _arq,
    "saq": _saq,
    "litestar": _litestar,
    "app": _litestar,
    "popol": lambda words, _: Launch("saq", "worker", words) if "runworker" in words else None,
    "taskiq": _taskiq,
    "procrastinate": _procrastinate,
    "stoker": _stoker,
    "flask": _flask,
    "sidekiq": _sidekiq,
    "sidekiqswarm": _sidekiq,
    "good_job": _good_job,
    "jobs": _jobs,
    "rake": _rake,
    "rails": _rake,
    "delayed_job": _delayed_job,
    "resque-pool": _resque_pool,
    "resque-scheduler": _scheduler("resque"),
    "resque-web": _dashboard("resque"),
    "clockwork": _clockwork,
    "faktory-worker": _faktory,
    "faktory-work": _faktory,
    "asynqmon": _dashboard("asynq"),
    "riverui": _dashboard("river"),
    "bull-board": _dashboard("bullmq"),
    "cargo": _cargo,
}
