"""A Redis server of the benchmark's own, and what it says of itself."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from benchmarks.processes import BenchmarkError, last_words
from tests.servers.kinds import DEFAULT

SETTINGS = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
}
DURABILITY = "Redis: appendonly yes, appendfsync everysec; SQLite: the disk has what is answered"
_SECONDS = 60.0


class Cost(NamedTuple):
    """What the server has used so far."""

    cpu_seconds: float
    memory_bytes: int
    """Without what its log has buffered."""


class Redis:
    """The tests' server, from start to stop, on a free port of the loopback."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "redis.log"

    def __enter__(self) -> Self:
        program = DEFAULT.program
        self._folder.mkdir(parents=True, exist_ok=True)
        self._port = _free_port()
        place = {"port": str(self._port), "bind": "127.0.0.1", "dir": str(self._folder)}
        options = [
            each for name, value in {**place, **SETTINGS}.items() for each in (f"--{name}", value)
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([program, *options], stdout=log, stderr=log)
        until = time.monotonic() + _SECONDS
        while True:
            with suppress(OSError):
                self._connection = socket.create_connection(("127.0.0.1", self._port), _SECONDS)
                break
            if self._process.poll() is not None or time.monotonic() > until:
                raise BenchmarkError(f"redis-server did not start: {last_words(self._log)}")
            time.sleep(0.01)
        self._answers = self._connection.makefile("rb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._answers.close()
        self._connection.close()
        self._process.kill()  # nothing of it is kept
        self._process.wait()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def version(self) -> str:
        return self._info("server")["redis_version"]

    def empty(self) -> None:
        """Remove everything, and begin a new log."""
        self.ask("FLUSHALL SYNC")
        self.ask("BGREWRITEAOF")
        self.settle()

    def settle(self) -> None:
        """Wait until its log is not being written anew: that takes a core, and is for what was."""
        until = time.monotonic() + _SECONDS
        while self._info("persistence")["aof_rewrite_in_progress"] != "0":
            if time.monotonic() > until:
                raise BenchmarkError("the log of redis-server could not be begun anew")
            time.sleep(0.02)

    def cost(self) -> Cost:
        """Return what it has used."""
        cpu, memory = self._info("cpu"), self._info("memory")
        used = int(memory["used_memory"]) - int(memory["mem_aof_buffer"])
        return Cost(float(cpu["used_cpu_user"]) + float(cpu["used_cpu_sys"]), used)

    def ask(self, command: str) -> str:
        """Send a command without binary arguments; return a simple or bulk answer."""
        self._connection.sendall(command.encode() + b"\r\n")
        first = self._answers.readline().decode().strip()
        if first.startswith("$"):
            return self._answers.read(int(first[1:]) + 2).decode().strip()
        if first.startswith(("-", "*")) or not first:
            raise BenchmarkError(f"redis-server answered {command} with {first!r}")
        return first[1:]

    def _info(self, section: str) -> dict[str, str]:
        lines = self.ask(f"INFO {section}").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
