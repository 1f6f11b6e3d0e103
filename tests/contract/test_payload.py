"""Text is opaque: what was given comes back, character by character."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stoker.broker.base import Broker, Patch
from stoker.failure import Failure
from stoker.job.model import Dedup, JobRecord
from stoker.job.outcome import Failed
from stoker.job.states import State
from tests.contract.support import (
    Clock,
    done,
    drain,
    every,
    failure,
    find,
    lease,
    many,
    names,
    new,
    put,
    settle,
    some,
    take,
    take_one,
)

TEXTS = {
    "empty": "",
    "spaced JSON": ' { "a" :  [1 , 2.50, 1e3] } ',
    "not JSON": '{"a": [1, 2',
    "a bare word": "undefined",
    "digits": "007",
    "a number": "12345678901234567890.10",
    "null": "null",
    "quotes": "' \" ` \\ '' \"\" \\' \\\"",
    "SQL": "'; DROP TABLE jobs; --",
    "placeholders": "? :id $1 %s {0} @x #{y}",
    "Lua": ']] .. redis.call("FLUSHALL") .. [[',
    "separators": ":|,;\t=&/\\{}[]()",
    "lines": "one\ntwo\r\nthree\rfour",
    "controls": "".join(map(chr, range(1, 32))) + "\x7f\x85",
    "line separators": "\u2028\u2029",
    "scripts": "größer 漢字 кириллица العربية ไทย",
    "emoji": "👩\u200d🚀🏽\ufe0f",
    "not normalised": "e\u0301 é \ufb01 \u017f",
    "byte order mark": "\ufeffx\ufffe\uffff",
    "planes": "\U0001f600\U0010ffff",
    "invisible": "\u200b\u202e\u00ad x \u00a0",
    "trailing space": "x  \n ",
    "1 MiB": '{"x":"' + "é漢x" * 174_760 + '"}',
}

SHORT = {name: text for name, text in TEXTS.items() if name not in ("empty", "1 MiB")}


async def a_job_for_each_text(broker: Broker) -> list[JobRecord]:
    """Claim a job for each text; its id and name are the text's name."""
    await put(broker, *(new(name, id=name) for name in TEXTS))
    return await drain(broker)


def by_name(jobs: Sequence[JobRecord], field: str) -> dict[str, str]:
    return {job.name: getattr(job, field) for job in jobs}


@pytest.mark.parametrize("field", ["data", "options"])
async def test_what_a_producer_gave_comes_back_as_it_was(broker: Broker, field: str) -> None:
    await put(broker, *(new(name, id=name, **{field: text}) for name, text in TEXTS.items()))

    found = await find(broker, every(State.WAITING))
    claimed = await drain(broker)

    assert by_name(found, field) == TEXTS
    assert by_name(claimed, field) == TEXTS


async def test_results_come_back_as_they_were(broker: Broker) -> None:
    jobs = await a_job_for_each_text(broker)

    await settle(broker, *(done(job, TEXTS[job.name]) for job in jobs))

    assert by_name(await find(broker, every(State.COMPLETED)), "result") == TEXTS


async def test_failures_come_back_as_they_were(broker: Broker) -> None:
    jobs = await a_job_for_each_text(broker)
    why = {name: Failure("error", text, text) for name, text in TEXTS.items()}

    await settle(broker, *(Failed(lease(job), why[job.name]) for job in jobs))

    dead = await find(broker, every(State.FAILED))
    assert {job.name: failure(job) for job in dead} == why


async def test_changed_data_and_progress_come_back_as_they_were(broker: Broker) -> None:
    for job in await a_job_for_each_text(broker):
        text = TEXTS[job.name]
        await broker.update("q", job.id, Patch(token=job.token, data=text, progress=text))

    found = await find(broker, every(State.ACTIVE))

    assert by_name(found, "data") == by_name(found, "progress") == TEXTS


async def test_log_lines_come_back_as_they_were(broker: Broker) -> None:
    await put(broker, new(id="a"))

    await broker.update("q", "a", Patch(log=tuple(TEXTS.values())))

    detail = await broker.detail("q", "a")
    assert detail is not None
    assert [log.line for log in detail.logs] == list(TEXTS.values())


async def test_reasons_of_cancellations_come_back_as_they_were(broker: Broker) -> None:
    for job in await a_job_for_each_text(broker):
        await broker.cancel(some(job.id), TEXTS[job.name])

    dead = await find(broker, every(State.FAILED))

    assert {job.name: failure(job).message for job in dead} == TEXTS


async def test_names_and_workers_may_be_any_text(broker: Broker) -> None:
    await put(broker, new("other", priority=1), *map(new, SHORT.values()))

    jobs = [await take_one(broker, worker=text) for text in SHORT.values()]

    assert names(jobs) == [job.worker for job in jobs] == list(SHORT.values())
    for text in SHORT.values():
        assert names(await find(broker, every(State.ACTIVE, name=text))) == [text]


async def test_data_is_searched_for_any_text(broker: Broker) -> None:
    await put(broker, *(new(name, data=f"<{text}>") for name, text in SHORT.items()))

    found = {
        name: names(await find(broker, every(State.WAITING, text=f"<{text}>")))
        for name, text in SHORT.items()
    }

    assert found == {name: [name] for name in SHORT}


@pytest.mark.parametrize(
    "text", ["a b", "größer 漢字", "👩\u200d🚀", "it's", '"', "100%", "a_b", "a*b?", "A", "a/b.c-d"]
)
async def test_ids_keys_and_queues_may_be_any_printable_text(
    broker: Broker, clock: Clock, text: str
) -> None:
    await put(broker, new(queue=text, id=text, dedup=Dedup(text)))

    [by_id, by_key] = await broker.add(
        [new(queue=text, id=text), new(queue=text, dedup=Dedup(text))]
    )
    job = await take_one(broker, text)

    assert (by_id.id, by_id.duplicate, by_key.id, by_key.duplicate) == (text, True, text, True)
    assert (job.queue, job.id) == (text, text)
    assert await broker.extend([lease(job)], 1_000) == set()
    assert [queue.name for queue in await broker.queues()] == [text]
    assert not await settle(broker, done(job))


async def test_ids_and_queues_that_differ_in_case_only_are_different(broker: Broker) -> None:
    await put(broker, new(queue="q", id="a"), new(queue="q", id="A"), new(queue="Q", id="a"))

    here, there = await take(broker, 10, "q"), await take(broker, 10, "Q")

    assert sorted(job.id for job in here) == ["A", "a"]
    assert [job.id for job in there] == ["a"]


async def test_many_large_jobs_are_claimed_in_one_go(broker: Broker) -> None:
    large = "x" * 200_000
    await put(broker, *many(20, data=large))

    jobs = await take(broker, 20)

    assert [job.data for job in jobs] == [large] * 20
