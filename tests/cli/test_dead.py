"""``stoker dead``."""

from __future__ import annotations

import json

import msgspec
import pytest

from stoker.app import Stoker
from stoker.broker.base import Patch, system_clock
from stoker.cli import verbs
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


def test_that_there_are_none_is_said(shop: Shop) -> None:
    shop.add()

    assert ok("dead", "ls", "--url", URL) == "There are no dead letters.\n"
    assert ok("dead", "ls", "--text", "x", "--url", URL) == "There are no such jobs.\n"


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
        "stoker.cli.dead.REPLAY", msgspec.structs.replace(verbs.REPLAY, sweep=replay)
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
    assert result.stderr == f"error: job {id} of mail is waiting: it is no dead letter\n"
    assert shop.states() == {State.WAITING: 1}


def test_dead_letters_are_chosen_by_why_they_failed(shop: Shop) -> None:
    for _ in range(3):
        shop.add()
    shop.fail(count=1)
    shop.fail(count=1, reason="timeout")
    ok("job", "cancel", "3", "--url", URL)

    def listed(*reasons: str) -> list[str]:
        return [job["id"] for job in lines("dead", "ls", "--reason", *reasons, "--url", URL)]

    assert listed("timeout") == ["2"]
    assert sorted(listed("error,cancelled")) == ["1", "3"]
    assert sorted(listed("error", "--reason", "timeout")) == ["1", "2"]
    assert ok("dead", "purge", "--reason", "timeout", "--yes", "--url", URL) == "Deleted: 1 job.\n"


def test_a_reason_that_does_not_exist_is_refused(shop: Shop) -> None:
    result = stoker("dead", "ls", "--reason", "timeuot", "--url", URL)

    assert result.exit_code == 2
    assert "'timeuot' is no reason: cancelled, crashed, error, timeout" in result.stderr


@pytest.mark.parametrize("command", ["dead replay", "job retry"])
def test_a_replay_leaves_out_what_was_cancelled_unless_it_is_named(
    shop: Shop, command: str
) -> None:
    for _ in range(4):
        shop.add()
    ok("job", "cancel", "1", "2", "3", "--url", URL)
    shop.fail()

    replay = (*command.split(), "--yes", "--url", URL)
    first = stoker(*replay, "--all" if command == "dead replay" else "--queue=mail")
    second = stoker(*replay, "--text", "operator", "--json")
    named = stoker(*replay, "1")
    meant = stoker(*replay, "--reason", "cancelled")

    assert first.stdout == "Put back in line: 1 job.\n"
    assert first.stderr == "Left out: 3 jobs (cancelled); --reason cancelled\n"
    assert json.loads(second.stdout)["changed"] == 0
    assert json.loads(second.stdout)["left_out"] == 3
    assert (named.stdout, named.stderr) == ("Put back in line: 1 job.\n", "")
    assert (meant.stdout, meant.stderr) == ("Put back in line: 2 jobs.\n", "")
    assert shop.states() == {State.WAITING: 4}


def test_a_secret_in_a_failure_or_a_log_is_shown_to_who_asks_only(shop: Shop) -> None:
    id = shop.add(data={"password": "hunter2"})
    shop.do(lambda app: _log(app, id, "trying hunter2"))
    shop.fail(message="ValueError: wrong password hunter2")

    listed, shown = ok("dead", "ls", "--url", URL), ok("dead", "show", id, "--url", URL)
    logged = ok("job", "logs", id, "--url", URL)
    asked = ok("dead", "show", id, "--show-secrets", "--url", URL)

    for text in (listed, shown):
        assert "ValueError: wrong password ***" in text
        assert "hunter2" not in text
    assert logged.endswith("trying ***\n")
    assert "ValueError: wrong password hunter2" in asked
    assert "trying hunter2" in asked
    assert "trying hunter2" in ok("job", "logs", id, "--show-secrets", "--url", URL)


async def _log(app: Stoker, id: str, line: str) -> None:
    await (await app.client.broker()).update("mail", id, Patch(log=(line,)))


def test_of_dead_letters_those_of_one_task_are_replayed_or_only_counted(shop: Shop) -> None:
    shop.add("send")
    shop.fail()
    shop.add("many")
    shop.fail()

    chosen = ("dead", "replay", "--task", "many", "--url", URL)
    assert ok(*chosen, "--dry-run") == "Would be put back in line: 1 job.\n"
    assert shop.states() == {State.FAILED: 2}
    assert ok(*chosen, "--yes") == "Put back in line: 1 job.\n"
    assert shop.states() == {State.FAILED: 1, State.WAITING: 1}


def test_a_dead_letter_that_is_there_is_replayed_and_one_that_is_not_is_named(shop: Shop) -> None:
    id = shop.add()
    shop.fail()

    result = stoker("dead", "replay", id, "99", "--url", URL)

    assert result.exit_code == 1
    assert result.stdout == f"job {id} of mail: put back in line\nPut back in line: 1 job.\n"
    assert result.stderr.startswith("error: there is no job 99 in queue 'mail'\nhint: ")


def test_what_a_dry_run_leaves_out_is_said_as_ever(shop: Shop) -> None:
    id = shop.add()
    ok("job", "cancel", id, "--url", URL)

    result = stoker("dead", "replay", "--all", "--dry-run", "--url", URL)

    assert result.stdout == "Would be put back in line: 0 jobs.\n"
    assert result.stderr == "Left out: 1 job (cancelled); --reason cancelled\n"
