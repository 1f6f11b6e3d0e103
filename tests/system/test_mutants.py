"""The tests are worth something: with one protection taken away, one of them fails.

Each mutant is a copy of the package with a line changed. That a line is no longer found means that
the mutant has to be thought through again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.system.arena import ROOT

pytestmark = [pytest.mark.system, pytest.mark.soak]

HERE = Path(__file__).parent


class Mutant(NamedTuple):
    """What is changed where, and the tests of which one has to notice."""

    file: str
    old: str
    new: str
    tests: str
    """File and, behind ``::``, an expression for ``-k``."""


MUTANTS = {
    "leases are not renewed": Mutant(
        "worker/keeper.py",
        'await self._attempt(self._renew, "renew leases")',
        "True",
        "test_blocked_loop.py::outlive",
    ),
    "leases are not renewed while draining": Mutant(
        "worker/keeper.py",
        'await self._attempt(self._renew, "renew leases")',
        "True",
        "test_shutdown.py::renewed",
    ),
    "the keeper lives on the worker's loop": Mutant(
        "worker/keeper.py",
        "        self._thread.start()\n        self._ready.wait()\n",
        "        self._task = self._worker_loop.create_task(self._keep())\n",
        "test_blocked_loop.py::outlive",
    ),
    "a lost lease is not told to its run": Mutant(
        "worker/keeper.py",
        "self._worker_loop.call_soon_threadsafe(self._lost, await self._look_at(lost))",
        "pass",
        "test_cancel.py::told",
    ),
    "the token of an outcome is not looked at": Mutant(
        "broker/sqlite/sql/finish.sql",
        " AND job.token = given.value ->> 2",
        "",
        "test_zombie.py::while_the_heir",
    ),
    "whether a job is still active is not looked at": Mutant(
        "broker/sqlite/sql/finish.sql",
        "WHERE job.state = 'active' AND job.token = given.value ->> 2",
        "WHERE 1",
        "test_zombie.py::after_the_heirs",
    ),
    "the token of a report is not looked at": Mutant(
        "broker/sqlite/inspect.py",
        "if patch.token is not None and",
        "if False and",
        "test_zombie.py::reports_are_refused or while_the_heir",
    ),
    "a commit is not synced": Mutant(
        "broker/sqlite/session.py",
        '"FULL" if sync else "NORMAL"',
        '"NORMAL"',
        "test_power_cut.py::acknowledged_survives",
    ),
    "an add is answered before it is synced": Mutant(
        "broker/sqlite/session.py",
        "                self._files.sync()\n",
        "                pass\n",
        "test_power_cut.py::acknowledged_survives",
    ),
    "nobody looks whether the file is still there": Mutant(
        "broker/sqlite/files.py",
        "if not self.in_place():",
        "if False:",
        "test_moved_file.py::deleted or put_back",
    ),
    "a lease that ran out is taken at once": Mutant(
        "broker/sqlite/recover.py",
        "    if patience_ms == 0:",
        "    if True:",
        "test_outage.py::locked",
    ),
    "nothing is taken back": Mutant(
        "worker/keeper.py",
        'await self._attempt(self._recover, "recover")',
        "pass",
        "test_kill.py::what_a_killed",
    ),
    "a crash costs an attempt": Mutant(
        "broker/sqlite/recover.py",
        '"failure": None, "attempt": 0, "crash": 1',
        '"failure": None, "attempt": 1, "crash": 1',
        "test_kill.py::what_a_killed",
    ),
    "a crash counts twice": Mutant(
        "broker/sqlite/recover.py",
        '"failure": None, "attempt": 0, "crash": 1',
        '"failure": None, "attempt": 0, "crash": 2',
        "test_kill.py::what_a_killed",
    ),
    "what is claimed is not counted": Mutant(
        "broker/sqlite/claim.py",
        "tx.moved(queue, State.WAITING, State.ACTIVE, len(jobs))",
        "pass",
        "test_kill.py::at_once",
    ),
    "claiming does not take the job out of the line": Mutant(
        "broker/sqlite/sql/claim.sql",
        "SET state = 'active', claimed_at",
        "SET claimed_at",
        "test_contention.py::two_workers",
    ),
    "transactions begin as readers": Mutant(
        "broker/sqlite/session.py",
        "BEGIN IMMEDIATE",
        "BEGIN DEFERRED",
        "test_contention.py::two_workers",
    ),
    "nobody waits for a lock": Mutant(
        "broker/sqlite/connection.py",
        "        if now - started > seconds:\n            return False\n",
        "        return False\n",
        "test_contention.py::two_workers or sits",
    ),
    "a lock is waited for a second": Mutant(
        "broker/sqlite/connection.py",
        "BUSY_SECONDS = 30.0",
        "BUSY_SECONDS = 1.0",
        "test_contention.py::sits",
    ),
    "an interrupted run costs an attempt": Mutant(
        "job/outcome.py",
        "        case Interrupted():\n            return Released(lease)",
        '        case Interrupted():\n            return Retried(lease, Failure("error", "stop"))',
        "test_shutdown.py::longer",
    ),
    "an interrupted run is not handed back": Mutant(
        "worker/finisher.py",
        "        self._outcomes.append(outcome)\n",
        "        if type(outcome).__name__ != 'Released':\n"
        "            self._outcomes.append(outcome)\n",
        "test_shutdown.py::longer",
    ),
    "a stopping worker claims on": Mutant(
        "worker/worker.py",
        "            parts.finisher.fetching = False\n",
        "",
        "test_shutdown.py::shorter",
    ),
    "a second signal is not heeded": Mutant(
        "worker/worker.py",
        "            self._now.set()\n",
        "            pass\n",
        "test_shutdown.py::second",
    ),
    "Ctrl-C reaches the children": Mutant(
        "worker/executors/process.py",
        "start_new_session=True",
        "start_new_session=False",
        "test_shutdown.py::ctrl_c",
    ),
    "stuck threads are waited for": Mutant(
        "worker/executors/thread.py",
        "daemon=True",
        "daemon=False",
        "test_timeouts.py::leaving",
    ),
    "a dropped child is not killed": Mutant(
        "worker/executors/process.py",
        "        child.kill()\n",
        "        pass\n",
        "test_timeouts.py::slow_process",
    ),
    "what a child started is left behind": Mutant(
        "worker/executors/child.py",
        "        os.killpg(0, signal.SIGKILL)\n",
        "        pass\n",
        "test_children.py::goes_with_it",
    ),
    "a child outlives its worker": Mutant(
        "worker/executors/child.py",
        "    if os.getpgrp() == os.getpid():\n",
        "    threading.Event().wait()\n    if os.getpgrp() == os.getpid():\n",
        "test_children.py::killed_worker_go_away",
    ),
    "a crash is never the last": Mutant(
        "job/outcome.py",
        "if job.crashes < policy.max_stalls:",
        "if True:",
        "test_children.py::buried and segfault",
    ),
    "a child's crash is an ordinary failure": Mutant(
        "worker/executors/process.py",
        'return Crashed(f"',
        'raise RuntimeError(f"',
        "test_children.py::one_crash",
    ),
    "outcomes that cannot be stored are dropped": Mutant(
        "worker/finisher.py",
        '            emit("broker.failed", error=error, doing="finish")\n',
        '            emit("broker.failed", error=error, doing="finish")\n'
        "            del self._outcomes[: len(outcomes)]\n",
        "test_disk_full.py::room and shim",
    ),
    "a full disk has no error of its own": Mutant(
        "broker/sqlite/faults.py",
        "case apsw.FullError():\n            return BrokerFull(",
        "case apsw.FullError():\n            return BrokerUnavailable(",
        "test_disk_full.py::room and shim",
    ),
    "a failed claim ends the worker": Mutant(
        "worker/fetcher.py",
        "            except BrokerError as error:\n",
        "            except ZeroDivisionError as error:\n",
        "test_disk_full.py::room and shim",
    ),
    "opening a file that exists drops its locks": Mutant(
        "broker/sqlite/connection.py",
        "os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC",
        "os.O_RDWR | os.O_CREAT | os.O_CLOEXEC",
        "test_fork.py::two_apps",
    ),
    "connections are carried across a fork": Mutant(
        "broker/sqlite/forks.py",
        "        each.rest()\n",
        "        pass\n",
        "test_fork.py::outlives",
    ),
    "a forked child shares the worker's signals": Mutant(
        "worker/signals.py",
        "    if _caught:\n",
        "    if False:\n",
        "test_fork.py::disturb",
    ),
    "absurd options reach arithmetic": Mutant(
        "job/model.py",
        "_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=100 * 365 * 86_400_000)]",
        "_Milliseconds = int",
        "test_bad_data.py::each_is_buried",
    ),
    "bytes that are not UTF-8 end the claim": Mutant(
        "broker/sqlite/query.py",
        "except (msgspec.DecodeError, UnicodeDecodeError):",
        "except ZeroDivisionError:",
        "test_bad_data.py::each_is_buried",
    ),
    "options that cannot be read are ignored": Mutant(
        "job/retry.py",
        "given = msgspec.json.decode(options, type=JobOptions)",
        "given = JobOptions()",
        "test_bad_data.py::each_is_buried",
    ),
    "a script that the server forgot is not sent again": Mutant(
        "broker/redis/connection.py",
        "except redis_errors.NoScriptError:",
        "except ZeroDivisionError:",
        "redis/test_weather.py::forgotten",
    ),
    "a server that is a replica is no passing weather": Mutant(
        "broker/redis/faults.py",
        "if isinstance(error, _WEATHER_TYPES) or _says(text, _WEATHER):",
        "if False:",
        "redis/test_weather.py::replica",
    ),
    "full memory has no error of its own": Mutant(
        "broker/redis/faults.py",
        'if isinstance(error, redis.OutOfMemoryError) or _says(text, ("OOM",)):',
        "if False:",
        "redis/test_memory_full.py::room",
    ),
    "leases are renewed by what full memory refuses": Mutant(
        "broker/redis/lua/extend.lua",
        "return call('PEXPIRE', lock, lease)",
        "return call('SET', lock, token, 'PX', lease)",
        "redis/test_memory_full.py::leases",
    ),
    "a dead connection is waited for": Mutant(
        "broker/redis/connection.py",
        "ANSWER_SECONDS = 5.0",
        "ANSWER_SECONDS = 60.0",
        "redis/test_network_cut.py::cut_off",
    ),
    "nothing is taken back from Redis": Mutant(
        "worker/keeper.py",
        'await self._attempt(self._recover, "recover")',
        "pass",
        "redis/test_worker_kill.py::killed",
    ),
    "numbers that were taken by hand are met": Mutant(
        "broker/sqlite/sql/move.sql",
        "EXISTS (SELECT 1 FROM job WHERE seq > value - :count AND seq <= value)",
        "0",
        "test_bad_data.py::without_a_number",
    ),
    "what is held ahead has no lease that is renewed": Mutant(
        "worker/runner.py",
        "        self._held.update(dict.fromkeys(leases, now))\n",
        "",
        "test_held_ahead.py::blocked and sqlite",
    ),
    "lost leases are not looked for among what is held ahead": Mutant(
        "worker/runner.py",
        "elif (run := self._line.take(lease)) is not None:",
        "elif (run := None) is not None:",
        "test_held_ahead.py::frozen and sqlite",
    ),
    "what is held ahead is not handed back": Mutant(
        "worker/worker.py",
        "        runner.hand_back()\n",
        "",
        "test_held_ahead.py::stopping and sqlite",
    ),
    "a queue is asked on for what no child is free for": Mutant(
        "worker/runner.py",
        "            self._crowd.turned_away(run.record.queue)\n",
        "            pass\n",
        "test_children.py::again_and_again",
    ),
    "jobs that wait for a child are in the way of others": Mutant(
        "worker/line.py",
        "            if child_free or not run.in_child:\n",
        "            if not child_free and run.in_child:\n"
        "                return None\n"
        "            if True:\n",
        "test_children.py::go_on_while",
    ),
    "a job that nobody can finish is handed out": Mutant(
        "broker/sqlite/claim.py",
        " if named else jobs",
        " if False else jobs",
        "test_bad_data.py::may_be_no_text",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_missing_protection_is_noticed(name: str, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    source = tmp_path / "src"
    shutil.copytree(ROOT / "src", source)
    file = source / "stoker" / mutant.file
    text = file.read_text()
    assert mutant.old in text, f"{mutant.file} no longer has {mutant.old!r}"
    file.write_text(text.replace(mutant.old, mutant.new))
    tests, _, chosen = mutant.tests.partition("::")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-k", chosen,
         "--timeout", "150", HERE / tests],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
    )  # fmt: skip

    last = "\n".join(done.stdout.splitlines()[-40:])
    assert done.returncode == 1, f"{name}: no test of {mutant.tests} failed\n{last}{done.stderr}"
    assert " failed" in last.splitlines()[-1], last
