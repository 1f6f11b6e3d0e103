"""``stoker queue``."""

from __future__ import annotations

import pytest

from stoker.job.states import State
from tests.cli.support import URL, Shop, lines, ok, stoker


def test_queues_are_listed_with_their_counts(shop: Shop) -> None:
    shop.add()
    shop.add(delay="1h")
    shop.add("login", "other")
    shop.do(lambda app: app.queue("other").pause())

    assert ok("queue", "ls", "--url", URL).splitlines() == [
        "queue  waiting  delayed  active  completed  failed",
        "mail         1        1       0          0       0",
        "other        1        0       0          0       0  paused",
    ]
    assert lines("queue", "ls", "--url", URL) == [
        {
            "name": "mail",
            "paused": False,
            "counts": {"waiting": 1, "delayed": 1, "active": 0, "completed": 0, "failed": 0},
        },
        {
            "name": "other",
            "paused": True,
            "counts": {"waiting": 1, "delayed": 0, "active": 0, "completed": 0, "failed": 0},
        },
    ]


def test_an_app_adds_the_queues_of_its_tasks(shop: Shop) -> None:
    listed = lines("queue", "ls", "--app", "shop:app")

    assert [queue["name"] for queue in listed] == ["default", "mail", "pictures", "slow"]


def test_a_store_may_have_no_queues_yet(shop: Shop) -> None:
    shop.do(lambda app: app.queues())

    assert ok("queue", "ls", "--url", URL) == "There are no queues yet.\n"
    assert ok("queue", "ls", "--url", URL, "--json") == ""


def test_the_store_is_found_by_the_environment(shop: Shop) -> None:
    shop.add()

    assert "mail" in ok("queue", "ls", env={"STOKER_URL": URL})
    assert "mail" in ok("queue", "ls", env={"STOKER_APP": "shop:app"})
    assert "mail" in ok("queue", "ls", "--url", URL, env={"STOKER_APP": "nowhere"})


def test_queues_are_paused_and_resumed(shop: Shop) -> None:
    shop.add()
    shop.add("x", "other")

    paused = ok("queue", "pause", "mail", "other", "--url", URL)
    resumed = ok("queue", "resume", "mail", "--url", URL)

    assert paused == "mail is paused; jobs waiting: 1\nother is paused; jobs waiting: 1\n"
    assert resumed == "mail is not paused; jobs waiting: 1\n"
    assert [queue["paused"] for queue in lines("queue", "ls", "--url", URL)] == [False, True]
    assert [queue["name"] for queue in lines("queue", "pause", "mail", "--url", URL)] == ["mail"]


def test_clean_deletes_what_is_completed(shop: Shop) -> None:
    for _ in range(3):
        shop.add()
    shop.complete(count=2)
    shop.fail()

    shown = ok("queue", "clean", "mail", "--yes", "--url", URL)

    assert shown == "Deleted: 2 jobs.\n"
    assert shop.states() == {State.FAILED: 1}


def test_clean_leaves_what_is_not_old_enough(shop: Shop) -> None:
    shop.add()
    shop.fail()

    clean = ["queue", "clean", "mail", "--state", "failed,completed", "--yes", "--url", URL]

    assert ok(*clean, "--older-than", "1h") == "Deleted: 0 jobs.\n"
    assert ok(*clean, "--json", "--older-than", "0") == (
        '{"verb":"clean","changed":1,"queues":{"mail":1},"refused":[],"done":[],'
        '"left_out":0,"dry_run":false}\n'
    )


def test_clean_takes_nothing_that_is_not_finished(shop: Shop) -> None:
    shop.add()

    result = stoker("queue", "clean", "mail", "--state", "waiting", "--yes", "--url", URL)

    assert result.exit_code == 2
    assert "A job that is waiting is not finished; see stoker job rm." in result.stderr
    assert shop.states() == {State.WAITING: 1}


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_without_a_terminal_nothing_is_done_unasked(shop: Shop, more: list[str]) -> None:
    shop.add()
    shop.complete()

    result = stoker("queue", "clean", "mail", "--url", URL, *more)

    assert result.exit_code == 1
    assert "not done, for nobody is here to be asked: Delete 1 job of mail for good?" in (
        result.stderr
    )
    assert shop.states() == {State.COMPLETED: 1}
