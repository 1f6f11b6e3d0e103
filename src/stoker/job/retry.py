"""What applies to one job once its own options and its task's defaults are merged."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from stoker.errors import ConfigError
from stoker.job.duration import Duration, milliseconds
from stoker.job.model import Backoff, JobOptions, JobRecord, Keep

DAY_MS = 86_400_000
BUILT_IN = frozenset({"fixed", "exponential"})

Strategy = Callable[[int, JobRecord], Duration]
"""A backoff of the application's own: the failed attempt's number (1 for the first) and the job,
as it was when it was claimed → how long to wait."""
DEFAULT_MAX_STALLS = 3


class Policy(msgspec.Struct, frozen=True, cache_hash=True):
    """How a job is run: a task's settings, overridden by what the producer set on the job."""

    attempts: int = 3
    """Runs at the most, the first included."""
    backoff: Backoff = Backoff()
    timeout_ms: int | None = 10 * 60_000
    """The longest run; ``None`` is no limit."""
    keep_completed: Keep = Keep(count=100_000, age_ms=7 * DAY_MS)
    keep_failed: Keep = Keep(count=100_000, age_ms=90 * DAY_MS)
    max_stalls: int = DEFAULT_MAX_STALLS
    """Crashes after which a job may still run again; the next one makes it a dead letter."""


@lru_cache(maxsize=1024)
def policy_for(defaults: Policy, options: str, max_stalls: int) -> Policy:
    """Return ``defaults`` with the job's stored ``options`` (JSON text) over them.

    ``max_stalls`` is the worker's. Cached, since most jobs of a task share the same options. Raises
    ``msgspec.DecodeError`` when the text is not valid options.
    """
    given = msgspec.json.decode(options, type=JobOptions)
    chosen = {
        name: value
        for name, value in msgspec.structs.asdict(given).items()
        if value is not msgspec.UNSET
    }
    return msgspec.structs.replace(defaults, max_stalls=max_stalls, **chosen)


def with_strategy(policy: Policy, strategies: Mapping[str, Strategy], job: JobRecord) -> Policy:
    """Return the policy with the wait that its backoff's strategy, if it has one, says for ``job``.

    Raises ``ConfigError`` if there is no such strategy, and what the strategy raises.
    """
    kind = policy.backoff.kind
    if kind in BUILT_IN:
        return policy
    if kind not in strategies:
        raise ConfigError(
            f"no backoff strategy {kind!r} is registered", hint=f"@app.backoff({kind!r})"
        )
    wait = milliseconds(strategies[kind](job.attempts + 1, job), f"backoff {kind!r}")
    return msgspec.structs.replace(policy, backoff=Backoff("fixed", wait, wait, 0.0))


def backoff_ms(backoff: Backoff, attempt: int, rng: random.Random) -> int:
    """Return the wait after failed attempt number ``attempt`` (1 for the first)."""
    delay = backoff.delay_ms
    if backoff.kind == "exponential":
        # The exponent is capped before it is used: 2 ** 10_000 would be computed in full.
        delay = min(delay << min(attempt - 1, 62), backoff.max_ms)
    drawn = delay * backoff.jitter
    return round(delay - drawn + rng.random() * drawn)
