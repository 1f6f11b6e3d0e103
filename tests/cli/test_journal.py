"""A worker's events as log lines and as a sum."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from stoker.cli.journal import MOST_FAILURES, QUIET_SECONDS, Journal
from stoker.errors import BrokerUnavailable
from stoker.events import emit
from stoker.failure import Failure
from stoker.job.model import JobRecord, Lease
from stoker.job.outcome import Done, Failed, Released, Retried, Snoozed
from stoker.job.states import State

LEASES = [Lease("mail", str(number), "t") for number in range(7)]
FAILURE = Failure("error", "ValueError: no\nwhy", "Traceback …\nValueError: no")


def record(id: str = "0", attempts: int = 0, worker: str = "") -> JobRecord:
    return JobRecord(
        "mail", id, "send", "{}", "{}", State.ACTIVE, 0, 0, attempts=attempts, token="t",
        worker=worker,
    )  # fmt: skip


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The lines that are logged, with their levels."""

    class Lines(list[str]):
        def __iter__(self) -> Iterator[str]:
            return iter([f"{made.levelname} {made.getMessage()}" for made in caplog.records])

        def __eq__(self, other: object) -> bool:
            return [*self] == other

    with caplog.at_level(logging.INFO, "stoker.worker"):
        yield Lines()


@pytest.fixture
def journal(clock: Clock, lines: list[str]) -> Iterator[Journal]:
    journal = Journal(verbose=False, clock=clock)
    end = journal.begin()
    yield journal
    end()


def test_what_goes_well_is_counted_and_not_logged_but_for_a_crash(
    journal: Journal, lines: list[str]
) -> None:
    emit("jobs.claimed", jobs=[record()])
    emit("jobs.finished", outcomes=[Done(LEASES[0], "1"), Done(LEASES[1], "1")], lost=frozenset())
    emit("jobs.finished", outcomes=[Failed(LEASES[2], FAILURE), Retried(LEASES[3], FAILURE)])
    emit("jobs.finished", outcomes=[Snoozed(LEASES[4]), Released(LEASES[5])])
    emit("jobs.finished", outcomes=[Released(LEASES[6], crashed=True)])

    assert journal.counts == {
        "done": 2,
        "failed": 1,
        "retried": 1,
        "snoozed": 1,
        "handed back": 1,
        "crashed and put back": 1,
    }
    assert lines == ["WARNING job 6 of mail: its process died while it ran; it is put back"]


def test_what_was_refused_is_not_counted(journal: Journal) -> None:
    outcomes = [Done(LEASES[0], "1"), Done(LEASES[1], "1")]

    emit("jobs.finished", outcomes=outcomes, lost=frozenset({LEASES[0]}))

    assert journal.counts == {"done": 1}


def test_after_its_end_it_hears_nothing(clock: Clock) -> None:
    journal = Journal(verbose=False, clock=clock)
    end = journal.begin()

    end()
    emit("jobs.finished", outcomes=[Done(LEASES[0], "1")])

    assert not journal.counts


