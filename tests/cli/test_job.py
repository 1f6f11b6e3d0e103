"""``stoker job``."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from stoker.app import Stoker
from stoker.broker.base import Patch
from stoker.broker.sqlite import SQLiteBroker
from stoker.errors import BrokerUnavailable, ConfigError
from stoker.job.model import NewJob, lease_of
from stoker.job.outcome import Released
from stoker.job.states import State
from stoker.queue import Filter, Queue
from tests.cli.support import URL, Shop, lines, ok, stoker


def ids(*arguments: str) -> list[str]:
    return [job["id"] for job in lines("job", "ls", "--url", URL, *arguments)]


def test_jobs_are_listed_by_state(shop: Shop) -> None:
    for name in ("done", "dead", "runs", "waits"):
        shop.add(name)
    shop.add("later", delay="1h")
    shop.complete()
    shop.fail()
    shop.claim()

    shown = [line.rstrip() for line in ok("job", "ls", "--url", URL).splitlines()]

    for pattern, line in zip(
        [
            "id  task   state      when +tries  note",
            r"3   runs   active     for \d+m?s +0  tester",
            "4   waits  waiting    now +0",
            r"5   later  delayed    in (1h|59m) +0",
            "2   dead   failed     now +1  ValueError: no",
            r"1   done   completed  now +1  took \d+m?s",
        ],
        shown,
        strict=True,
    ):
        assert re.fullmatch(pattern, line), line
    assert ids() == ["3", "4", "5", "2", "1"]


def test_jobs_are_filtered(shop: Shop) -> None:
    ada = shop.add(data={"to": "ada"})
    bob = shop.add(data={"to": "bob"})
    other = shop.add("login", "other")
    late = shop.add(delay="1h")

    assert ids("--queue", "mail") == [ada, bob, late]
    assert ids("--queue", "other,mail", "--state", "waiting") == [other, ada, bob]
    assert ids("--name", "login") == [other]
    assert ids("--text", "BOB") == [bob]
    assert ids("--state", "delayed,failed") == [late]
    assert ids("--state", "waiting", "--since", "1h") == [ada, bob, other]
    assert ids("--state", "waiting", "--until", "1h") == []
    assert ids("--state", "delayed", "--since", "2026-01-01") == [late]


def test_a_list_says_that_there_is_more(shop: Shop) -> None:
    for _ in range(3):
        shop.add()

    result = stoker("job", "ls", "--limit", "2", "--url", URL, "--json")

    assert len(result.stdout.splitlines()) == 2
    assert result.stderr == "The first 2; for more: --limit\n"
    assert len(ids("--limit", "3")) == 3


def test_an_empty_list_says_so(shop: Shop) -> None:
    shop.do(lambda app: app.queues())

    assert ok("job", "ls", "--url", URL) == "There are no jobs yet.\n"
    assert ok("job", "ls", "--url", URL, "--state", "failed") == "There are no dead letters.\n"
    assert ok("job", "ls", "--url", URL, "--json") == ""


def test_a_job_is_an_object_with_every_field(shop: Shop) -> None:
    id = shop.add(data={"to": "ada", "big": 2**70, "exact": 0.1}, priority=3, attempts=7)

    [job] = lines("job", "ls", "--url", URL)

    created_at = job.pop("created_at")
    assert created_at == shop.job(id).created_at
    assert job == {
        "queue": "mail",
        "id": id,
        "name": "send",
        "data": {"to": "ada", "big": 2**70, "exact": 0.1},
        "options": {"attempts": 7},
        "state": "waiting",
        "priority": 3,
        "due_at": None,
        "claimed_at": None,
        "finished_at": None,
        "attempts": 0,
        "starts": 0,
        "crashes": 0,
        "worker": None,
        "progress": None,
        "result": None,
        "failure": None,
    }


def test_data_that_is_no_json_does_not_break_the_json(shop: Shop) -> None:
    id = shop.add()
    shop.do(lambda app: _set_data(app, id, "{broken"))

    [job] = lines("job", "ls", "--url", URL)

    assert job["data"] == "{broken"
    assert "(not JSON) {broken" in ok("job", "show", id, "--url", URL)


async def _set_data(app: Stoker, id: str, text: str) -> None:
    assert await (await app.client.broker()).update("mail", id, Patch(data=text))


def test_a_job_is_shown_in_full(shop: Shop) -> None:
    id = shop.add(data={"to": "ada", "token": "tok_1", "from": "redis://u:pw@h/0"}, priority=3)
    shop.claim()
    shop.do(lambda app: _log(app, id))

    shown = ok("job", "show", id, "--url", URL)

    head, *rest = shown.splitlines()
    assert head.startswith(f"send {id}  active for ")
    text = "\n".join(line.rstrip() for line in rest)
    assert re.fullmatch(
        r"""  queue     mail, priority 3
  attempts  0 \(starts 1\)
  added     \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(now\)
  claimed   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(now\) by tester
  data
    {
      "to": "ada",
      "token": "\*\*\*",
      "from": "redis://u:\*\*\*@h/0"
    }
  progress
    0\.5
  log
    \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  one
    \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \ufffd\[31mtwo""",
        text,
    ), text


async def _log(app: Stoker, id: str) -> None:
    patch = Patch(progress="0.5", log=("one", "\x1b[31mtwo"))
    assert await (await app.client.broker()).update("mail", id, patch)


def test_secrets_are_shown_to_who_asks_for_them(shop: Shop) -> None:
    id = shop.add(data={"token": "tok_1"})

    assert '"token": "tok_1"' in ok("job", "show", id, "--show-secrets", "--url", URL)
    assert lines("job", "show", id, "--url", URL)[0]["data"] == {"token": "tok_1"}


def test_the_log_of_a_job_is_shown(shop: Shop) -> None:
    id = shop.add()
    shop.claim()
    shop.do(lambda app: _log(app, id))

    shown = ok("job", "logs", id, "--url", URL)

    assert re.fullmatch(r"\S+ \S+  one\n\S+ \S+  �\[31mtwo\n", shown)
    assert [line["line"] for line in lines("job", "logs", id, "--url", URL)] == [
        "one",
        "\x1b[31mtwo",
    ]


def test_an_id_that_two_queues_have_needs_a_queue(shop: Shop) -> None:
    shop.add(id="x")
    shop.add("login", "other", id="x")

    result = stoker("job", "show", "x", "--url", URL)

    assert result.exit_code == 1
    assert result.stderr == (
        "error: several queues have a job x: mail, other\nhint: say which one: --queue NAME\n"
    )
    assert "login x" in ok("job", "show", "x", "--queue", "other", "--url", URL)


def test_jobs_are_retried_promoted_cancelled_and_removed(shop: Shop) -> None:
    dead, delayed = shop.add(), shop.add(delay="1h")
    shop.fail()

    assert ok("job", "retry", dead, "--url", URL) == "Put back in line: 1 job.\n"
    assert shop.job(dead).state is State.WAITING
    assert ok("job", "promote", delayed, "--url", URL) == "Put in line: 1 job.\n"
    assert shop.job(delayed).state is State.WAITING
    assert ok("job", "cancel", dead, delayed, "--url", URL) == (
        f"job {dead} of mail: cancelled\njob {delayed} of mail: cancelled\nCancelled: 2 jobs.\n"
    )
    assert shop.states() == {State.FAILED: 2}
    assert "cancelled by an operator" in (shop.job(dead).failure or "")
    assert ok("job", "rm", dead, dead, "--url", URL) == "Deleted: 1 job.\n"
    assert shop.states() == {State.FAILED: 1}


@pytest.mark.parametrize(
    ("verb", "refusal"),
    [
        ("retry", "is not finished"),
        ("promote", "is not delayed"),
        ("rm", "is running; --force deletes it all the same"),
    ],
)
def test_a_job_in_the_wrong_state_is_left_alone(shop: Shop, verb: str, refusal: str) -> None:
    id = shop.add()
    shop.claim()

    result = stoker("job", verb, id, "--url", URL)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: job {id} of mail is active: it {refusal}\n"
    assert shop.job(id).state is State.ACTIVE


def test_a_completed_job_is_run_again_only_if_that_is_said(shop: Shop) -> None:
    id = shop.add()
    shop.complete()

    result = stoker("job", "retry", id, "--url", URL)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: job {id} of mail is completed: "
        "it has done its work; --state completed runs it once more\n"
    )
    assert shop.job(id).state is State.COMPLETED
    assert ok("job", "retry", id, "--state", "completed", "--url", URL).startswith("Put back")
    assert shop.job(id).state is State.WAITING


def test_a_named_job_that_is_to_be_retried_later_is_retried_now(shop: Shop) -> None:
    named, other = shop.add(delay="1h"), shop.add(delay="1h")

    assert ok("job", "retry", named, "--url", URL) == "Put back in line: 1 job.\n"
    assert ok("job", "retry", "--all", "--yes", "--url", URL) == "Put back in line: 0 jobs.\n"

    assert (shop.job(named).state, shop.job(other).state) == (State.WAITING, State.DELAYED)


def test_a_named_job_in_another_state_than_said_is_left_alone(shop: Shop) -> None:
    id = shop.add()

    result = stoker("job", "rm", id, "--state", "failed,delayed", "--url", URL)

    assert result.exit_code == 1
    assert result.stderr == (
        f"error: job {id} of mail is waiting: it is left alone, for --state says failed,delayed\n"
    )
    assert shop.job(id).state is State.WAITING


def test_of_several_those_that_can_are_changed(shop: Shop) -> None:
    waiting, delayed = shop.add(), shop.add(delay="1h")

    result = stoker("job", "promote", waiting, delayed, "--url", URL, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "verb": "promote",
        "changed": 1,
        "queues": {"mail": 1},
        "refused": [
            {
                "queue": "mail",
                "id": waiting,
                "state": "waiting",
                "reason": "it is not delayed",
                "hint": None,
            }
        ],
        "done": [{"queue": "mail", "id": delayed}],
        "left_out": 0,
        "dry_run": False,
    }


@pytest.mark.parametrize(
    ("verb", "done"),
    [
        ("retry", "put back in line"),
        ("promote", "put in line"),
        ("cancel", "cancelled"),
        ("rm", "deleted"),
    ],
)
def test_of_several_each_ones_fate_is_said(shop: Shop, verb: str, done: str) -> None:
    first, second = shop.add(delay="1h"), shop.add(delay="1h")

    result = stoker("job", verb, first, "nope", second, "--url", URL)

    assert result.exit_code == 1
    assert result.stdout == (
        f"job {first} of mail: {done}\njob {second} of mail: {done}\n{done.capitalize()}: 2 jobs.\n"
    )
    assert result.stderr == (
        "error: there is no job nope in queue 'mail'\n"
        "hint: it was removed, or its retention has passed; stoker job ls shows what there is\n"
    )
    assert State.DELAYED not in shop.states()


def test_machines_hear_of_an_unknown_id_among_the_refused(shop: Shop) -> None:
    id = shop.add()

    result = stoker("job", "cancel", id, "nope", "--url", URL, "--json")

    assert (result.exit_code, result.stderr) == (1, "")
    told = json.loads(result.stdout)
    assert told["done"] == [{"queue": "mail", "id": id}]
    assert told["refused"] == [
        {
            "queue": None,
            "id": "nope",
            "state": None,
            "reason": "there is no job nope in queue 'mail'",
            "hint": "it was removed, or its retention has passed; "
            "stoker job ls shows what there is",
        }
    ]


def test_an_id_that_several_queues_have_is_refused_and_the_others_go_on(shop: Shop) -> None:
    shop.add("send", "mail", id="twin")
    shop.add("login", "other", id="twin")
    id = shop.add()

    result = stoker("job", "cancel", "twin", id, "--url", URL)

    assert result.exit_code == 1
    assert result.stdout == f"job {id} of mail: cancelled\nCancelled: 1 job.\n"
    assert result.stderr.startswith("error: several queues have a job twin: ")
    assert result.stderr.endswith("\nhint: say which one: --queue NAME\n")


def test_an_error_midway_does_not_hide_what_was_done(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = shop.add(), shop.add(), shop.add()
    cancel = Queue.cancel

    async def fails(queue: Queue, which: Any, *rest: Any) -> int:
        if second in which:
            raise BrokerUnavailable("the server is away", hint="start it")
        return await cancel(queue, which, *rest)

    monkeypatch.setattr(Queue, "cancel", fails)
    result = stoker("job", "cancel", first, second, third, "--url", URL)

    assert result.exit_code == 1
    assert result.stdout == (
        f"job {first} of mail: cancelled\njob {third} of mail: cancelled\nCancelled: 2 jobs.\n"
    )
    assert result.stderr == (
        f"error: job {second} of mail is waiting: the server is away\nhint: start it\n"
    )


def test_an_error_that_is_not_about_an_id_ends_the_command(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = shop.add()

    async def refuses(*_: Any) -> None:
        raise ConfigError("this user may not read", hint="grant it")

    monkeypatch.setattr(SQLiteBroker, "detail", refuses)
    result = stoker("job", "cancel", id, "--url", URL, "--json")

    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads(result.stderr) == {
        "error": {"type": "ConfigError", "message": "this user may not read", "hint": "grant it"}
    }


@pytest.mark.parametrize(
    ("gone", "state", "said"),
    [
        (False, "failed", "job 1 of mail is failed: its state changed meanwhile, from delayed"),
        (True, None, "job 1 of mail was removed meanwhile"),
    ],
    ids=["changed", "gone"],
)
@pytest.mark.parametrize("as_json", [False, True], ids=["people", "machines"])
def test_who_comes_too_late_is_told_the_state_there_is_now(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    gone: bool,
    state: str | None,
    said: str,
    as_json: bool,
) -> None:
    id = shop.add(delay="1h")

    async def too_late(queue: Queue, which: Any, **_: Any) -> int:
        await (queue.remove(which) if gone else queue.cancel(which))
        return 0

    monkeypatch.setattr(Queue, "requeue", too_late)
    result = stoker("job", "promote", id, "--url", URL, *(["--json"] if as_json else []))

    assert result.exit_code == 1
    if as_json:
        [refused] = json.loads(result.stdout)["refused"]
        assert refused["state"] == state
        assert said.endswith(refused["reason"])
    else:
        assert result.stderr == f"error: {said}\n"


@pytest.mark.parametrize("verb", ["retry", "promote", "cancel", "rm"])
def test_a_dry_run_says_what_would_be_done_and_does_nothing(shop: Shop, verb: str) -> None:
    ids = [shop.add(delay="1h"), shop.add(delay="1h")]

    named = ok("job", verb, *ids, "--dry-run", "--url", URL)

    assert named.splitlines()[0].startswith(f"job {ids[0]} of mail: would be ")
    assert named.splitlines()[2].startswith("Would be ")
    assert named.splitlines()[2].endswith(": 2 jobs.")
    assert shop.states() == {State.DELAYED: 2}


def test_a_dry_run_by_filters_counts_and_does_not_ask(shop: Shop) -> None:
    shop.add("send", delay="1h")
    shop.add("send", "other")
    shop.add("login", "other")

    shown = ok("job", "cancel", "--task", "send", "--dry-run", "--url", URL)
    [told] = lines("job", "cancel", "--task", "send", "--dry-run", "--url", URL)

    assert shown == "Would be cancelled: 2 jobs.\n"
    assert told == {
        "verb": "cancel",
        "changed": 2,
        "queues": {"mail": 1, "other": 1},
        "refused": [],
        "done": [],
        "left_out": 0,
        "dry_run": True,
    }
    assert State.FAILED not in shop.states()


def test_a_running_job_is_removed_by_force(shop: Shop) -> None:
    id = shop.add()
    shop.claim()

    assert ok("job", "rm", id, "--force", "--url", URL) == "Deleted: 1 job.\n"
    assert shop.states() == {}


def test_many_jobs_are_changed_by_filter(shop: Shop) -> None:
    kept = shop.add()
    shop.do(_fill)
    shop.add("login", "other")

    shown = ok("job", "cancel", "--queue", "mail", "--name", "many", "--yes", "--url", URL)

    assert shown == "Cancelled: 1,200 jobs.\n"
    assert shop.states() == {State.WAITING: 1, State.FAILED: 1_200}
    assert shop.job(kept).state is State.WAITING
    assert shop.states("other") == {State.WAITING: 1}


async def _fill(app: Stoker) -> None:
    broker = await app.client.broker()
    for _ in range(3):
        await broker.add([NewJob("mail", "many")] * 400)


def test_all_is_all_of_every_queue(shop: Shop) -> None:
    shop.add()
    shop.add("login", "other", delay="1h")

    shown = lines("job", "cancel", "--all", "--yes", "--url", URL)

    assert shown == [
        {
            "verb": "cancel",
            "changed": 2,
            "queues": {"mail": 1, "other": 1},
            "refused": [],
            "done": [],
            "left_out": 0,
            "dry_run": False,
        }
    ]


def test_nothing_to_change_is_no_error(shop: Shop) -> None:
    shop.add()

    assert ok("job", "retry", "--all", "--url", URL) == "Put back in line: 0 jobs.\n"


def test_all_takes_all_but_what_runs(shop: Shop) -> None:
    shop.add()
    shop.claim()
    shop.add()
    shop.add(delay="1h")
    shop.add("remind", "default")
    shop.fail("default")

    assert ok("job", "rm", "--all", "--yes", "--url", URL) == "Deleted: 3 jobs.\n"

    assert (shop.states(), shop.states("default")) == ({State.ACTIVE: 1}, {})
    assert ok("job", "rm", "--all", "--force", "--yes", "--url", URL) == "Deleted: 1 job.\n"


def test_in_a_pipe_lines_end_with_their_words_and_numbers_are_short(shop: Shop) -> None:
    id = shop.add()
    shop.claim()
    shop.do(lambda app: _half_done(app, id))

    shown = ok("job", "ls", "--url", URL)

    assert "tester, progress 0.167\n" in shown
    assert all(line == line.rstrip() for line in shown.splitlines())


async def _half_done(app: Stoker, id: str) -> None:
    assert await (await app.client.broker()).update("mail", id, Patch(progress=str(1 / 6)))


def test_a_job_that_crashed_says_how_crashes_are_counted(shop: Shop) -> None:
    id = shop.add()
    assert "crashes" not in ok("job", "show", id, "--url", URL)
    shop.claim()
    shop.do(_crash)

    shown = " ".join(ok("job", "show", id, "--url", URL, env={"COLUMNS": "500"}).split())

    assert "attempts 0 (starts 1) crashes 1: its process died while it ran" in shown
    assert "That costs no attempt; a job may crash as often as its worker's --max-stalls" in shown


async def _crash(app: Stoker) -> None:
    broker = await app.client.broker()
    [job] = (await app.queue("mail").find(Filter(state=State.ACTIVE))).jobs
    await broker.finish([Released(lease_of(job), crashed=True)])
