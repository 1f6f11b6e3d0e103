"""A queue on real servers, who works on it, and what really happened.

The producer writes down what was acknowledged, after it was; the handlers write down each run. At
the end the servers are asked what they hold, and everything has to fit together.
"""

from __future__ import annotations

import itertools
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import redis

from stoker import Stoker
from stoker.errors import BrokerError, BrokerUnavailable
from tests.servers.server import until
from tests.system.arena import Fault, Process
from tests.system.ledger import Entry, Lines
from tests.wire.perform import QUEUE, application

NAP_MS = 50
"""How long a job of the producer's runs: it adds more than two workers can take, so that whoever
can consume does."""
CONSUMING_WITHIN = 5.0
"""Seconds from the return of the server until every worker has begun a job."""
PATIENCE = 60.0

PAUSE = 0.005
"""Seconds between two adds of a producer."""

Connect = Callable[[], redis.Redis]


class Scene:
    """``connect`` brings the test itself to the server that has the queue, whatever is cut off."""

    def __init__(self, folder: Path, url: str, connect: Connect, prefix: str = "bull") -> None:
        self.folder = folder
        self.url = url
        self.env: dict[str, str] = {"WIRE_LEDGER": str(folder / "ledger.jsonl")}
        self.faults: list[Fault] = []
        self.schedule: list[str] = []
        self.ledger = Lines(folder / "ledger.jsonl", Entry)
        self.rng = random.Random()
        self._connect = connect
        self._stem = f"{prefix}:{QUEUE}:"
        self._began = time.monotonic()
        self._processes: list[Process] = []
        self._producers: list[Producer] = []

    # Who works

    def worker(self, name: str, within: Sequence[str] = ()) -> Process:
        """Start a worker process, and wait until it has said that it works."""
        arguments = ["-m", "tests.wire.perform", self.url, name]
        process = Process(self, name, arguments, within=within)
        self._processes.append(process)
        until(lambda: self._works(process), f"{name} to start")
        return process

    def _works(self, process: Process) -> bool:
        assert not process.failed, process.tail()
        return any(entry.pid == process.pid for entry in self.runs(kind="working"))

    def workers(self, *names: str) -> list[Process]:
        return [self.worker(name) for name in names]

    def producer(self) -> Producer:
        """Start to add jobs, one after another."""
        producer = Producer(application(self.url))
        self._producers.append(producer)
        producer.start()
        return producer

    def fill(self, count: int, within: Sequence[str] = ()) -> None:
        """Add jobs from somewhere else, and wait until all are acknowledged."""
        arguments = ["-m", "tests.system.redis.fill", self.url, str(count), str(NAP_MS)]
        process = Process(self, "fill", arguments, within=within)
        self._processes.append(process)
        assert process.exit_code(PATIENCE) == 0, process.tail()

    # What befalls them

    def outlive(
        self, seconds: float, kill: Callable[[], object], start: Callable[[], object]
    ) -> Producer:
        """Have the store killed for so long while all are at work, and see that they work on."""
        workers = self.workers("w0", "w1", "w2")
        producer = self.producer()
        self.until_running(50)

        kill()
        self.note("the store is killed")
        refusal = producer.until_refused()
        assert isinstance(refusal, BrokerUnavailable), refusal
        time.sleep(seconds)  # the length of the outage is the fault
        start()
        self.note("the store is back")

        self.until_all_consume(workers, time.time())
        producer.until_acknowledged(20)
        self.settle()
        return producer

    # What happened

    def runs(self, since: float = 0.0, kind: str = "start") -> list[Entry]:
        """Return the runs that began (``"end"``: ended) since a moment."""
        return [entry for entry in self.ledger if entry.kind == kind and entry.at >= since]

    def until_running(self, count: int) -> None:
        """Wait until so many more runs have begun."""
        wanted = len(self.runs()) + count
        until(lambda: len(self.runs()) >= wanted, f"{count} more runs to begin", PATIENCE)

    def until_all_consume(self, workers: Sequence[Process], since: float) -> None:
        """Wait until each worker has begun a job since a moment, and see that it was in time.

        The producer has to be at work, so that there is something to consume.
        """
        names = {worker.name for worker in workers}

        def late() -> set[str]:
            return names - {entry.worker for entry in self.runs(since)}

        until(lambda: not late(), f"all workers to consume again; {late()} do not", PATIENCE)
        first = {
            name: min(entry.at for entry in self.runs(since) if entry.worker == name) - since
            for name in names
        }
        self.note(f"consuming again after {first}")
        assert max(first.values()) < CONSUMING_WITHIN, first

    def note(self, text: str) -> None:
        self.schedule.append(f"{time.monotonic() - self._began:8.3f} s  {text}")

    # What holds in the end

    def settle(self) -> None:
        """Stop to add, let the workers drain the queue and leave, and check that all is well."""
        for producer in self._producers:
            producer.finish()
        until(self._drained, "the queue to be drained", PATIENCE)
        for process in self._processes:
            if process.running:
                process.signal(signal.SIGTERM)
                assert process.exit_code() == 0, process.tail()
        self.check()

    def check(self) -> None:
        """Nothing acknowledged is lost, nothing is there that nobody added, nothing is left."""
        acknowledged = set(itertools.chain(*(each.acknowledged for each in self._producers)))
        attempted = set(itertools.chain(*(each.attempted for each in self._producers)))
        filled = {entry.job for entry in self.runs(kind="added")}
        acknowledged |= filled
        attempted |= filled
        with self._connect() as client:
            completed = set(client.zrange(f"{self._stem}completed", 0, -1))
            failed = set(client.zrange(f"{self._stem}failed", 0, -1))
            left = {
                name: client.exists(f"{self._stem}{name}")
                for name in ("wait", "active", "delayed", "prioritized", "paused")
            }
            locks = list(client.scan_iter(f"{self._stem}*:lock"))
        ran = {entry.job for entry in self.runs(kind="end")}
        assert acknowledged, "nothing was ever acknowledged: the test showed nothing"
        assert not failed, f"{len(failed)} jobs failed: {sorted(failed)[:10]}"
        assert not acknowledged - completed, self._lost(acknowledged - completed)
        assert not completed - attempted, f"nobody added {completed - attempted}"
        assert not completed - ran, f"never run to their end: {completed - ran}"
        assert not any(left.values()), left
        assert not locks, locks

    def _lost(self, ids: set[str]) -> str:
        return f"{len(ids)} acknowledged jobs are lost: {sorted(ids)[:10]}"

    def _drained(self) -> bool:
        with self._connect() as client:
            counts = [
                client.llen(f"{self._stem}wait"),
                client.llen(f"{self._stem}active"),
                client.zcard(f"{self._stem}delayed"),
                client.zcard(f"{self._stem}prioritized"),
            ]
        return not any(counts)

    def report(self) -> str:
        """Return what is needed to understand a failure."""
        producers = [f"producer: {each}" for each in self._producers]
        tails = [process.tail() for process in self._processes]
        return "\n".join([f"ledger: {self.ledger.path}", *self.schedule, *producers, *tails])

    def close(self) -> None:
        for producer in self._producers:
            producer.finish()
        for process in self._processes:
            process.end()


