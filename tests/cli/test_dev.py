"""``stoker dev``: a worker that follows the code."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from stoker.job.states import State
from tests.cli.support import SHOP, Running, Shop, stoker

pytestmark = pytest.mark.system


def test_a_change_starts_the_worker_again(shop: Shop) -> None:
    with Running(shop.folder, "dev", "--name", "first", "shop:app") as dev:
        dev.until(f"dev: watching {shop.folder}")
        dev.until("stoker worker first")
        dev.until("ready")

        (shop.folder / "shop.py").write_text(SHOP.replace('x{copies}"', 'times {copies}"'))
        dev.until("dev: shop.py changed, starting again")
        dev.until("stopped: 0 done")
        dev.until("ready")
        id = shop.add()
        dev.until(f"send {id} of mail: done in")

        dev.signal(signal.SIGINT)
        assert dev.end() == 0

    assert shop.job(id).result == '"ada times 1"'


def test_broken_code_is_waited_out(shop: Shop) -> None:
    with Running(shop.folder, "dev", "shop:app") as dev:
        dev.until("ready")

        (shop.folder / "shop.py").write_text("app = (\n")
        dev.until("SyntaxError: '(' was never closed")
        dev.until("dev: the worker ended with exit code 1; waiting for a change")
        (shop.folder / "shop.py").write_text(SHOP)
        dev.until("ready")

        dev.signal(signal.SIGTERM)
        assert dev.end() == 0


def test_running_jobs_end_before_the_restart(shop: Shop) -> None:
    id = shop.add("crawl", "slow", data={"seconds": 1})

    with Running(shop.folder, "dev", "shop:app") as dev:
        dev.until("crawl begun")
        (shop.folder / "more.py").write_text("x = 1\n")
        dev.until("dev: more.py changed, starting again")
        dev.until(f"crawl {id} of slow: done in")
        dev.until("ready")
        dev.signal(signal.SIGINT)
        dev.end()

    assert shop.job(id, "slow").state is State.COMPLETED


def test_a_second_control_c_is_passed_on(shop: Shop) -> None:
    id = shop.add("crawl", "slow", data={"seconds": 600})

    with Running(shop.folder, "dev", "shop:app", "--grace", "10m") as dev:
        dev.until("crawl begun")
        dev.signal(signal.SIGINT)
        dev.until("waiting up to 10m for 1 running job")
        dev.signal(signal.SIGINT)
        dev.until("again: interrupting what runs")
        assert dev.end() == 0

    assert shop.job(id, "slow").state is State.WAITING


def test_an_option_that_the_worker_does_not_have_ends_it(shop: Shop) -> None:
    with Running(shop.folder, "dev", "shop:app", "--colour") as dev:
        code = dev.end()

    assert code == 2
    assert "No such option: --colour" in dev.shown or "No such option '--colour'" in dev.shown


def test_the_app_can_come_from_the_environment(shop: Shop) -> None:
    with Running(shop.folder, "dev", "-c", "4", env={"STOKER_APP": "shop:app"}) as dev:
        dev.until("at once  4 jobs")
        dev.until("ready")
        dev.signal(signal.SIGINT)
        assert dev.end() == 0


def test_without_watchfiles_it_says_what_to_install(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)

    result = stoker("dev", "shop:app")

    assert result.exit_code == 1
    assert result.stderr == (
        "error: stoker dev needs the package watchfiles, which is not installed\n"
        "hint: pip install 'stoker[dev]', or in a clone of Stoker: pip install '.[dev]'\n"
    )


def test_other_folders_can_be_watched(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> None:
    library: Path = tmp_path_factory.mktemp("library")

    with Running(shop.folder, "dev", "shop:app", "--watch", str(library)) as dev:
        dev.until("ready")
        (library / "tools.py").write_text("x = 1\n")
        dev.until("tools.py changed, starting again")
        dev.until("ready")
        dev.signal(signal.SIGINT)
        assert dev.end() == 0


@pytest.mark.parametrize(
    ("words", "missing"),
    [(["shpo:app", "-c", "4"], "shpo"), (["-c", "4", "shop.jobs"], "shop.jobs")],
)
def test_a_module_that_is_not_there_ends_it(shop: Shop, words: list[str], missing: str) -> None:
    with Running(shop.folder, "dev", *words) as dev:
        assert dev.end() == 1

    assert f"error: there is no module '{missing}'\n" in dev.shown
