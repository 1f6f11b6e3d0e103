"""One server process: a free port of the loopback, a folder of its own, and what befalls it."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.servers.kinds import DEFAULT, Kind

HOST = "127.0.0.1"
PATIENCE = 20.0
"""Seconds until a wait is given up; far above what anything here takes."""
LOOK_EVERY = 0.01

NEVER_AGAIN = Retry(NoBackoff(), 0)
"""For clients: what goes wrong is raised the first time."""

DURABLE = {"appendonly": "yes", "appendfsync": "always"}
"""Settings with which an acknowledged write survives ``kill -9``, and a power cut too."""

_BASE = {
    "protected-mode": "no",
    "save": '""',
    "appendonly": "no",
    "maxmemory-policy": "noeviction",
    "repl-diskless-sync-delay": "0",  # a replica need not wait for others to come
    "daemonize": "no",
}


class Server:
    """A Redis or Valkey server. Use it as a context manager, or ``start`` and ``stop`` it.

    ``settings`` are lines of the configuration file, with ``_`` for ``-``. A server that is started
    again has the port, the folder and so the data that it had. ``within`` is put before its
    command, to run it somewhere else, such as in a network namespace.
    """

    def __init__(
        self,
        folder: Path,
        kind: Kind = DEFAULT,
        *,
        host: str = HOST,
        sentinel: bool = False,
        within: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        self.kind = kind
        self.folder = folder
        self.host = host
        self.port = free_port()
        self.password = settings.get("requirepass")
        self.log = folder / "server.log"
        self._sentinel = sentinel
        self._within = within
        base = {} if sentinel else {**_BASE, "bind": host}
        if host != HOST:  # the test itself is on another network, but in the same file system
            base["unixsocket"] = tempfile.mktemp(prefix="stoker-", suffix=".sock")
        self._settings = {**base, **_dashed(settings)}
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def url(self) -> str:
        secret = f":{quote(self.password, safe='')}@" if self.password else ""
        return f"redis://{secret}{self.host}:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def connect(self, **options: Any) -> redis.Redis:
        """Return a client that never tries twice: a test says itself what it expects."""
        options = {"socket_timeout": PATIENCE, "password": self.password, **options}
        options["unix_socket_path"] = self._settings.get("unixsocket")
        return redis.Redis(self.host, self.port, retry=NEVER_AGAIN, **options)

    # Its life

    def start(self, *, wait: bool = True) -> Server:
        """Start it, and wait until it answers (``wait=False``: it may still be loading)."""
        assert not self.running, f"{self} runs already"
        self._launch()
        if wait:
            self.until_ready()
        return self

    def until_ready(self) -> None:
        """Wait until it takes commands; one that does not come up says why."""
        with self.connect() as client:
            until(lambda: self._answers(client), f"{self} to take commands")

    def stop(self) -> None:
        """End it, whatever state it is in. What it keeps stays in its folder."""
        if self.running:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
            try:
                self._wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()

    # Faults

    def kill(self) -> None:
        """``kill -9``: nothing is flushed, nobody is told."""
        self._signal(signal.SIGKILL)
        self._wait()

    def freeze(self) -> None:
        """Stop the process where it stands: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _launch(self) -> None:
        lines = [f"{key} {value}" for key, value in self._settings.items()]
        file = self.folder / "server.conf"
        if not (self._sentinel and file.exists()):  # a sentinel keeps what it learned in there
            file.write_text("\n".join([f"port {self.port}", f"dir {self.folder}", *lines, ""]))
        arguments = [
            *self._within,
            self.kind.program,
            file,
            *(["--sentinel"] if self._sentinel else []),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop it in order
                preexec_fn=_go_with_parent,
            )

    def _answers(self, client: redis.Redis) -> bool:
        if not self.running:
            raise AssertionError(f"{self} ended with {self._wait()}{self.tail()}")
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.BusyLoadingError):
            return False

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def _wait(self, seconds: float | None = None) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def tail(self) -> str:
        """Return the end of its log, for a failure to show."""
        return f"\n--- {self.log}\n{self.log.read_text(errors='replace')[-2_000:]}"

    def __str__(self) -> str:
        return f"{self.kind} on port {self.port}"


def undisturbed() -> Sequence[str]:
    """Return what runs a server before everything else on the machine: so that it takes as long for
    something as it needs, and not as long as others let it."""
    within = ("chrt", "--fifo", "10")
    if subprocess.run([*within, "true"], capture_output=True).returncode != 0:
        why = "NOT RUN: only root may put a process before all others"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return within


def free_port() -> int:
    """Return a port that was free a moment ago, and whose neighbour for a cluster's bus exists."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
            if port < 55_000:
                return port


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until the condition holds, and return what it said."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(LOOK_EVERY)
    return answer


def _dashed(settings: Mapping[str, Any]) -> dict[str, str]:
    return {key.replace("_", "-"): str(value) for key, value in settings.items()}


def _parent_death_signal() -> Callable[[], object] | None:
    if sys.platform != "linux":
        return None
    prctl, set_death_signal = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(set_death_signal, signal.SIGKILL)


_go_with_parent = _parent_death_signal()
"""Tests that are killed leave no server behind."""
