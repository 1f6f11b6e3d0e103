"""The command lines of Ruby's frameworks, and of those of other languages that have any."""

from __future__ import annotations

import re

from stoker.sidecar.detect.grammar.words import (
    Launch,
    Reader,
    Words,
    dashboard,
    listed,
    number,
    options,
    scheduler,
)
from stoker.sidecar.detection import Role


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
    if "/" in words[0] and not words[0].endswith("bin/good_job"):
        return None  # where its dashboard is mounted
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
    "que:work": ("que", "worker"),
}


def _rake(words: Words, environment: dict[str, str]) -> Launch | None:
    given = dict(word.split("=", 1) for word in words[1:] if re.match(r"[A-Z_]+=", word))
    every = environment | given
    named = "QUEUE" in every or "QUEUES" in every
    for word in words[1:]:
        if word in _RAKE or (named and word.endswith(":work")):
            framework, role = _RAKE.get(word, ("resque", "worker"))  # a task around Resque's own
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


def _resque(words: Words, environment: dict[str, str]) -> Launch | None:
    """Read Resque 2's own command; the others of its verbs only look, or take away."""
    if words[1:2] != ("work",):
        return None
    told = options(words, "-q", "--queue", "--queues")
    queues = told or [environment.get("QUEUE") or environment.get("QUEUES") or ""]
    count = number([environment.get("COUNT", "")])
    return Launch("resque", "worker", _bundled(words), "", listed(queues), count)


def _resque_pool(words: Words, _environment: dict[str, str]) -> Launch | None:
    return Launch("resque", "worker", _bundled(words))


def _clockwork(words: Words, _environment: dict[str, str]) -> Launch | None:
    return Launch("clockwork", "scheduler", _bundled(words), words[1] if len(words) > 1 else "")


def _que(words: Words, _environment: dict[str, str]) -> Launch | None:
    if any(word in ("-h", "--help", "-v", "--version") for word in words[1:2]):
        return None
    queues = [value.partition("=")[0] for value in options(words, "-q", "--queue-name")]
    count = number(options(words, "-w", "--worker-count"))
    return Launch("que", "worker", _bundled(words), "", listed(queues), count)


def _faktory(words: Words, _environment: dict[str, str]) -> Launch | None:
    ruby = words[0].endswith("faktory-worker")
    queues = listed(options(words, "-q", "--queue"))
    count = number(options(words, "-c", "--concurrency"))
    return Launch("faktory", "worker", _bundled(words) if ruby else words, "", queues, count)


def _cargo(words: Words, _environment: dict[str, str]) -> Launch | None:
    if "loco" in words and "start" in words and any(w in ("--worker", "-w") for w in words):
        return Launch("loco", "worker", words)
    return None


PROGRAMS: dict[str, Reader] = {
    "sidekiq": _sidekiq,
    "sidekiqswarm": _sidekiq,
    "good_job": _good_job,
    "jobs": _jobs,
    "rake": _rake,
    "rails": _rake,
    "delayed_job": _delayed_job,
    "resque": _resque,
    "resque-pool": _resque_pool,
    "resque-scheduler": scheduler("resque"),
    "resque-web": dashboard("resque"),
    "clockwork": _clockwork,
    "que": _que,
    "faktory-worker": _faktory,
    "faktory-work": _faktory,
    "asynqmon": dashboard("asynq"),
    "riverui": dashboard("river"),
    "bull-board": dashboard("bullmq"),
    "cargo": _cargo,
}
"""By the name of the program."""
