"""``stoker check``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stoker import Backoff, Stoker
from stoker.cli import check
from stoker.config import BrokerURL
from tests.cli.support import Running, Shop, ok, stoker

BAD = """
from stoker import Backoff, Keep, Processor, Stoker

app = Stoker("sqlite:///nowhere/jobs.db")


@app.task(run_in="process", attempts=1, timeout=None, keep_completed=False)
def shrink(path: str) -> None: ...


@app.task(run_in="process", backoff=Backoff.fixed("10s"), keep_failed=Keep(count=50))
def grow(path: str) -> None: ...


def hidden(path: str) -> None: ...


app.task(run_in="process", keep_failed=True)(hidden)
shrink = 3
"""


def test_an_app_that_is_well(shop: Shop) -> None:
    shown = ok("check", "shop:app").splitlines()

    assert [line.rstrip() for line in shown] == [
        "task     queue     runs in  tries  backoff      timeout  keeps  dead",
        "send     mail      loop     3      500ms to 2s  10m      7d     90d",
        "remind   default   thread   3      500ms to 2s  10m      7d     90d",
        "bounce   mail      loop     2      30m to 1h    10m      7d     90d",
        "crawl    slow      loop     3      500ms to 2s  10m      7d     90d",
        "Picture  pictures  thread   1      none         10m      7d     90d",
        "",
        "broker: sqlite:///jobs.db",
        "  an acknowledged job survives a crash and a power cut (WAL, synchronous=FULL)",
        "",
        "All is well.",
    ]


def test_every_problem_is_listed(folder: Path) -> None:
    (folder / "bad.py").write_text(BAD, encoding="utf-8")

    result = stoker("check", "bad:app")

    assert result.exit_code == 1
    assert [line.rstrip() for line in result.stdout.splitlines()] == [
        "task    queue    runs in  tries  backoff      timeout  keeps  dead",
        "shrink  default  process  1      none         none     none   90d",
        "grow    default  process  3      10s          10m      7d     last 50",
        "hidden  default  process  3      500ms to 2s  10m      7d     all",
        "",
        "broker: sqlite:///nowhere/jobs.db",
        "",
        "3 problems:",
        "- shrink: bad.shrink is something else there: is another decorator above @app.task?",
        "  hint: a child process finds a task by its module and name",
        "- hidden: bad.hidden is something else there: is another decorator above @app.task?",
        "  hint: a child process finds a task by its module and name",
        "- broker sqlite:///nowhere/jobs.db: "
        f"the folder of {folder}/nowhere/jobs.db does not exist",
        f"  hint: create it: mkdir -p {folder}/nowhere",
    ]


def test_a_machine_reads_the_same(folder: Path) -> None:
    (folder / "bad.py").write_text(BAD, encoding="utf-8")

    result = stoker("check", "bad:app", "--json")

    found = json.loads(result.stdout)
    assert (result.exit_code, found["ok"], found["broker"]) == (
        1,
        False,
        "sqlite:///nowhere/jobs.db",
    )
    assert found["durability"] is None  # nobody knows what would be there
    assert found["tasks"][0]["policy"]["backoff"]["kind"] == "exponential"
    assert [problem["where"] for problem in found["problems"]] == [
        "shrink", "hidden", "broker sqlite:///nowhere/jobs.db"
    ]  # fmt: skip
    assert found["tasks"][1] == {
        "name": "grow",
        "queue": "default",
        "run_in": "process",
        "concurrency": None,
        "origin": "bad:grow",
        "policy": {
            "attempts": 3,
            "backoff": {"kind": "fixed", "delay_ms": 10_000, "max_ms": 10_000, "jitter": 0.0},
            "timeout_ms": 600_000,
            "keep_completed": {"count": 100_000, "age_ms": 604_800_000, "limit": None},
            "keep_failed": {"count": 50, "age_ms": None, "limit": None},
            "max_stalls": 3,
        },
    }


def test_an_app_that_cannot_be_loaded_is_a_problem(folder: Path) -> None:
    result = stoker("check", "nowhere:app")

    assert result.exit_code == 1
    assert "1 problem:\n- nowhere:app: there is no module 'nowhere'\n  hint: " in result.stdout


def test_what_looks_like_a_picture_or_a_colour_is_shown_as_it_is(folder: Path) -> None:
    result = stoker("check", "em:a:b")
    (folder / "odd.py").write_text(
        'from stoker import Stoker\napp = Stoker("sqlite:///:b:/[red].db")\n'
        '@app.task(name="smile", queue="[red]x")\ndef f() -> None: ...\n'
    )
    odd = stoker("check", "odd")

    assert "- em:a:b: there is no module 'em'\n" in result.stdout
    assert "\nsmile  [red]x  " in odd.stdout
    assert "broker: sqlite:///:b:/[red].db\n" in odd.stdout
    assert f"  hint: create it: mkdir -p {folder}/:b:\n" in odd.stdout


def test_an_app_without_tasks_is_a_problem(folder: Path) -> None:
    (folder / "empty.py").write_text("from stoker import Stoker\napp = Stoker()\n")

    result = stoker("check", "empty")

    assert result.exit_code == 1
    assert "- tasks: this app has no tasks\n  hint: put @app.task above a function" in result.stdout


def test_a_module_that_only_this_process_can_import_is_a_problem(folder: Path) -> None:
    """Its import depends on something that a fresh process does not have."""
    (folder / "once.py").write_text(
        "import os\nfrom stoker import Stoker\nfrom pathlib import Path\n"
        "assert not Path('seen').exists(), 'seen before'\nPath('seen').touch()\n"
        'app = Stoker("sqlite:///jobs.db")\n'
        '@app.task(run_in="process")\ndef f() -> None: ...\n'
    )

    result = stoker("check", "once")

    assert result.exit_code == 1
    assert "- f: once.f cannot be imported there: AssertionError: seen before\n" in result.stdout


def test_a_full_disk_is_a_problem(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "LEAST_FREE", 2**63)

    result = stoker("check", "shop:app")

    assert result.exit_code == 1
    assert " MiB are free on its disk\n  hint: make room\n" in result.stdout


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///jobs.db", "survives a crash and a power cut"),
        ("sqlite://:memory:", "nothing survives the end of the process"),
        ("redis://host/0", "as safe as the server's settings"),
    ],
)
def test_durability_is_stated(url: str, words: str) -> None:
    assert words in check.durability(BrokerURL.parse(url))


MIXED = """
from stoker import Stoker

