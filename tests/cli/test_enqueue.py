"""``stoker enqueue``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stoker.job.model import JobRecord
from stoker.job.states import State
from tests.cli.support import URL, Running, Shop, lines, ok, stoker


def data(job: JobRecord) -> Any:
    return json.loads(job.data)


@pytest.mark.parametrize(
    ("arguments", "stored"),
    [
        (["to=ada", "copies=3"], {"to": "ada", "copies": 3}),
        (["to=a=b"], {"to": "a=b"}),
        (["to="], {"to": ""}),
        (['to="3"'], {"to": "3"}),
        (["--data", '{"to": "ada", "copies": 2}'], {"to": "ada", "copies": 2}),
    ],
)
def test_a_job_is_added_with_its_arguments(
    shop: Shop, arguments: list[str], stored: dict[str, Any]
) -> None:
    assert ok("enqueue", "shop:app", "send", *arguments) == "added job 1 to mail\n"

    assert data(shop.job("1")) == stored


def test_data_is_read_from_standard_input(shop: Shop) -> None:
    result = stoker("enqueue", "shop:app", "send", "--data", "-", input='{"to": "ada"}')

    assert result.exit_code == 0
    assert data(shop.job("1")) == {"to": "ada"}


def test_json_becomes_what_the_task_takes(shop: Shop) -> None:
    ok("enqueue", "shop:app", "remind", "on=2026-12-24")

    assert data(shop.job("1", "default")) == {"on": "2026-12-24"}


def test_a_job_has_the_settings_of_its_task(shop: Shop) -> None:
    ok("enqueue", "shop:app", "send", "to=ada")
    ok("enqueue", "shop:app", "send", "to=ada", "--priority", "1")

    assert [shop.job(id).priority for id in ("1", "2")] == [5, 1]


def test_a_job_has_settings_of_its_own(shop: Shop) -> None:
    command = ["enqueue", "shop:app", "send", "to=ada", "--id", "order-7", "--delay", "1h"]

    assert ok(*command) == "added job order-7 to mail\n"
    assert ok(*command) == "job order-7 of mail was there already; nothing was added\n"
    assert lines(*command) == [{"queue": "mail", "id": "order-7", "duplicate": True}]

    job = shop.job("order-7")
    assert job.state is State.DELAYED
    assert job.due_at == job.created_at + 3_600_000


def test_a_processor_takes_a_payload(shop: Shop) -> None:
    assert ok("enqueue", "shop:app", "Picture", "path=cat.png") == "added job 1 to pictures\n"

    assert data(shop.job("1", "pictures")) == {"path": "cat.png"}


def test_a_processor_takes_jobs_of_any_name_in_its_queue(shop: Shop) -> None:
    ok("enqueue", "shop:app", "resize", "path=cat.png", "--queue", "pictures")

    assert shop.job("1", "pictures").name == "resize"


def test_a_task_can_be_sent_to_another_queue(shop: Shop) -> None:
    result = stoker("enqueue", "shop:app", "send", "to=ada", "--queue", "urgent")

    assert "note: no task of this app belongs to queue urgent" in result.stderr

    assert shop.job("1", "urgent").name == "send"


def test_the_app_can_come_from_elsewhere(shop: Shop) -> None:
    ok("enqueue", "send", "to=ada", env={"STOKER_APP": "shop:app"})
    ok("enqueue", "--app", "shop:app", "send", "to=ada")
    ok("enqueue", "shop:app", "send", "to=ada", env={"STOKER_APP": "nowhere"})

    assert shop.states() == {State.WAITING: 3}


def test_a_job_is_added_without_its_code(shop: Shop) -> None:
    shop.add()

    ok("enqueue", "--url", URL, "digest", "user=7", "--queue", "elsewhere")

    assert data(shop.job("2", "elsewhere")) == {"user": 7}


def test_without_code_the_queue_has_to_be_said(shop: Shop) -> None:
    shop.add()

    result = stoker("enqueue", "--url", URL, "digest")

    assert result.stderr == (
        "error: there is no task 'digest'\nhint: say which queue it is in: --queue NAME\n"
    )


def test_a_task_of_a_queue_is_guessed_at(shop: Shop) -> None:
    result = stoker("enqueue", "shop:app", "sent", "to=ada", "--queue", "mail")

    assert result.exit_code == 1
    assert result.stderr == (
        "error: name='sent': there is no such task in queue 'mail'\nhint: did you mean 'send'?\n"
    )


@pytest.mark.system
def test_the_result_is_waited_for(shop: Shop) -> None:
    wait = ("--wait", "--timeout", "20s")
    with Running(shop.folder, "worker", "shop:app"):
        text = ok("enqueue", "shop:app", "send", "to=ada", *wait)
        [answer] = lines("enqueue", "shop:app", "send", "to=bob", *wait)
        failed = stoker("enqueue", "shop:app", "Picture", "wrong=x", *wait)
        broken = stoker("enqueue", "shop:app", "Picture", "wrong=x", *wait, "--json")

    assert text == 'added job 1 to mail\n"ada x1"\n'
    assert answer == {"queue": "mail", "id": "2", "duplicate": False, "result": "bob x1"}
    assert failed.exit_code == 1
    assert failed.stderr == "error: job 3 of queue 'pictures' failed: KeyError: 'path'\n"
    told = json.loads(broken.stdout)
    assert (broken.exit_code, told["queue"], told["id"]) == (1, "pictures", "4")
    assert (told["failure"]["reason"], told["failure"]["message"]) == ("error", "KeyError: 'path'")
    assert json.loads(broken.stderr)["error"]["type"] == "JobFailed"


def test_waiting_ends_at_its_timeout(shop: Shop) -> None:
    result = stoker("enqueue", "shop:app", "send", "to=ada", "--wait", "--timeout", "10ms")

    assert result.exit_code == 1
    assert result.stderr == (
        "error: job 1 of queue 'mail' did not end in 10ms\n"
        "hint: it goes on, if a worker takes its queue; wait again, or cancel it\n"
    )


def test_where_the_wait_ends_a_machine_has_the_jobs_id(shop: Shop) -> None:
    late = ("--wait", "--timeout", "10ms", "--json")

    result = stoker("enqueue", "shop:app", "send", "to=ada", *late)

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"queue": "mail", "id": "1", "duplicate": False}
    assert json.loads(result.stderr)["error"]["type"] == "JobTimeout"


def test_a_timeout_without_a_wait_is_refused(shop: Shop) -> None:
    result = stoker("enqueue", "shop:app", "send", "to=ada", "--timeout", "1s")

    assert result.exit_code == 2
    assert "Error: --timeout says how long to --wait; a job's own is its task's to say." in (
        result.stderr
    )
    assert not (shop.folder / "jobs.db").exists()
