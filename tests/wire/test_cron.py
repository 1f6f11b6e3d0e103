"""A pattern is due when BullMQ's own parser says so, also where clocks are changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stoker.errors import ConfigError
from stoker.schedule.cron import Cron
from tests.wire.runtime import HERE, runtime

EXAMPLES = 300
SOAK_EXAMPLES = 100_000
TIMES = 3

# Where a change is around midnight, not at a full hour or not of one, cron-parser leaves its own
# rule: on the day of Havana's change in autumn "13 * * * *" is not due at 0:13 before it. What
# we do there is in tests/unit/schedule.
ZONES = [
    "UTC", "Asia/Tokyo", "Asia/Kolkata", "America/New_York", "America/Chicago", "Europe/Berlin",
    "Europe/London", "Australia/Sydney", "Pacific/Auckland", "America/Toronto",
]  # fmt: skip


class Question(NamedTuple):
    """When is it due, after that?"""

    pattern: str
    after: int
    tz: str
    count: int = TIMES


def field(first: int, last: int) -> st.SearchStrategy[str]:
    """A field of numbers; none comes twice in a list, which cron-parser refuses."""
    number = st.integers(first, last)
    pair = st.tuples(number, number).map(sorted)
    return st.one_of(
        st.just("*"),
        number.map(str),
        st.integers(1, last - first).map(lambda step: f"*/{step}"),
        pair.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(number, st.integers(1, 9)).map(lambda both: f"{both[0]}/{both[1]}"),
        st.lists(number, min_size=2, max_size=4, unique=True).map(
            lambda ns: ",".join(map(str, ns))
        ),
    )


def patterns() -> st.SearchStrategy[str]:
    day = st.sampled_from(["*", "*", "*", "?", "L", "1,15", "*/2", "28,L"]) | field(1, 28)
    month = st.sampled_from(["*", "*", "*", "3", "nov", "1-6", "OCT-DEC", "*/2"])
    weekday = st.sampled_from(
        ["*", "*", "*", "?", "1-5", "sun", "0", "7", "5L", "1#2", "FRI#5", "*/2", "1/2", "mon-fri"]
    )
    plain = st.tuples(field(0, 59), field(0, 23), day, month, weekday).map(" ".join)
    with_seconds = st.tuples(field(0, 59), plain).map(" ".join)
    short = st.sampled_from(["* * *", "5 0 1 *", "", "* * * * * * *"])
    named = st.sampled_from(["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@weekdays"])
    return st.one_of(plain, plain, plain, with_seconds, named, short)


def changes(zone: str) -> list[int]:
    """Return the days, in Unix seconds, after which a zone's clocks have been changed."""
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    days = [begin + timedelta(days=n) for n in range(365 * 6)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    pairs = zip(days, offsets, offsets[1:], strict=False)
    return [round(day.timestamp()) for day, before, after in pairs if before != after]


def was_put_forward(zone: ZoneInfo, at: int) -> bool:
    """Whether clocks have been put forward in the hour before.

    What was skipped is due in that hour; but asked within it, cron-parser does not know any more.
    """
    offsets = [datetime.fromtimestamp(each, zone).utcoffset() for each in (at - 3_600, at)]
    before, after = (each or timedelta() for each in offsets)
    return after > before


@st.composite
def questions(draw: st.DrawFn) -> Question:
    zone = draw(st.sampled_from(ZONES))
    anywhere = st.integers(1_704_067_200, 1_893_456_000)
    known = changes(zone)
    close = st.sampled_from(known) if known else anywhere
    at = draw(close | anywhere) + draw(st.integers(-86_400, 2 * 86_400))
    assume(not was_put_forward(ZoneInfo(zone), at))
    return Question(draw(patterns()), at * 1_000 + draw(st.sampled_from([0, 0, 1, 999])), zone)


@pytest.fixture(scope="module")
def theirs() -> Iterator[Callable[[Question], list[int] | None]]:
    node = runtime()
    with subprocess.Popen(
        [node.node, "cron.mjs"],
        cwd=HERE,
        env=node.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(question: Question) -> list[int] | None:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(question._asdict()), file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()
        process.wait(10)


def ours(question: Question) -> list[int] | None:
    times: list[int] = []
    after = question.after
    try:
        cron = Cron.parse(question.pattern)
    except ConfigError:
        return None
    for _ in range(question.count):
        due = cron.next(after, ZoneInfo(question.tz))
        if due is None:
            return None
        times.append(after := due)
    return times


def compare(theirs: Callable[[Question], list[int] | None], question: Question) -> None:
    fields = len(question.pattern.split())
    if not question.pattern.startswith("@") and fields < 5:
        assert ours(question) is None  # cron-parser guesses which fields were meant
    else:
        assert ours(question) == theirs(question)


@settings(max_examples=EXAMPLES, deadline=None)
@given(question=questions())
def test_it_is_due_when_theirs_is(
    theirs: Callable[[Question], list[int] | None], question: Question
) -> None:
    compare(theirs, question)


@pytest.mark.soak
@settings(max_examples=SOAK_EXAMPLES, deadline=None)
@given(question=questions())
def test_it_is_due_when_theirs_is_soak(
    theirs: Callable[[Question], list[int] | None], question: Question
) -> None:
    compare(theirs, question)
