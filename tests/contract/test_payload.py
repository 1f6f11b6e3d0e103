"""Text is opaque: what was given comes back, character by character."""

from __future__ import annotations

import pytest

from stoker.broker.base import Broker, Patch
from stoker.job.model import Dedup, Failure
from stoker.job.outcome import Failed
from stoker.job.states import State
from tests.contract.support import (
    Clock,
    done,
    every,
    failure,
    find,
    get,
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

texts = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
short_texts = pytest.mark.parametrize(
    "text",
    [text for name, text in TEXTS.items() if name not in ("empty", "1 MiB")],
    ids=[name for name in TEXTS if name not in ("empty", "1 MiB")],
)


@texts
async def test_data_and_options_come_back_as_they_were(broker: Broker, text: str) -> None:
    [id] = await put(broker, new(data=text, options=text))

    claimed = await take_one(broker)

    assert (claimed.data, claimed.options) == (text, text)
    [found] = await find(broker, some(id))
    assert (found.data, found.options) == (text, text)


@texts
async def test_the_result_comes_back_as_it_was(broker: Broker, text: str) -> None:
    [id] = await put(broker, new())

    await settle(broker, done(await take_one(broker), text))

    assert (await get(broker, id)).result == text


@texts
async def test_the_failure_comes_back_as_it_was(broker: Broker, text: str) -> None:
    [id] = await put(broker, new())
    why = Failure("error", text, text)

    await settle(broker, Failed(lease(await take_one(broker)), why))

    assert failure(await get(broker, id)) == why


@texts
async def test_changed_data_progress_and_log_come_back_as_they_were(
    broker: Broker, text: str
) -> None:
    [id] = await put(broker, new())
    job = await take_one(broker)

    await broker.update("q", id, Patch(token=job.token, data=text, progress=text, log=(text, text)))

    detail = await broker.detail("q", id)
    assert detail is not None
    assert (detail.job.data, detail.job.progress) == (text, text)
    assert [log.line for log in detail.logs] == [text, text]


@texts
async def test_the_reason_of_a_cancellation_comes_back_as_it_was(broker: Broker, text: str) -> None:
    [id] = await put(broker, new())

    await broker.cancel(some(id), text)

    assert failure(await get(broker, id)).message == text


@short_texts
async def test_names_and_workers_may_be_any_text(broker: Broker, text: str) -> None:
    await put(broker, new(text), new("other"))

    job = await take_one(broker, worker=text)

    assert (job.name, job.worker) == (text, text)
    assert names(await find(broker, every(State.ACTIVE, name=text))) == [text]


@short_texts
async def test_data_is_searched_for_any_text(broker: Broker, text: str) -> None:
    await put(broker, new("hit", data=f"<{text}>"), new("miss", data="<>"))

    found = await find(broker, every(State.WAITING, text=text))

    assert names(found) == ["hit"]


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