app = Stoker("sqlite:///jobs.db")


@app.task(run_in="process")
def crunch() -> None: ...


@app.task
async def quick() -> None: ...


@app.task(queue="alone", run_in="process")
def alone() -> None: ...
"""
ADVICE = (
    "in queue default, tasks that run in child processes hold up the others: "
    "give them a queue of their own, @app.task(queue=…) (here: crunch)"
)


def test_tasks_that_had_better_not_share_a_queue_are_no_problem_but_advice(folder: Path) -> None:
    (folder / "mixed.py").write_text(MIXED, encoding="utf-8")

    assert f"\nadvice: {ADVICE}\n\nAll is well.\n" in ok("check", "mixed:app")
    assert json.loads(ok("check", "mixed:app", "--json"))["advice"] == [ADVICE]


@pytest.mark.parametrize(("processes", "told"), [("1", True), ("10", False)])
def test_a_worker_says_so_where_its_children_are_few(
    folder: Path, processes: str, told: bool
) -> None:
    (folder / "mixed.py").write_text(MIXED, encoding="utf-8")

    options = ["--burst", "-c", "4", "--processes", processes]
    with Running(folder, "worker", "mixed:app", *options) as worker:
        assert worker.end() == 0

    assert (f"WARNING {ADVICE}" in worker.shown) is told


@pytest.mark.parametrize(
    ("backoff", "attempts", "shown"),
    [
        (Backoff(), 2, "500ms to 1s"),
        (Backoff(), 100, "500ms to 1h"),
        (Backoff.exponential("2s", max="10m", jitter=0), 4, "2s to 8s"),
        (Backoff.fixed("1m"), 5, "1m"),
        (Backoff.fixed("1m", jitter=0.5), 5, "30s to 1m"),
        (Backoff(), 1, "none"),
        (Backoff("night"), 3, "as night says"),
    ],
)
def test_the_waits_between_attempts_are_those_that_can_happen(
    backoff: Backoff, attempts: int, shown: str
) -> None:
    app = Stoker("sqlite:///:memory:")
    task = app.task(backoff=backoff, attempts=attempts)(_nothing)

    assert check.policy_row(task.handler)["backoff"] == shown


async def _nothing() -> None:
    pass
