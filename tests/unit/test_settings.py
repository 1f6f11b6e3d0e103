"""Settings of a job: each one good and bad, and what whoever wrote a bad one is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from stoker import Backoff, Dedup, JobContext, Keep, Processor, Stoker
from stoker.errors import ConfigError, shown
from stoker.job.model import JobOptions, NewJob
from stoker.job.settings import JobSettings, check_name, settle

DURATION = "seconds (30), text ('500ms', '10m', '1h30m', '7d') or a timedelta, 0 or more"
ID = (
    "text of 1 to 255 printable characters without ':', and not a whole number: "
    "those are the ids that the broker gives"
)


def options(**settings: Any) -> JobOptions:
    return msgspec.json.decode(settle(settings, "send()").options, type=JobOptions)


@pytest.mark.parametrize(
    ("setting", "given", "field", "settled"),
    [
        ("id", "order-77", "id", "order-77"),
        ("id", "7a", "id", "7a"),
        ("id", None, "id", None),
        ("delay", "5m", "delay_ms", 300_000),
        ("delay", timedelta(seconds=1), "delay_ms", 1_000),
        ("delay", 0, "delay_ms", 0),
        ("priority", 0, "priority", 0),
        ("priority", 2_097_151, "priority", 2_097_151),
        ("lifo", True, "lifo", True),
        ("dedup", "key", "dedup", Dedup("key")),
        ("dedup", Dedup.within("1s", "key"), "dedup", Dedup("key", 1_000)),
        ("dedup", None, "dedup", None),
    ],
)
def test_what_the_store_has_to_know_is_settled(
    setting: str, given: Any, field: str, settled: Any
) -> None:
    assert getattr(settle({setting: given}, "send()"), field) == settled


@pytest.mark.parametrize(
    ("setting", "given", "stored"),
    [
        ("attempts", 1, JobOptions(attempts=1)),
        ("backoff", "2s", JobOptions(backoff=Backoff(delay_ms=2_000))),
        ("backoff", Backoff.fixed(1), JobOptions(backoff=Backoff("fixed", 1_000, 1_000, 0.0))),
        ("timeout", "1m", JobOptions(timeout_ms=60_000)),
        ("timeout", None, JobOptions(timeout_ms=None)),
        ("keep_completed", True, JobOptions(keep_completed=Keep())),
        ("keep_completed", False, JobOptions(keep_completed=Keep(count=0))),
        ("keep_completed", 0, JobOptions(keep_completed=Keep(count=0))),
        ("keep_failed", 10, JobOptions(keep_failed=Keep(count=10))),
        ("keep_failed", Keep.for_("1d", count=5), JobOptions(keep_failed=Keep(5, 86_400_000))),
    ],
)
def test_how_a_job_is_run_and_kept_is_stored_with_it(
    setting: str, given: Any, stored: JobOptions
) -> None:
    assert options(**{setting: given}) == stored


def test_what_was_not_set_is_left_to_the_task() -> None:
    assert settle({}, "send()").options == "{}"
    assert settle({}, "send()").job("mail", "send", "{}") == NewJob("mail", "send")


def test_settings_and_payload_make_the_job() -> None:
    settled = settle({"id": "a", "delay": 1, "priority": 2, "lifo": True, "dedup": "k"}, "send()")

    job = settled.job("mail", "send", '{"to":1}')

    assert job == NewJob("mail", "send", '{"to":1}', "a", 2, 1_000, True, Dedup("k"))


@pytest.mark.parametrize(
    ("setting", "given", "message", "hint"),
    [
        ("id", "", "send(): id='' cannot be a job's id", ID),
        ("id", "12", "send(): id='12' cannot be a job's id", ID),
        ("id", "a:b", "send(): id='a:b' cannot be a job's id", ID),
        ("id", "a\n", "send(): id='a\\n' cannot be a job's id", ID),
        ("id", 12, "send(): id=12 cannot be a job's id", ID),
        (
            "id",
            "x" * 10_000,
            f"send(): id='{'x' * 99}… (10,002 characters) cannot be a job's id",
            ID,
        ),
        ("delay", "soon", "send(): delay='soon' is not a duration", DURATION),
        ("delay", -1, "send(): delay=-1 is not a duration", DURATION),
        ("priority", -1, "send(): priority=-1 is not a whole number from 0 to 2097151", None),
        (
            "priority",
            2_097_152,
            "send(): priority=2097152 is not a whole number from 0 to 2097151",
            None,
        ),
        ("priority", True, "send(): priority=True is not a whole number from 0 to 2097151", None),
        ("priority", 1.0, "send(): priority=1.0 is not a whole number from 0 to 2097151", None),
        ("lifo", 1, "send(): lifo=1 is neither True nor False", None),
        ("attempts", 0, "send(): attempts=0 is not a whole number from 1 to 1000000", None),
        ("attempts", None, "send(): attempts=None is not a whole number from 1 to 1000000", None),
        ("backoff", "x", "send(): backoff='x' is not a duration", DURATION),
        (
            "backoff",
            len,
            "send(): backoff=<built-in function len> is a function",
            'register it, @app.backoff("name"), and name it: backoff=Backoff("name")',
        ),
        (
            "backoff",
            Backoff(delay_ms=-1),
            "send(): backoff=Backoff(kind='exponential', delay_ms=-1, max_ms=3600000, jitter=0.5) "
            "cannot be",
            "see Backoff",
        ),
        (
            "backoff",
            Backoff(jitter=1.5),
            "send(): backoff jitter=1.5 is not between 0 and 1",
            None,
        ),
        (
            "backoff",
            Backoff(jitter=float("nan")),
            "send(): backoff jitter=nan is not between 0 and 1",
            None,
        ),
        ("timeout", 0, "send(): timeout=0 would end every run", "None is no limit"),
        ("timeout", "0.1ms", "send(): timeout=0 would end every run", "None is no limit"),
        ("timeout", "1 hour", "send(): timeout='1 hour' is not a duration", DURATION),
        (
            "keep_completed",
            -1,
            "send(): keep_completed=-1 is not True, False, a number or a Keep",
            None,
        ),
        (
            "keep_failed",
            "7d",
            "send(): keep_failed='7d' is not True, False, a number or a Keep",
            None,
        ),
        (
            "keep_failed",
            Keep(age_ms=-1),
            "send(): keep_failed=Keep(count=None, age_ms=-1, limit=None) is negative",
            None,
        ),
        ("dedup", 7, "send(): dedup=7 is neither a key (text) nor a Dedup", None),
        ("dedup", "", "send(): dedup key '' is not 1 to 255 characters", None),
        ("dedup", Dedup("x" * 256),
         f"send(): dedup key '{'x' * 99}… (258 characters) is not 1 to 255 characters", None),
        ("dedup", Dedup(7), "send(): dedup key 7 is not 1 to 255 characters", None),  # pyright: ignore[reportArgumentType]
        (
            "dedup",
            Dedup("a\n"),
            "send(): dedup key 'a\\n' has characters that cannot be printed",
            None,
        ),
        (
            "dedup",
            Dedup("k", -1),
            "send(): dedup ttl_ms=-1 is not a whole number from 0 to 3153600000000",
            None,
        ),
        ("atempts", 3, "send(): there is no setting 'atempts'", "did you mean 'attempts'?"),
        ("keep_fail", 3, "send(): there is no setting 'keep_fail'", "did you mean 'keep_failed'?"),
        ("prio", 3, "send(): there is no setting 'prio'", "did you mean 'priority'?"),
        (
            "when",
            3,
            "send(): there is no setting 'when'",
            "known: id, delay, priority, lifo, attempts, backoff, timeout, keep_completed, "
            "keep_failed, dedup",
        ),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_work_is_named_with_its_place(
    setting: str, given: Any, message: str, hint: str | None
) -> None:
    with pytest.raises(ConfigError) as refusal:
        settle({setting: given}, "send()")

    assert refusal.value.message == message
    assert refusal.value.hint == hint


@pytest.mark.parametrize(
    ("setting", "given"),
    [
        ("backoff", Backoff(delay_ms=10**30)),
        ("backoff", Backoff(max_ms=10**30)),
        ("keep_failed", Keep(age_ms=10**30)),
        ("keep_completed", Keep(count=10**30)),
    ],
)
def test_a_number_that_nobody_can_mean_is_refused_wherever_it_is_set(
    setting: str, given: Any
) -> None:
    app = Stoker("sqlite://:memory:")
    work = app.task(name="work")(lambda: None)

    places: list[Callable[..., Any]] = [
        app.task,
        work.options,
        lambda **set_: app.processor(type("Wrong", (Anything,), set_)),
    ]
    for place in places:
        with pytest.raises(ConfigError, match=setting):
            place(**{setting: given})(lambda: None)


class Anything(Processor[dict[str, Any]]):
    def process(self, job: JobContext[dict[str, Any]]) -> None: ...


def test_every_setting_is_tried_here() -> None:
    tried: set[str] = set()
    for test in (
        test_what_the_store_has_to_know_is_settled,
        test_how_a_job_is_run_and_kept_is_stored_with_it,
        test_a_setting_that_cannot_work_is_named_with_its_place,
    ):
        [mark] = getattr(test, "pytestmark")  # noqa: B009
        tried |= {case[0] for case in mark.args[1]}

    assert tried >= set(JobSettings.__annotations__)


@pytest.mark.parametrize("name", ["a", "send_mail", "shop.tasks.send", "Grüße", "a b", "x" * 255])
def test_a_name_is_any_short_printable_text(name: str) -> None:
    assert check_name(name, "queue") == name


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a:b", "{a}", "a*", "a\tb", "a\x00", "x" * 256, None, 7]
)
def test_what_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(ConfigError) as refusal:
        check_name(name, "queue")

    assert refusal.value.message == f"queue={shown(name)} is not a name"
    assert refusal.value.hint == (
        "1 to 255 printable characters, none of them : { } *, and no space at either end"
    )
