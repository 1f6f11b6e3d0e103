"""What a system's program and its workers are told, by the environment."""

from __future__ import annotations

import os

STORE = "BENCH_STORE"
"""The environment variable with the URL of the store."""
RECOVERY = "BENCH_RECOVERY"
"""After how many seconds the jobs of a dead worker should be taken back; unset: the default."""
AT_ONCE = "BENCH_AT_ONCE"
"""Jobs at once, for systems whose own command line does not take it."""

KEEP = "BENCH_KEEP"
"""How many completed jobs to keep, where a system can count them; 1,000 if it is not set."""


def store() -> str:
    """Return the URL of the store."""
    return os.environ.get(STORE, "redis://127.0.0.1:1")  # else nothing but describe() is asked


def recovery(default: float) -> float:
    """Return after how many seconds a dead worker's jobs should be taken back."""
    return float(os.environ.get(RECOVERY, default))


def hurried() -> bool:
    """Whether a dead worker's jobs should be taken back sooner than by default."""
    return RECOVERY in os.environ


def at_once(default: int = 100) -> int:
    """Return how many jobs to run at once."""
    return int(os.environ.get(AT_ONCE, default))


def kept() -> int:
    """Return how many completed jobs to keep."""
    return int(os.environ.get(KEEP, 1_000))