class Producer(threading.Thread):
    """Adds jobs until it is told to finish. Those that are refused are not tried again."""

    _names = itertools.count()

    def __init__(self, app: Stoker) -> None:
        super().__init__(name=f"producer{next(self._names)}", daemon=True)
        self.attempted: list[str] = []
        self.acknowledged: list[str] = []
        self.refused: list[BrokerError] = []
        self.slowest = 0.0
        """The longest time that one add took, in seconds."""
        self.broken: BaseException | None = None
        self._app = app
        self._finish = threading.Event()

    def run(self) -> None:
        try:
            while not self._finish.wait(PAUSE):
                self._add()
        except BaseException as error:
            self.broken = error

    def _add(self) -> None:
        id = f"{self.name}-{len(self.attempted)}"
        self.attempted.append(id)
        began = time.monotonic()
        try:
            self._app.queue(QUEUE).add_sync("perform", {"steps": [["nap", NAP_MS]]}, id=id)
        except BrokerError as error:
            self.refused.append(error)
        else:
            self.acknowledged.append(id)
        self.slowest = max(self.slowest, time.monotonic() - began)

    def finish(self) -> None:
        """Stop, and see that nothing but a refusal went wrong."""
        if self._finish.is_set():
            return
        self._finish.set()
        self.join(PATIENCE)
        assert not self.is_alive(), "the producer hangs in an add"
        self._app.run(self._app.close())
        if self.broken is not None:
            raise AssertionError("the producer met what is no BrokerError") from self.broken

    def until_acknowledged(self, count: int) -> None:
        """Wait until so many more adds were acknowledged."""
        wanted = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= wanted, f"{count} more jobs to be taken", PATIENCE)

    def until_refused(self) -> BrokerError:
        """Wait until one more add is refused; return why."""
        known = len(self.refused)
        until(lambda: len(self.refused) > known, "an add to be refused", PATIENCE)
        return self.refused[-1]

    def __str__(self) -> str:
        refused = {type(error).__name__: str(error) for error in self.refused}
        return (
            f"attempted {len(self.attempted)}, acknowledged {len(self.acknowledged)}, "
            f"refused {len(self.refused)} {refused}, slowest {self.slowest:.2f} s"
            + (f", ended by {self.broken!r}" if self.broken else "")
        )
