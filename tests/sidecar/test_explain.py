"""What ``explain`` and ``plan`` say to a person."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stoker.cli.sightings import show_decisions
from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from tests.cli.support import stoker
from tests.sidecar.projects_expected import NAMES, PROJECTS

# What a decision on a start may say: who starts it, or what it was worked out from.
STARTED = re.compile(
    r"\S+ starts it like this"
    r"|\S+ tells people to start it like this"
    r"|no file says how it is started"
    r"(; \S+ (makes a |names |has |asks for |declares |is what serves).*?( \(\d+% sure\))?)?"
)


@pytest.mark.parametrize("name", NAMES)
def test_why_something_starts_is_a_sentence_in_every_project(name: str) -> None:
    plan = make_plan(detect(PROJECTS / name), name)

    starts = [each.why for each in plan.decisions if re.match(r"\w+ \(\w+\): ", each.what)]
    assert len(starts) == len(plan.services)
    assert [why for why in starts if not STARTED.fullmatch(why)] == []


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "asynq-cmd",
            "worker (asynq): go run ./cmd/worker\n"
            "  why: no file says how it is started; cmd/worker/main.go makes a worker (60% sure)\n",
        ),
        (
            "bullmq-embedded",
            "no container for BullMQ: it works inside the app\n"
            "  why: workers are made inside of the program that also serves; one more in a "
            "container would take jobs from the same queues, so that more of them would run at "
            "once than the app says\n",
        ),
        (
            "stoker-app",
            "broker: sqlite\n"
            "  why: the jobs are in one file, on a volume that all share who add or run jobs: "
            "containers of one host, on its own disk and no network file system; for several hosts "
            "it takes Redis; its address is read from STOKER_URL\n",
        ),
        (
            "celery-compose",
            "scheduler, with --schedule /tmp/celerybeat-schedule\n"
            "  why: beat notes when it last ran each task in a file of its working directory, "
            "and in a container only /tmp is sure to be writable\n",
        ),
        ("dramatiq-rabbit", "  why: README.md tells people to start it like this\n"),
        ("web-only", "no containers\n  why: nothing was seen that takes jobs in a process"),
        ("broken", "note: package.json:3: not readable as JSON: "),
    ],
)
def test_explain_reads_as_sentences(
    capsys: pytest.CaptureFixture[str], name: str, lines: str
) -> None:
    show_decisions(make_plan(detect(PROJECTS / name), name))

    captured = capsys.readouterr()
    assert lines in captured.out + captured.err


def test_explain_shows_a_line_once() -> None:
    result = stoker("sidecar", "explain", str(PROJECTS / "celery-compose"))

    broker = result.stdout.partition("broker: redis")[2].splitlines()
    assert broker.count("  compose.yaml:2  redis:7") == 1


def test_plan_shows_the_stores_in_a_table_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text("from stoker import Stoker\n\napp = Stoker()\n")

    result = stoker("sidecar", "plan", str(tmp_path))

    services, stores = result.stdout.split("\n\n")
    assert [line.split()[:2] for line in services.splitlines()] == [
        ["service", "role"], ["worker", "worker"],
    ]  # fmt: skip
    assert [" ".join(line.split()) for line in stores.splitlines()] == [
        "store kind from variables",
        "jobs sqlite a file, on a volume that all share STOKER_URL",
    ]


def test_plan_shows_where_a_store_is_that_nobody_starts() -> None:
    result = stoker("sidecar", "plan", str(PROJECTS / "rq-managed-redis"))

    shown = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "redis redis elsewhere: queue.example.net" in " / ".join(shown)
