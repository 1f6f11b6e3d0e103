"""The policy of a job: what its task and its producer said, and how long it waits between tries."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker import Backoff, Keep
from stoker.job.retry import Policy, backoff_ms, policy_for

TASK = Policy(attempts=7, backoff=Backoff.fixed(9), timeout_ms=None, keep_failed=Keep(count=1))


class Fixed(random.Random):
    """Draws the same number every time."""

    def __init__(self, drawn: float) -> None:
        super().__init__()
        self._drawn = drawn

    def random(self) -> float:
        return self._drawn


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ("{}", {}),
        ('{"attempts":1}', {"attempts": 1}),
        ('{"timeout_ms":5}', {"timeout_ms": 5}),
        ('{"timeout_ms":null}', {"timeout_ms": None}),
        ('{"backoff":{"delay_ms":5}}', {"backoff": Backoff(delay_ms=5)}),
        ('{"keep_completed":{"count":0}}', {"keep_completed": Keep(count=0)}),
        ('{"keep_failed":{}}', {"keep_failed": Keep()}),
        ('{"of_a_newer_version":1}', {}),
    ],
)
def test_what_the_producer_set_overrides_the_task_and_nothing_else(
    options: str, changed: dict[str, object]
) -> None:
    merged = policy_for(TASK, options, 5)

    assert merged == msgspec.structs.replace(TASK, max_stalls=5, **changed)


@pytest.mark.parametrize("options", ["", "[]", "null", '{"attempts":"many"}', '{"attempts":1'])
def test_options_that_cannot_be_read_are_an_error(options: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        policy_for(TASK, options, 3)


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        (Backoff.fixed("2s"), [2_000, 2_000, 2_000]),
        (Backoff.fixed("3h"), [10_800_000, 10_800_000]),
        (Backoff.exponential("1s", jitter=0), [1_000, 2_000, 4_000, 8_000]),
        (Backoff.exponential("1s", max="3s", jitter=0), [1_000, 2_000, 3_000, 3_000]),
        (Backoff.exponential("5s", max="3s", jitter=0), [3_000, 3_000]),
        (Backoff.exponential(0), [0, 0, 0]),
    ],
)
def test_a_wait_is_fixed_or_doubles_up_to_its_maximum(backoff: Backoff, waits: list[int]) -> None:
    computed = [backoff_ms(backoff, attempt, Fixed(0.5)) for attempt in range(1, len(waits) + 1)]

    assert computed == waits


@pytest.mark.parametrize(
    ("jitter", "drawn", "wait"),
    [
        (0.0, 0.0, 4_000),
        (0.5, 0.0, 2_000),
        (0.5, 0.5, 3_000),
        (0.5, 0.999_999, 4_000),
        (1.0, 0.0, 0),
        (1.0, 0.25, 1_000),
    ],
)
def test_jitter_is_the_share_of_the_wait_that_is_drawn(
    jitter: float, drawn: float, wait: int
) -> None:
    backoff = Backoff.exponential("4s", jitter=jitter)

    assert backoff_ms(backoff, 1, Fixed(drawn)) == wait


@given(
    delay=st.integers(0, 10**12),
    most=st.integers(0, 10**12),
    jitter=st.floats(0, 1),
    attempt=st.integers(1, 10**9),
    seed=st.integers(),
)
def test_an_exponential_wait_is_never_negative_and_never_above_its_maximum(
    delay: int, most: int, jitter: float, attempt: int, seed: int
) -> None:
    backoff = Backoff("exponential", delay, most, jitter)

    assert 0 <= backoff_ms(backoff, attempt, random.Random(seed)) <= most


@given(st.integers(0, 10**12), st.floats(0, 1), st.integers(1, 10**9), st.integers())
def test_a_fixed_wait_is_never_negative_and_never_above_its_delay(
    delay: int, jitter: float, attempt: int, seed: int
) -> None:
    backoff = Backoff("fixed", delay, delay, jitter)

    assert 0 <= backoff_ms(backoff, attempt, random.Random(seed)) <= delay
