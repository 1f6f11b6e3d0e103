"""``stoker worker``, as a process: what it says, and how it ends."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from stoker.cli.starting import Stopping
from stoker.job.states import State
from tests.cli.support import Running, Shop, ok

pytestmark = pytest.mark.system


def test_it_introduces_itself_and_sums_up(shop: Shop) -> None:
    shop.add()
    shop.add("bounce")
    shop.add(delay="1h")
    shop.add("Picture", "pictures", data={"wrong": "x"})

    with Running(shop.folder, "worker", "shop:app", "--burst", "--name", "eu-1") as worker:
        code = worker.end()

    assert code == 0
    head = worker.output[:6]
    assert [line.rstrip() for line in head] == [
        "stoker worker eu-1 (burst)",
        "  broker   sqlite:///jobs.db",
        "  queues   mail, default, slow, pictures",
        "  tasks    send (loop), remind (thread), bounce (loop), crawl (loop), Picture",
        "           (thread)",
        "  at once  10 jobs",
    ]
    rest = [re.sub(r"^\S+ \S+ ", "", line).rstrip() for line in worker.output[7:]]
    assert rest[0] == "INFO    ready"
    assert sorted(rest[1:-2]) == [
        "WARNING Picture 4 of pictures: is a dead letter: KeyError: 'path'",
        "WARNING bounce 2 of mail: failed attempt 1, to be retried: "
        "ConnectionError: ada is not reachable second line",
    ]
    assert re.fullmatch(r"INFO    stopped: 1 done, 1 failed, 1 retried in \d+m?s", rest[-2])
    assert rest[-1] == "INFO    nothing is left to do now; jobs that are delayed: 2"


@pytest.mark.parametrize("options", [["--burst"], []], ids=["burst", "waiting"])
def test_a_paused_queue_is_told_of(shop: Shop, options: list[str]) -> None:
    shop.add()
    shop.do(lambda app: app.queue("mail").pause())

    with Running(shop.folder, "worker", "shop:app", *options) as worker:
        worker.until(
            "WARNING queue mail is paused; jobs waiting in it: 1 "
            "(stoker queue resume mail lets them run)"
        )
        worker.signal(signal.SIGTERM)
        worker.end()

    assert shop.states() == {State.WAITING: 1}
    assert worker.shown.count("is paused") == 1


def test_it_says_which_variable_its_url_is_from(shop: Shop) -> None:
    text = (shop.folder / "shop.py").read_text("utf-8").replace('"sqlite:///jobs.db"', "")
    (shop.folder / "shop.py").write_text(text, encoding="utf-8")

    env = {"STOKER_URL": "sqlite:///jobs.db"}
    with Running(shop.folder, "worker", "shop:app", "--burst", env=env) as worker:
        worker.end()

    assert worker.output[1] == "  broker   sqlite:///jobs.db (from STOKER_URL)\n"


def test_a_password_is_not_shown(shop: Shop) -> None:
    (shop.folder / "shop.py").write_text(
        "from stoker import Stoker\n"
        "from stoker.config import BrokerURL\n"
        'app = Stoker("sqlite:///jobs.db")\n'
        'app.client.url = BrokerURL("sqlite://me:hush@host/jobs.db", "sqlite", "jobs.db")\n'
        "app.client._make = None\n"
        "@app.task\nasync def f() -> None: ...\n"
    )  # no broker with passwords exists yet: an URL with one, on a store that needs none

    with Running(shop.folder, "worker", "shop:app", "--burst") as worker:
        worker.end()

    assert "me:***@host" in worker.shown
    assert "hush" not in worker.shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_lets_running_jobs_end(shop: Shop, number: signal.Signals) -> None:
    id = shop.add("crawl", "slow", data={"seconds": 1})

    with Running(shop.folder, "worker", "shop:app") as worker:
        worker.until("crawl begun")
        worker.signal(number)
        worker.until(f"{number.name}: claiming no more")
        worker.until("waiting up to 30s for 1 running job; one more SIGTERM or Ctrl-C hands it")
        late = shop.add()
        code = worker.end()

    assert code == 0
    assert shop.job(id, "slow").state is State.COMPLETED
    assert shop.job(late).state is State.WAITING
    assert "stopped: 1 done, 0 failed, 0 retried in " in worker.output[-1]


def test_a_second_signal_hands_them_back_now(shop: Shop) -> None:
    id = shop.add("crawl", "slow", data={"seconds": 600})

    with Running(shop.folder, "worker", "shop:app") as worker:
        worker.until("crawl begun")
        worker.signal(signal.SIGTERM)
        worker.until("SIGTERM: claiming no more")
        worker.signal(signal.SIGINT)
        worker.until("SIGINT again: interrupting what runs")
        code = worker.end()

    assert code == 0
    job = shop.job(id, "slow")
    assert (job.state, job.attempts) == (State.WAITING, 0)
    assert "0 retried, 1 handed back in " in worker.output[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_while_it_waits_for_its_server_ends_it_well(
    folder: Path, number: signal.Signals
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        url = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        (folder / "away.py").write_text(
            f"from stoker import Stoker\napp = Stoker({url!r})\n@app.task\ndef go() -> None: ...\n"
        )

        with Running(folder, "worker", "away:app") as worker:
            worker.until("WARNING waiting for the server: ")
            worker.signal(number)
            code = worker.end()

    assert code == 0
    assert f"{number.name}: stopped before any job was taken" in worker.output[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("turns", [0, 1, 2])
def test_a_signal_in_the_last_turns_of_the_start_is_not_lost(
    shop: Shop, number: signal.Signals, turns: int
) -> None:
    id = shop.add("crawl", "slow", data={"seconds": 0})
    with (shop.folder / "shop.py").open("a") as file:
        file.write(
            "import os\n"
            "make = app.worker\n"
            "async def worker(settings):\n"
            "    made = await make(settings)\n"
            f"    os.kill(os.getpid(), {number:d})\n"
            f"    for _ in range({turns}): await asyncio.sleep(0)\n"
            "    return made\n"
            "app.worker = worker\n"
        )

    with Running(shop.folder, "worker", "shop:app", "--burst") as worker:
        code = worker.end()

    assert code == 0
    assert f"{number.name}: " in worker.shown
    assert "crawl begun" not in worker.shown
    assert shop.job(id, "slow").state is State.WAITING


async def test_a_stop_that_finds_nothing_to_cancel_is_remembered() -> None:
    stopping = Stopping()

    async def start() -> Any:
        stopping.tell("SIGTERM")  # from its last step: it is cancelled too late
        return object()

    assert await stopping.unless_stopped(start()) is None


def test_what_was_snoozed_handed_back_and_crashed_is_counted_apart(folder: Path) -> None:
    (folder / "mixed.py").write_text(
        "import asyncio, os\nfrom stoker import Snooze, Stoker\n"
        'app = Stoker("sqlite:///jobs.db")\n'
        "@app.task\nasync def later(): return Snooze('1h')\n"
        "@app.task\nasync def long():\n"
        "    print('long begun', flush=True)\n    await asyncio.sleep(600)\n"
        '@app.task(attempts=1, run_in="process")\n'
        "def die() -> None:\n"
        "    first = not os.path.exists('died')\n    open('died', 'w').close()\n"
        "    if first: os._exit(7)\n"
    )
    for task in ("later", "die"):
        ok("enqueue", "mixed:app", task)

    with Running(folder, "worker", "mixed:app", "-v") as worker:
        worker.until("die 2 of default: done in")
        ok("enqueue", "mixed:app", "long")
        worker.until("long begun")
        worker.signal(signal.SIGTERM)
        worker.until("claiming no more")
        worker.signal(signal.SIGTERM)
        worker.end()

    counted = "1 done, 0 failed, 0 retried, 1 snoozed, 1 crashed and put back, 1 handed back"
    assert f"stopped: {counted} in " in worker.output[-1]


def test_when_the_grace_is_over_they_are_handed_back(shop: Shop) -> None:
    id = shop.add("crawl", "slow", data={"seconds": 600})

    with Running(shop.folder, "worker", "shop:app", "--grace", "100ms") as worker:
        worker.until("crawl begun")
        worker.signal(signal.SIGTERM)
        code = worker.end()

    assert code == 0
    assert shop.job(id, "slow").state is State.WAITING


def test_a_cancelled_job_is_noticed(shop: Shop) -> None:
    id = shop.add("crawl", "slow", data={"seconds": 600})

    with Running(shop.folder, "worker", "shop:app") as worker:
        worker.until("crawl begun")
        assert shop.do(lambda app: app.queue("slow").job(id).cancel())
        worker.until(f"INFO    crawl {id} of slow: cancelled while it ran; interrupting it")
        worker.signal(signal.SIGTERM)
        assert worker.end() == 0
    assert "WARNING" not in worker.shown


def test_the_jobs_of_a_dead_worker_are_recovered(shop: Shop) -> None:
    id = shop.add("crawl", "slow", data={"seconds": 1})
    with Running(shop.folder, "worker", "shop:app", "--lease", "1s") as worker:
        worker.until("crawl begun")
        worker.signal(signal.SIGKILL)
        worker.end()

    with Running(shop.folder, "worker", "shop:app", "--lease", "1s") as worker:
        # In any order: one thread recovers and says so, another claims and runs.
        worker.shows(f"recovered from a worker that died: job {id}", "crawl begun")
        worker.signal(signal.SIGTERM)
        worker.end()

    job = shop.job(id, "slow")
    assert (job.state, job.crashes) == (State.COMPLETED, 1)


def test_max_stalls_says_how_often_a_job_may_take_its_process_down(folder: Path) -> None:
    (folder / "deadly.py").write_text(
        "import os\nfrom stoker import Stoker\n"
        'app = Stoker("sqlite:///jobs.db")\n'
        '@app.task(attempts=1, run_in="process")\ndef die() -> None: os._exit(7)\n'
    )
    ok("enqueue", "deadly:app", "die")

    with Running(folder, "worker", "deadly:app", "--burst", "--max-stalls", "0") as worker:
        worker.end()

    assert "die 1 of default: is a dead letter: " in worker.shown
    assert "it was running once when its process died" in worker.shown


@pytest.mark.parametrize("first", ["", "    await asyncio.sleep(0.01)\n"], ids=["at once", "later"])
def test_who_blocks_the_loop_is_named(folder: Path, first: str) -> None:
    (folder / "rude.py").write_text(
        "import asyncio, time\nfrom stoker import Stoker\n"
        'app = Stoker("sqlite:///jobs.db")\n'
        "@app.task\nasync def polite(): await asyncio.sleep(600)\n"
        f"@app.task\nasync def hog():\n{first}    time.sleep(3)\n"
    )
    ok("enqueue", "rude:app", "polite")
    ok("enqueue", "rude:app", "hog")

    with Running(folder, "worker", "rude:app") as worker:
        worker.until(": hog 2 of default blocks it")


def test_verbose_tells_of_every_job(shop: Shop) -> None:
    id = shop.add()
    shop.add("bounce")

    with Running(shop.folder, "worker", "shop:app", "--burst", "-v") as worker:
        worker.end()

    assert re.search(rf"INFO    send {id} of mail: done in \d+ms\n", worker.shown)
    assert "Traceback (most recent call last):" in worker.shown
    assert 'raise ConnectionError(f"{to} is not reachable\\nsecond line")' in worker.shown


def test_an_app_may_log_in_its_own_way(shop: Shop) -> None:
    with (shop.folder / "shop.py").open("a") as file:
        file.write("import logging\nlogging.basicConfig(format='MINE %(message)s')\n")

    with Running(shop.folder, "worker", "shop:app", "--burst") as worker:
        worker.end()

    assert worker.output[7] == "MINE ready\n"


def test_jobs_in_memory_are_warned_of(folder: Path) -> None:
    (folder / "tiny.py").write_text(
        'from stoker import Stoker\napp = Stoker("sqlite://:memory:")\n'
        "@app.task\nasync def f() -> None: ...\n"
    )

    with Running(folder, "worker", "tiny", "--burst") as worker:
        assert worker.end() == 0

    assert "jobs in memory: no other process can add any, and they end with this one" in (
        worker.shown
    )


def test_a_setup_that_fails_ends_it(shop: Shop) -> None:
    with (shop.folder / "shop.py").open("a") as file:
        file.write(
            "@app.processor\nclass Odd(Processor[dict]):\n    queue = 'odd'\n"
            "    async def setup(self): raise OSError('no camera')\n"
            "    def process(self, job): ...\n"
        )

    with Running(shop.folder, "worker", "shop:app", "--burst") as worker:
        code = worker.end()

    assert code == 1
    assert worker.output[-2:] == [
        "error: OSError: no camera (in setup() of Odd, processor of queue odd)\n",
        "hint: stoker --debug … shows where it comes from\n",
    ]


def test_a_setup_that_fails_ends_it_whatever_it_has_begun(shop: Shop) -> None:
    with (shop.folder / "shop.py").open("a") as file:
        file.write(
            "import asyncio, time\n"
            "@app.processor\nclass Odd(Processor[dict]):\n    queue = 'odd'\n"
            "    async def setup(self):\n"
            "        asyncio.get_running_loop().run_in_executor(None, time.sleep, 600)\n"
            "        raise OSError('no camera')\n"
            "    def process(self, job): ...\n"
        )

    with Running(shop.folder, "worker", "shop:app", "--burst") as worker:
        code = worker.end()

    assert code == 1
    assert (
        "error: OSError: no camera (in setup() of Odd, processor of queue odd)\n" in worker.output
    )
    assert "leaving without it" in worker.output[-1]


def test_an_idle_worker_is_small(shop: Shop) -> None:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("the size of a process is read from /proc")

    with Running(shop.folder, "worker", "shop:app") as worker:
        worker.until("ready")
        text = Path(f"/proc/{worker.process.pid}/status").read_text()
        worker.signal(signal.SIGTERM)
        worker.end()

    size = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert size is not None
    assert int(size[1]) < 45 * 1024


def test_how_soon_a_dead_workers_jobs_run_again_is_told() -> None:
    shown = " ".join(ok("worker", "--help").split())

    assert "other workers take them back within 6s after that." in shown
