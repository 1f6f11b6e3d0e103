"""A job's options between BullMQ's words and ours."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.broker.redis.options import options_in, opts_of
from stoker.job.model import Backoff, Dedup, JobOptions, Keep, NewJob
from stoker.job.settings import job_options


def ours(opts: Any) -> dict[str, Any]:
    """Return what a worker reads of BullMQ's options."""
    return json.loads(options_in(json.dumps(opts)))


@pytest.mark.parametrize(
    ("theirs", "read"),
    [
        ({}, {}),
        ({"attempts": 0}, {}),
        ({"attempts": 4}, {"attempts": 4}),
        (
            {"backoff": 50},
            {"backoff": {"kind": "fixed", "delay_ms": 50, "max_ms": 50, "jitter": 0.0}},
        ),
        ({"removeOnComplete": True}, {"keep_completed": {"count": 0}}),
        ({"removeOnComplete": False}, {"keep_completed": {}}),
        ({"removeOnFail": 7}, {"keep_failed": {"count": 7}}),
        ({"removeOnFail": {"age": 60}}, {"keep_failed": {"age_ms": 60_000}}),
        (
            {"removeOnFail": {"age": 60, "count": 3, "limit": 9}},
            {"keep_failed": {"count": 3, "age_ms": 60_000, "limit": 9}},
        ),
        ({"attempts": "many", "backoff": [], "removeOnFail": "no", "group": {"id": 1}}, {}),
    ],
    ids=str,
)  # fmt: skip
def test_what_bullmqs_producers_set_is_read(theirs: dict[str, Any], read: dict[str, Any]) -> None:
    assert ours(theirs) == read


def test_a_backoff_of_bullmqs_grows_without_end() -> None:
    [backoff] = ours({"backoff": {"type": "exponential", "delay": 10}}).values()

    assert backoff["max_ms"] > 10 * 365 * 86_400_000


def test_a_strategy_keeps_its_name() -> None:
    [backoff] = ours({"backoff": {"type": "night"}}).values()

    assert backoff["kind"] == "night"


@pytest.mark.parametrize("text", ["not JSON", "[1, 2]", "null", "\udcff", '{"attempts": 1'])
def test_what_cannot_be_read_is_left_to_who_decodes_it(text: str) -> None:
    assert options_in(text) == text


def test_what_is_bullmqs_goes_by_its_name_and_the_rest_is_set_apart() -> None:
    job = NewJob(
        "q", "send", id="a", priority=3, delay_ms=50, lifo=True, dedup=Dedup("key", 100),
        options='{"attempts":2,"timeout_ms":900,"keep_failed":{"count":5}}',
    )  # fmt: skip

    assert json.loads(opts_of(job)) == {
        "attempts": 2,
        "removeOnFail": 5,
        "priority": 3,
        "delay": 50,
        "lifo": True,
        "de": {"id": "key", "ttl": 100},
        "jobId": "a",
        "stoker": {"timeout_ms": 900},
    }


keeps = st.builds(Keep, st.none() | st.integers(0, 9), st.none() | st.integers(0, 10**9))
settings = st.fixed_dictionaries(
    {},
    optional={
        "attempts": st.integers(1, 100),
        "backoff": st.builds(
            Backoff,
            st.sampled_from(["fixed", "exponential", "night"]),
            st.integers(0, 10**7),
            st.integers(0, 10**9),
            st.sampled_from([0.0, 0.5, 1.0]),
        ),
        "timeout": st.none() | st.integers(1, 10**6),
        "keep_completed": keeps,
        "keep_failed": keeps,
    },
)


@given(settings)
def test_our_own_options_read_back_as_they_mean(settings: dict[str, Any]) -> None:
    options = job_options(settings, "send()")
    text = json.dumps(json.loads(_encoded(options)), separators=(",", ":"))

    read = options_in(opts_of(NewJob("q", "send", options=text)))

    assert _meaning(read) == _meaning(text)


def _encoded(options: JobOptions) -> bytes:
    return msgspec.json.encode(options)


def _meaning(text: str) -> dict[str, Any]:
    """Return options without what makes no difference: a longest wait that is never reached."""
    options = msgspec.json.decode(text, type=JobOptions)
    fields = msgspec.structs.asdict(options)
    backoff, attempts = options.backoff, options.attempts
    if isinstance(backoff, Backoff):
        last = attempts if isinstance(attempts, int) else 62
        reached = backoff.kind == "exponential" and backoff.max_ms < backoff.delay_ms << min(
            last, 62
        )
        fields["backoff"] = (
            backoff.kind,
            backoff.delay_ms,
            backoff.jitter,
            reached and backoff.max_ms,
        )
    return fields