@pytest.mark.parametrize(
    ("event", "fields", "line"),
    [
        (
            "job.failed",
            {"job": record("7", attempts=1), "failure": FAILURE, "dead": False},
            "WARNING send 7 of mail: failed attempt 2, to be retried: ValueError: no why",
        ),
        (
            "job.failed",
            {"job": record("7"), "failure": Failure("timeout", "too long"), "dead": True},
            "WARNING send 7 of mail: is a dead letter: [timeout] too long",
        ),
        (
            "jobs.lost",
            {"leases": frozenset({LEASES[3]})},
            "WARNING job 3 of mail: no longer ours: cancelled, removed or taken over; "
            "its result is not stored",
        ),
        (
            "lease.broken",
            {"job": record("3"), "now": None},
            "WARNING send 3 of mail: removed while it ran; interrupting it",
        ),
        (
            "lease.broken",
            {"job": record("3"), "now": record("3", worker="eu-2")},
            "WARNING send 3 of mail: taken over by eu-2, for its lease was not renewed in time; "
            "interrupting it",
        ),
        (
            "jobs.recovered",
            {"queue": "mail", "ids": ["1", "2"]},
            "WARNING recovered from a worker that died: job 1, 2 of mail",
        ),
        (
            "jobs.recovered",
            {"queue": "mail", "ids": list("123456789")},
            "WARNING recovered from a worker that died: job 1, 2, 3, 4, 5 and 4 more of mail",
        ),
        (
            "job.stuck",
            {"job": record("7")},
            "WARNING send 7 of mail: its thread overran and cannot be stopped: it goes on beside "
            'whatever runs next (with run_in="process" it would be killed)',
        ),
        (
            "loop.blocked",
            {"seconds": 2.4},
            "WARNING the event loop has not answered for 2s: an async task blocks it "
            "(a plain def runs in a thread and does not)",
        ),
        (
            "loop.blocked",
            {"seconds": 2.4, "job": record("7")},
            "WARNING the event loop has not answered for 2s: send 7 of mail blocks it "
            "(a plain def runs in a thread and does not)",
        ),
        ("worker.started", {"settings": None}, "INFO ready"),
        ("something.new", {"any": 1}, None),
    ],
)
@pytest.mark.usefixtures("journal")
def test_an_event_is_a_line(
    lines: list[str], event: str, fields: dict[str, object], line: str | None
) -> None:
    emit(event, **fields)

    assert lines == ([] if line is None else [line])


@pytest.mark.usefixtures("journal")
def test_a_broker_that_fails_fills_no_log(clock: Clock, lines: list[str]) -> None:
    error = BrokerUnavailable("jobs.db stayed locked", hint="look for who holds it")
    first = (
        "ERROR the broker failed to claim, will be tried again: "
        "jobs.db stayed locked (look for who holds it)"
    )

    for _ in range(50):
        emit("broker.failed", error=error, doing="claim")
    assert lines == [first]

    clock.now += QUIET_SECONDS
    emit("broker.failed", error=error, doing="claim")
    assert [*lines][1:] == [f"{first} (49 more since the last line)"]

    clock.now += 2
    emit("jobs.claimed", jobs=[])
    emit("jobs.claimed", jobs=[])
    assert [*lines][2:] == ["INFO the broker answers again, after 12s"]

    emit("broker.failed", error=error, doing="claim")
    assert [*lines][3:] == [first]

    clock.now += 3
    emit("broker.answers", doing="claim")  # by one that has nothing to do
    assert [*lines][4:] == ["INFO the broker answers again, after 3s"]


@pytest.mark.usefixtures("journal")
def test_a_task_that_fails_all_the_time_fills_no_log(clock: Clock, lines: list[str]) -> None:
    def fail() -> None:
        emit("job.failed", job=record(), failure=FAILURE, dead=True)

    for _ in range(1_000):
        fail()
    assert len([*lines]) == MOST_FAILURES

    clock.now += 1
    fail()
    fail()
    assert [*lines][MOST_FAILURES:] == [
        "WARNING send: 980 more jobs failed that were not logged",
        "WARNING send 0 of mail: is a dead letter: ValueError: no why",
        "WARNING send 0 of mail: is a dead letter: ValueError: no why",
    ]


def test_verbose_logs_every_job_with_its_time(clock: Clock, lines: list[str]) -> None:
    end = Journal(verbose=True, clock=clock).begin()

    emit("jobs.claimed", jobs=[record("0")])
    clock.now += 0.034
    emit("jobs.finished", outcomes=[Done(LEASES[0], "1")])
    emit("job.failed", job=record("1"), failure=FAILURE, dead=True)
    end()

    assert lines == [
        "INFO send 0 of mail: done in 34ms",
        "WARNING send 1 of mail: is a dead letter: ValueError: no why",
        "WARNING Traceback …\nValueError: no",
    ]
