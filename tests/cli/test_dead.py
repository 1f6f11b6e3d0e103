"""``stoker dead``."""

from __future__ import annotations

import msgspec
import pytest

from stoker.broker.base import system_clock
from stoker.cli import bulk
from stoker.job.states import State
from stoker.queue import Filter
from tests.cli.support import URL, Shop, lines, ok, stoker


def test_dead_letters_are_listed_the_newest_first(shop: Shop) -> None:
    for _ in range(3):
        shop.add()
    shop.fail(message="ValueError: first\nand more")
    shop.fail(message="KeyError: second")

    shown = ok("dead", "ls", "--url", URL).splitlines()

    assert [line.split() for line in shown] == [
        ["id", "task", "when", "tries", "note"],
        ["2", "send", "now", "1", "KeyError:", "second"],
        ["1", "send", "now", "1", "ValueError:", "first"],
    ]
    assert [job["id"] for job in lines("dead", "ls", "--text", "keyerror", "--url", URL)] == ["2"]


def test_dead_letters_of_several_queues_are_one_list(shop: Shop) -> None:
    for queue in ("mail", "default", "mail"):
        shop.add("send", queue)
        shop.fail(queue)

    listed = lines("dead", "ls", "--url", URL)
    first = lines("dead", "ls", "--limit", "2", "--url", URL)

    assert [job["queue"] for job in listed] == ["mail", "default", "mail"]
    assert first == listed[:2]


def test_a_dead_letter_is_shown_with_its_traceback(shop: Shop) -> None:
    id = shop.add(data={"password": "hush"})
    shop.fail()

    shown = ok("dead", "show", id, "--url", URL)

    text = "\n".join(line.rstrip() for line in shown.splitlines())
    assert text.startswith(f"send {id}  failed now\n")
    assert "\n  attempts  1 (starts 1)\n" in text
    assert '\n      "password": "***"\n' in text
    assert text.endswith(
        "\n  failure\n    ValueError: no\n  traceback\n    Traceback\n      File shop.py"
    )


def test_what_is_not_dead_is_not_shown_as_such(shop: Shop) -> None:
    id = shop.add()

    result = stoker("dead", "show", id, "--url", URL)

    assert result.exit_code == 1
    assert result.stderr == (
        f"error: job {id} of queue 'mail' is waiting, not failed\nhint: stoker job show {id}\n"
    )


def test_dead_letters_are_replayed(shop: Shop) -> None:
    for _ in range(3):
        shop.add()
    shop.fail(count=2)
    shop.fail(message="KeyError: other")

    assert ok("dead", "replay", "--text", "KeyError", "--yes", "--url", URL) == (
        "Put back in line: 1 job.\n"
    )
    assert ok("dead", "replay", "1", "--url", URL) == "Put back in line: 1 job.\n"
    assert shop.states() == {State.FAILED: 1, State.WAITING: 2}
    assert shop.job("1").attempts == 0


def test_what_dies_during_a_replay_is_not_replayed_by_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    meant: list[Filter] = []

    async def replay(_queue: object, which: Filter, _progress: object) -> int:
        meant.append(which)
        return 0

    monkeypatch.setattr(
        "stoker.cli.dead.REPLAY", msgspec.structs.replace(bulk.REPLAY, sweep=replay)
    )
    shop.add()
    shop.fail()

    ok("dead", "replay", "--all", "--yes", "--url", URL)
    ok("dead", "replay", "--until", "2100-01-01", "--yes", "--url", URL)

    assert [which.until is not None and which.until <= system_clock() + 1 for which in meant] == [
        True,
        True,
    ]


def test_dead_letters_are_purged(shop: Shop) -> None:
    for _ in range(2):
        shop.add()
    shop.fail()

    assert ok("dead", "purge", "--all", "--yes", "--url", URL) == "Deleted: 1 job.\n"
    assert shop.states() == {State.WAITING: 1}


def test_only_dead_letters_are_purged(shop: Shop) -> None:
    id = shop.add()

    result = stoker("dead", "purge", id, "--url", URL)

    assert result.exit_code == 1
    assert result.stderr == f"job {id} of mail is waiting: it is no dead letter\n"
    assert shop.states() == {State.WAITING: 1}
