"""Two ends of a network that can be cut between them, in namespaces of the test's own.

A router stands in the middle; when it no longer forwards, packets are dropped in both directions
and nobody is told: no reset, no unreachable host, only silence.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

import pytest

_NUMBERS = itertools.count()
_FORWARD = "/proc/sys/net/ipv4/ip_forward"


class End(NamedTuple):
    """One end: its address, and what to put before a command to run it there."""

    address: str
    within: Sequence[str]


class Network:
    """``near`` and ``far``, with a router between them. A context manager; needs root."""

    def __init__(self) -> None:
        stem = f"stoker-{os.getpid()}-{next(_NUMBERS)}"
        self._names = [f"{stem}-{place}" for place in ("near", "router", "far")]
        near, _, far = self._names
        self.near = End("10.89.1.2", ("ip", "netns", "exec", near))
        self.far = End("10.89.2.2", ("ip", "netns", "exec", far))

    def __enter__(self) -> Network:
        if os.geteuid() != 0:
            why = "NOT RUN: only root may make network namespaces"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
        near, router, far = self._names
        for name in self._names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        for number, end in enumerate((near, far), start=1):
            device = f"to{number}"
            _ip("-n", router, "link", "add", device, "type", "veth", "peer", "name", "out")
            _ip("-n", router, "link", "set", "out", "netns", end)
            _ip("-n", router, "addr", "add", f"10.89.{number}.1/24", "dev", device)
            _ip("-n", router, "link", "set", device, "up")
            _ip("-n", end, "addr", "add", f"10.89.{number}.2/24", "dev", "out")
            _ip("-n", end, "link", "set", "out", "up")
            _ip("-n", end, "route", "add", "default", "via", f"10.89.{number}.1")
        self.heal()
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._names:
            _ip("netns", "delete", name)

    def cut(self) -> None:
        """Drop everything between the ends, in silence."""
        self._forward("0")

    def heal(self) -> None:
        self._forward("1")

    def _forward(self, how: str) -> None:
        router = self._names[1]
        _run("ip", "netns", "exec", router, "sh", "-c", f"echo {how} > {_FORWARD}")


def _ip(*arguments: str) -> None:
    _run("ip", *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}"
