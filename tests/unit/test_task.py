"""A function as a task: it stays a function, and its calls become jobs."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from datetime import date
from typing import Any

import msgspec
import pytest

from stoker import Backoff, ConfigError, Dedup, InvalidPayload, Keep, Stoker, Task, UnknownTask
from stoker.job.model import JobOptions, JobRecord
from stoker.job.retry import policy_for
from stoker.job.states import State


def options_of(record: JobRecord) -> JobOptions:
    return msgspec.json.decode(record.options, type=JobOptions)


# It stays a function


async def test_a_task_is_called_as_the_function_it_is(app: Stoker) -> None:
    @app.task
    def double(number: int) -> int:
        """Twice."""
        return 2 * number

    @app.task(queue="mail")
    async def half(number: int, by: int = 2) -> float:
        return number / by

    assert double(4) == 8
    assert await half(4) == 2
    assert await half(8, by=4) == 2


def test_a_task_looks_like_the_function_it_is(app: Stoker) -> None:
    @app.task(queue="mail", name="mail.send")
    def send(to: str) -> int:
        """Send it."""
        return len(to)

    assert (send.__doc__, send.__name__, send.__module__) == ("Send it.", "send", __name__)
    assert inspect.signature(send) == inspect.signature(send.__wrapped__)
    assert repr(send) == "Task('mail.send', queue='mail')"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("delay", "task 'work' has no 'delay'; enqueue() adds a job"),
        ("apply_async", "task 'work' has no 'apply_async'; enqueue() adds a job"),
        ("enqeue", "task 'work' has no 'enqeue'"),
    ],
)
def test_a_name_that_a_task_does_not_have_is_answered_with_the_one_it_has(
    app: Stoker, name: str, message: str
) -> None:
    @app.task
    def work() -> None: ...

    with pytest.raises(AttributeError) as error:
        getattr(work.options(priority=1), name)

    assert str(error.value) == message


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (lambda app: app.task(int), "@app.task is for functions, not <class 'int'>"),
        (lambda app: app.task("send"), "@app.task is for functions, not 'send'"),
        (lambda app: app.task(name="a:b")(lambda: 1), "name='a:b' is not a name"),
        (lambda app: app.task(queue="")(lambda: 1), "queue='' is not a name"),
        (lambda app: app.task(name="x", tries=1)(lambda: 1), "x(): there is no setting 'tries'"),
        (
            lambda app: app.task(name="x", lifo=1)(lambda: 1),
            "x(): lifo=1 is neither True nor False",
        ),
        (lambda app: app.task(name="x", delay="?")(lambda: 1), "x(): delay='?' is not a duration"),
        (
            lambda app: app.task(name="x", timeout=0)(lambda: 1),
            "x(): timeout=0 would end every run",
        ),
        (
            lambda app: app.task(name="x", dedup=7)(lambda: 1),
            "x(): dedup=7 is neither a key (text) nor a Dedup",
        ),
    ],
)
def test_a_task_that_cannot_work_is_refused_when_it_is_defined(
    app: Stoker, define: Callable[[Stoker], Any], message: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        define(app)

    assert refusal.value.message == message
    assert app.registry.handlers() == []


# Its calls become jobs


async def test_a_call_is_stored_by_parameter_names(app: Stoker) -> None:
    @app.task(queue="mail")
    def remind(customer: int, on: date, urgent: bool = False) -> None: ...

    job = await remind.enqueue(7, on=date(2026, 12, 24))

    record = await job.record()
    assert (record.queue, record.name, record.state) == ("mail", "remind", State.WAITING)
    assert record.data == '{"customer":7,"on":"2026-12-24"}'
    assert repr(job) == "Job(queue='mail', id='1')"


async def test_a_call_that_does_not_fit_is_refused_and_nothing_is_written(app: Stoker) -> None:
    @app.task
    def send(to: list[str]) -> None: ...

    with pytest.raises(InvalidPayload) as refusal:
        await send.enqueue(["a", 3])  # pyright: ignore[reportArgumentType]

    assert refusal.value.path == "to[1]"
    assert (await app.queue().stats()).counts == {}


async def test_many_calls_are_added_all_or_none(app: Stoker) -> None:
    @app.task
    def work(number: int) -> None: ...

    with pytest.raises(InvalidPayload) as refusal:
        await work.enqueue_many([{"number": 1}, {"number": "two"}])
    jobs = await work.enqueue_many({"number": number} for number in range(3))

    assert [(await job.record()).data for job in jobs] == [f'{{"number":{n}}}' for n in range(3)]
    assert (await app.queue().stats()).counts == {State.WAITING: 3}
    assert refusal.value.message == "calls[1]: work(): number: expected int, got str"
    assert refusal.value.path == "[1].number"


@pytest.mark.parametrize(
    ("calls", "message"),
    [
        (
            [(["a"], "s")],
            "calls[0]: work() takes its arguments by name, not as tuple: (['a'], 's')",
        ),
        ({"number": 1}, "calls are many, one for each job, not dict: {'number': 1}"),
        ("ab", "calls are many, one for each job, not str: 'ab'"),
        (5, "calls are many, one for each job, not int: 5"),
    ],
)
async def test_many_calls_that_are_no_mappings_are_refused(
    app: Stoker, calls: Any, message: str
) -> None:
    @app.task
    def work(number: int) -> None: ...

    with pytest.raises(InvalidPayload) as refusal:
        await work.enqueue_many(calls)

    assert refusal.value.message == message
    assert refusal.value.hint


def test_a_call_is_enqueued_from_synchronous_code(app: Stoker) -> None:
    @app.task
    def work(number: int) -> None: ...

    job = work.enqueue_sync(1)

    assert app.run(job.state()) is State.WAITING


async def test_the_payload_limit_of_the_app_holds_for_its_tasks() -> None:
    async with Stoker("sqlite://:memory:", payload_limit=20) as app:

        @app.task
        def work(text: str) -> None: ...

        for enqueue in (work.enqueue, lambda text: work.enqueue_many([{"text": text}])):
            with pytest.raises(InvalidPayload, match="the limit is 20"):
                await enqueue("x" * 20)


# Settings


async def test_what_the_store_must_know_goes_with_the_job_and_the_rest_stays_with_the_task(
    app: Stoker,
) -> None:
    @app.task(priority=7, delay="1h", attempts=9, keep_failed=1)
    def work() -> None: ...

    record = await (await work.enqueue()).record()

    assert (record.priority, record.state) == (7, State.DELAYED)
    assert record.options == "{}"
    assert work.handler.policy.attempts == 9
    assert work.handler.policy.keep_failed == Keep(count=1)


async def test_options_apply_to_the_jobs_added_through_them_only(app: Stoker) -> None:
    @app.task(priority=7, attempts=9)
    def work() -> None: ...

    urgent = work.options(priority=0, attempts=1, id="now")
    one, other = await (await urgent.enqueue()).record(), await (await work.enqueue()).record()

    assert (one.id, one.priority, one.options) == ("now", 0, '{"attempts":1}')
    assert (other.id, other.priority, other.options) == ("2", 7, "{}")
    assert isinstance(urgent, Task)
    assert policy_for(work.handler.policy, one.options, 3).attempts == 1


async def test_options_on_options_add_up(app: Stoker) -> None:
    @app.task
    def work() -> None: ...

    base = work.options(attempts=1, backoff=Backoff.fixed(1), priority=5, id="a", dedup="k")
    job = await base.options(priority=3, keep_failed=2).enqueue()

    record = await job.record()
    assert (record.id, record.priority) == ("a", 3)
    assert options_of(record) == JobOptions(
        attempts=1, backoff=Backoff.fixed(1), keep_failed=Keep(count=2)
    )
    assert (await work.options(dedup="k").enqueue()).id == "a"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"tries": 1}, "work(): there is no setting 'tries'"),
        ({"run_in": "thread"}, "work(): there is no setting 'run_in'"),
        ({"id": "7"}, "work(): id='7' cannot be a job's id"),
        ({"dedup": 7}, "work(): dedup=7 is neither a key (text) nor a Dedup"),
    ],
)
def test_options_that_cannot_be_are_refused_at_once(
    app: Stoker, wrong: dict[str, Any], message: str
) -> None:
    @app.task
    def work() -> None: ...

    with pytest.raises(ConfigError) as refusal:
        work.options(**wrong)

    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("elsewhere", "here"),
    [
        ("retries", "attempts"),
        ("countdown", "delay"),
        ("time_limit", "timeout"),
        ("uniqe", "known"),
    ],
)
def test_a_setting_by_another_frameworks_name_is_told_by_ours(
    app: Stoker, elsewhere: str, here: str
) -> None:
    settings: dict[str, Any] = {elsewhere: 3}
    with pytest.raises(ConfigError) as refusal:
        app.task(name="x", **settings)(lambda: 1)

    hint = refusal.value.hint or ""
    assert hint == f"did you mean {here!r}?" or (here == "known" and hint.startswith("known: id, "))


async def test_an_id_that_exists_gives_the_job_that_has_it(app: Stoker) -> None:
    @app.task
    def work(number: int) -> None: ...

    first = await work.options(id="a").enqueue(1)
    again = await work.options(id="a").enqueue(2)

    assert (first.duplicate, again.duplicate, again.id) == (False, True, "a")
    assert (await again.record()).data == '{"number":1}'


@pytest.mark.parametrize(
    "dedup",
    [
        lambda product, **_: f"reindex:{product}",
        lambda product, **_: Dedup.within("1h", f"reindex:{product}"),
    ],
)
async def test_a_dedup_key_may_be_made_of_the_arguments(app: Stoker, dedup: Any) -> None:
    @app.task(dedup=dedup)
    def reindex(product: str, deep: bool = False) -> None: ...

    first = await reindex.enqueue("a")
    again, other = await asyncio.gather(reindex.enqueue("a", deep=True), reindex.enqueue("b"))
    many = await reindex.enqueue_many([{"product": "a"}, {"product": "c"}])

    assert (again.duplicate, again.id) == (True, first.id)
    assert not other.duplicate
    assert [job.duplicate for job in many] == [True, False]


async def test_a_dedup_of_nothing_does_not_deduplicate(app: Stoker) -> None:
    @app.task(dedup=lambda product: f"reindex:{product}" if product else None)
    def reindex(product: str) -> None: ...

    jobs = [await reindex.enqueue(""), await reindex.enqueue("")]
    jobs += [await reindex.options(dedup=None).enqueue("a") for _ in range(2)]  # pyright: ignore[reportArgumentType]

    assert not any(job.duplicate for job in jobs)


async def test_a_dedup_that_makes_no_key_is_an_error_of_the_call(app: Stoker) -> None:
    @app.task(dedup=lambda product: product)
    def reindex(product: int) -> None: ...

    with pytest.raises(ConfigError, match=r"^reindex\(\): dedup=7 is neither"):
        await reindex.enqueue(7)


# By name


async def test_a_job_is_added_by_name_and_checked_like_a_call(app: Stoker) -> None:
    @app.task(queue="mail")
    def send(to: str) -> None: ...

    job = await app.queue("mail").add("send", {"to": "a"}, priority=3)

    record = await job.record()
    assert (record.name, record.data, record.priority) == ("send", '{"to":"a"}', 3)
    for name, data, error in (
        ("send", {"to": 1}, InvalidPayload),
        ("sned", {"to": "a"}, UnknownTask),
        ("a:b", {}, ConfigError),
    ):
        with pytest.raises(error):
            await app.queue("mail").add(name, data)
    with pytest.raises(ConfigError, match=r"^mail\.add\('send'\): there is no setting 'prio'"):
        await app.queue("mail").add("send", {"to": "a"}, prio=1)  # pyright: ignore[reportCallIssue]
    assert (await app.queue("mail").stats()).counts == {State.WAITING: 1}
