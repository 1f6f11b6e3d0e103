"""The systems under test: ours, and its peers. Each is one file here, and a line below."""

from __future__ import annotations

from functools import partial

from benchmarks.environments import node, own, python
from benchmarks.processes import ROOT
from benchmarks.systems.base import Kind, System
from benchmarks.systems.description import Description, Way

__all__ = ["KINDS", "Description", "Kind", "System", "Way"]

_PEERS = partial(python, "requirements.txt")
_ARQ = partial(python, "requirements-arq.txt")  # it needs a redis-py older than the others'


def _module(name: str) -> tuple[str, ...]:
    return "-m", "benchmarks.systems", name


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("stoker", "redis", _module("stoker"), own),
        Kind("stoker-sqlite", "sqlite", _module("stoker"), own),
        Kind("bullmq", "redis", (str(ROOT / "benchmarks/systems/bullmq.mjs"),), node),
        Kind("bullmq-python", "redis", _module("bullmq_python"), _PEERS),
        Kind("celery", "redis", _module("celery"), _PEERS),
        Kind("rq", "redis", _module("rq"), _PEERS),
        Kind("dramatiq", "redis", _module("dramatiq"), _PEERS),
        Kind("arq", "redis", _module("arq"), _ARQ),
        Kind("saq", "redis", _module("saq"), _PEERS),
        Kind("taskiq", "redis", _module("taskiq"), _PEERS),
        Kind("streaq", "redis", _module("streaq"), _PEERS),
        Kind("huey", "redis", _module("huey"), _PEERS),
        Kind("huey-sqlite", "sqlite", _module("huey"), own),
    )
}
