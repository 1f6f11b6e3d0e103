"""The systems under test: ours, and its peers. A peer is a ``System`` and a line in ``PEERS``."""

from __future__ import annotations

from benchmarks.systems.base import System, Tuning
from benchmarks.systems.huey import HueySystem
from benchmarks.systems.stoker import StokerSystem

__all__ = ["OURS", "PEERS", "System", "Tuning"]

OURS: type[System] = StokerSystem
PEERS: dict[str, type[System]] = {HueySystem.name: HueySystem}
