"""What the values of options may be, and where else than from the command line they come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
import pytest

from stoker.broker.base import system_clock
from stoker.cli import worker as module
from stoker.cli.options import moment, span
from stoker.config import WorkerSettings
from tests.cli.support import Shop, stoker


@pytest.mark.parametrize(
    ("text", "ms"),
    [("30", 30_000), ("0.5", 500), ("250ms", 250), ("1h30m", 5_400_000), ("7d", 604_800_000)],
)
def test_a_duration_is_read(text: str, ms: int) -> None:
    assert span()(text) == ms


@pytest.mark.parametrize("text", ["", "soon", "-3", "nan", "inf", "3 parsecs"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        span()(text)


def test_a_moment_is_a_duration_ago_or_a_time() -> None:
    local = datetime(2026, 11, 22, 14, 30).astimezone().timestamp() * 1_000
    before = system_clock()

    ago = moment("2h")

    assert before <= ago + 7_200_000 <= system_clock()
    assert moment("2026-11-22T14:30") == local
    assert moment("2026-11-22T14:30Z") == 1_795_357_800_000
    assert moment("2026-11-22T15:30+01:00") == 1_795_357_800_000


@pytest.fixture
def settings(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what makes a worker's settings of arguments and environment, without working."""

    def settings(*arguments: str, **env: str) -> WorkerSettings:
        seen: list[WorkerSettings] = []

        async def work(_app: object, given: WorkerSettings, _journal: object) -> None:
            seen.append(given)

        monkeypatch.setattr(module, "_work", work)
        result = stoker("worker", "shop:app", *arguments, env=env)
        assert result.exit_code == 0, result.output
        return seen[0]

    return settings


def test_a_worker_has_defaults(settings: Any) -> None:
    assert settings() == WorkerSettings()


def test_a_worker_is_set_by_flags(settings: Any) -> None:
    flags = "-q mail,slow -q default -c 32 --processes 3 --burst --grace 1m --lease 45 --name eu-1"

    assert settings(*flags.split()) == WorkerSettings(
        name="eu-1",
        queues=("mail", "slow", "default"),
        concurrency=32,
        processes=3,
        burst=True,
        grace_ms=60_000,
        lease_ms=45_000,
    )


def test_a_worker_is_set_by_the_environment(settings: Any) -> None:
    env = {
        "STOKER_QUEUES": "mail,slow",
        "STOKER_CONCURRENCY": "32",
        "STOKER_PROCESSES": "3",
        "STOKER_BURST": "1",
        "STOKER_GRACE": "1m",
        "STOKER_LEASE": "45s",
        "STOKER_NAME": "eu-1",
    }

    assert settings(**env) == WorkerSettings(
        name="eu-1",
        queues=("mail", "slow"),
        concurrency=32,
        processes=3,
        burst=True,
        grace_ms=60_000,
        lease_ms=45_000,
    )


def test_a_flag_outweighs_the_environment(settings: Any) -> None:
    assert settings("-c", "4", "-q", "mail", STOKER_CONCURRENCY="32", STOKER_QUEUES="slow") == (
        WorkerSettings(concurrency=4, queues=("mail",))
    )


def test_worker_concurrency_is_understood_too(settings: Any) -> None:
    assert settings(WORKER_CONCURRENCY="7").concurrency == 7
    assert settings(WORKER_CONCURRENCY="7", STOKER_CONCURRENCY="8").concurrency == 8
    assert settings(WORKER_CONCURRENCY="").concurrency == 10


def test_a_queue_may_have_spaces_in_its_name(settings: Any) -> None:
    assert settings(STOKER_QUEUES="my mail,slow").queues == ("my mail", "slow")
