"""One store, the processes that work on it, the faults that are done to them, and the truth.

The store is a file, which the test can look into past the broker; or any other, of which it sees
what an application sees.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import apsw
import msgspec
import pytest

from stoker import Stoker
from stoker.broker.sqlite.connection import connect_for_reading
from stoker.config import BrokerURL, WorkerSettings
from stoker.job.settings import JobSettings
from tests.system.journal import Line
from tests.system.ledger import Entry, Lines, Writer

T = TypeVar("T")

soak = functools.partial(pytest.param, marks=pytest.mark.soak)
"""A parameter of which the short form of a test does without."""

ROOT = Path(__file__).resolve().parents[2]
LEASE_MS = 1_000
RECOVER_MS = 200
SLACK = 1.5
"""Seconds for two busy cores: until the keeper's thread gets its turn, and a commit its sync."""
PATIENCE_MS = LEASE_MS / 2
"""A tick of the holder's keeper and a half, in which it could still have renewed."""
RECOVERED_WITHIN = (LEASE_MS + 1.2 * RECOVER_MS + PATIENCE_MS) / 1_000 + SLACK
"""A lease and a sweep, until a dead worker's job is taken back; here the patience is longer than a
sweep."""
PATIENCE = 30.0
"""Seconds until a test gives up waiting; far above what anything here takes."""
LOOK_EVERY = 0.005


class Fault(NamedTuple):
    """What a test did to a worker."""

    kind: str
    worker: str
    at: float


class Row(msgspec.Struct, frozen=True):
    """A job as it lies in the file."""

    id: str
    queue: str
    name: str
    state: str
    attempts: int
    starts: int
    crashes: int
    worker: str | None
    token: str | None
    result: str | None
    failure: str | None
    progress: str | None

    @property
    def value(self) -> Any:
        return msgspec.json.decode(self.result or "null")

    @property
    def reason(self) -> str:
        return msgspec.json.decode(self.failure)["reason"] if self.failure else ""


class Stage(Protocol):
    """Where processes play, and where is written down what is done to them."""

    folder: Path
    env: dict[str, str]
    faults: list[Fault]

    def note(self, text: str) -> None: ...


class Process:
    """A process of the test's own; what it prints goes to a file.

    ``within`` is put before its command: what runs it somewhere else.
    """

    def __init__(
        self,
        arena: Stage,
        name: str,
        arguments: Sequence[str],
        *,
        within: Sequence[str] = (),
        **env: str,
    ) -> None:
        self.name = name
        self._arena = arena
        self.output = arena.folder / f"output-{name}.txt"
        self.expected_to_live = True
        self.may_leave = False
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [*within, sys.executable, *arguments],
                cwd=ROOT,
                env={**os.environ, **arena.env, **env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def failed(self) -> bool:
        """Whether it is gone and should not be."""
        code = self._process.poll()
        return self.expected_to_live and code is not None and not (self.may_leave and code == 0)

    def kill(self) -> float:
        """Kill it the hard way; return when."""
        return self._strike(signal.SIGKILL, lives=False)

    def freeze(self) -> float:
        return self._strike(signal.SIGSTOP, lives=True)

    def thaw(self) -> float:
        return self._strike(signal.SIGCONT, lives=True)

    def signal(self, number: signal.Signals, *, group: bool = False) -> float:
        """Ask it to stop; that is no fault."""
        self.expected_to_live = False
        self._arena.note(f"{number.name} to {self.name}")
        at = time.time()
        (os.killpg if group else os.kill)(self.pid, number)
        return at

    def exit_code(self, seconds: float = PATIENCE) -> int:
        """Wait for its end."""
        self.expected_to_live = False
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end in {seconds} s{self.tail()}") from None

    def tail(self) -> str:
        return f"\n--- {self.output}\n{self.output.read_text(errors='replace')[-3_000:]}"

    def end(self) -> None:
        if self.running:
            self._process.kill()
        self._process.wait()

    def _strike(self, number: signal.Signals, *, lives: bool) -> float:
        self.expected_to_live = lives
        at = time.time()
        os.kill(self.pid, number)
        if not lives:
            self._process.wait()
        self._arena.note(f"{number.name} to {self.name}")
        self._arena.faults.append(Fault(number.name, self.name, at))
        return at


class WorkerProcess(Process):
    """A worker, with its journal."""

    def __init__(self, arena: Arena, settings: WorkerSettings, **env: str) -> None:
        text = msgspec.json.encode(settings).decode()
        super().__init__(arena, settings.name, ["-m", "tests.system.runner", text], **env)
        self.settings = settings
        self.journal = Lines(arena.folder / f"journal-{settings.name}.jsonl", Line)

    def said(self, event: str) -> list[Line]:
        """Return what it said of a kind."""
        return [line for line in self.journal if line.event == event]

    def stop(self) -> None:
        """Stop it as a deployment does, and see that it left in peace."""
        self.signal(signal.SIGTERM)
        code = self.exit_code()
        assert code == 0, f"{self.name} left with {code}{self.tail()}"


class Arena:
    """Where a test plays. ``seed`` decides all that is left to chance."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.seed = seed
        self.rng = random.Random(seed)
        self.database = folder / "jobs.db"
        self.url = str(BrokerURL.of_file(self.database))
        self.env = {"STOKER_URL": self.url, "FAULT_FOLDER": str(folder), "PYTHONUNBUFFERED": "1"}
        self.faults: list[Fault] = []
        self.schedule: list[str] = []
        self.processes: list[Process] = []
        self._began = time.time()
        self._app: Stoker | None = None
        self._reader: apsw.Connection | None = None
        (folder / "gates").mkdir(exist_ok=True)
        self.ledger = Lines(folder / "ledger.jsonl", Entry)
        self._writer = Writer(self.ledger.path)

    def play_on(self, url: str) -> None:
        """Have another store than the file. Before anything else is done."""
        self.url = self.env["STOKER_URL"] = url

    # Processes

    def workers(self, *names: str, **settings: Any) -> list[WorkerProcess]:
        """Start workers, all at once, and wait until they work."""
        started: list[WorkerProcess] = []
        for name in names:
            chosen = {"lease_ms": LEASE_MS, "recover_ms": RECOVER_MS, "max_stalls": 100, **settings}
            env = chosen.pop("env", {})
            started.append(WorkerProcess(self, WorkerSettings(name=name, **chosen), **env))
        self.processes += started
        for worker in started:
            self.until(lambda w=worker: w.said("worker.started"), f"{worker.name} to start")
        return started

    def worker(self, name: str, **settings: Any) -> WorkerProcess:
        """Start one worker and wait until it works."""
        [worker] = self.workers(name, **settings)
        return worker

    def script(self, name: str, module: str, *arguments: str, **env: str) -> Process:
        """Start another program of this folder."""
        process = Process(self, name, ["-m", f"tests.system.{module}", *arguments], **env)
        process.may_leave = True
        self.processes.append(process)
        return process

    def freeze(self, worker: WorkerProcess) -> None:
        """Freeze a worker that has the file's lock not just then: nobody could write till it thaws.

        Its keeper writes ten times a second; one instant in seventy is such a one.
        """

        def frozen() -> bool:
            worker.freeze()
            if not self._writable():
                worker.thaw()
                return False
            return True

        self.until(frozen, f"{worker.name} to be frozen without the lock")

    # Jobs

    @property
    def app(self) -> Stoker:
        """An application that adds jobs by name; it knows no task."""
        if self._app is None:
            self._app = Stoker(self.url)
        return self._app

    def add(
        self, name: str, count: int = 1, /, settings: JobSettings | None = None, **data: Any
    ) -> list[str]:
        """Add jobs, and write down those that were acknowledged."""

        async def added() -> list[str]:
            queue = self.app.queue()
            jobs = await asyncio.gather(
                *(queue.add(name, data, **(settings or {})) for _ in range(count))
            )
            return [job.id for job in jobs]

        ids = self.app.run(added())
        for id in ids:
            self._writer.entry("added", id)
        return ids

    def add_one(self, name: str, /, **data: Any) -> str:
        [id] = self.add(name, **data)
        return id

    def cancel(self, id: str) -> bool:
        return self.app.run(self.app.queue().job(id).cancel())

    def open_gate(self, name: str, claim: int = 1) -> None:
        (self.folder / "gates" / f"{name}-{claim}").touch()

    def close_gate(self, name: str, claim: int = 1) -> None:
        (self.folder / "gates" / f"{name}-{claim}").unlink(missing_ok=True)

    # The truth

    def query(self, sql: str, bindings: Any = ()) -> list[tuple[Any, ...]]:
        """Look into the file, past the broker."""
        if self._reader is None:
            self._reader = connect_for_reading(str(self.database))
        return self._reader.execute(sql, bindings).fetchall()

    def _writable(self) -> bool:
        if not self.database.exists():
            return True  # the store is another one
        with contextlib.closing(apsw.Connection(str(self.database))) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE; ROLLBACK")
            except apsw.BusyError:
                return False
        return True

    def rows(self, where: str = "1", bindings: Any = ()) -> list[Row]:
        columns = "coalesce(id, CAST(seq AS TEXT)), " + ", ".join(Row.__struct_fields__[1:])
        return [
            Row(*row) for row in self.query(f"SELECT {columns} FROM job WHERE {where}", bindings)
        ]

    def row(self, id: str) -> Row:
        [row] = self.rows("seq = ?", (int(id),))
        return row

    def count(self, state: str) -> int:
        [(count,)] = self.query("SELECT count(*) FROM job WHERE state = ?", (state,))
        return count

    def entries(self, kind: str, id: str | None = None) -> list[Entry]:
        return [e for e in self.ledger if e.kind == kind and (id is None or e.job == id)]

    # Waiting

    def until(
        self, condition: Callable[[], T], what: str, seconds: float = PATIENCE, every: float = 0
    ) -> T:
        """Wait until the condition is true, and return what it said."""
        deadline = time.monotonic() + seconds
        while not (answer := condition()):
            for process in self.processes:
                if process.failed:
                    raise AssertionError(f"{process.name} died{process.tail()}")
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
            time.sleep(every or LOOK_EVERY)
        return answer

    def until_started(self, id: str, claim: int = 1) -> Entry:
        """Wait until a run of a job has begun."""

        def started() -> list[Entry]:
            return [e for e in self.entries("start", id) if e.claim == claim]

        return self.until(started, f"run {claim} of job {id} to begin")[0]

    def until_state(self, id: str, state: str, seconds: float = PATIENCE) -> Row:
        self.until(lambda: self.row(id).state == state, f"job {id} to be {state}", seconds)
        return self.row(id)

    def until_all_done(self, seconds: float = 60) -> None:
        """Wait until no job of the workers' queue is left to run."""
        unfinished = (
            "SELECT 1 FROM job WHERE queue = 'default' "
            "AND state IN ('waiting', 'delayed', 'active') LIMIT 1"
        )
        self.until(lambda: not self.query(unfinished), "all jobs to end", seconds, every=0.02)

    # The end

    def note(self, text: str) -> None:
        """Write down a step of the fault schedule."""
        self.schedule.append(f"{time.time() - self._began:8.3f} s  {text}")

    def report(self) -> str:
        """Return what is needed to run a failed test again, and to understand it."""
        head = [f"seed: {self.seed} (again: STOKER_FAULT_SEED={self.seed})"]
        head += [f"ledger: {self.ledger.path}", "fault schedule:"]
        tails = [p.tail() for p in self.processes if p.output.stat().st_size]
        return "\n".join([*head, *(f"  {step}" for step in self.schedule), *tails])

    def close(self) -> None:
        for process in self.processes:
            process.end()
        self.let_go()

    def let_go(self) -> None:
        """Close the file; the next look and the next job open it again."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._app is not None:
            self._app.run(self._app.close())
