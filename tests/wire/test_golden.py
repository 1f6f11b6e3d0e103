"""After the same steps the same lies in Redis, whoever took them.

``golden/`` holds what BullMQ 6 leaves. ``STOKER_GOLDEN=write`` writes it anew, for a new BullMQ.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.servers.server import Server
from tests.wire.differences import without
from tests.wire.dump import Dump, dump
from tests.wire.peer import PeerQueue
from tests.wire.scenarios import ADDED_BY_NODE, SCENARIOS
from tests.wire.side import NodeSide, StokerSide, mixed

GOLDEN = Path(__file__).parent / "golden"
scenarios = pytest.mark.parametrize("name", SCENARIOS)


@scenarios
async def test_bullmq_leaves_what_it_left_before(
    name: str, theirs: PeerQueue, server: Server
) -> None:
    await SCENARIOS[name](NodeSide(theirs, server))

    left = dumped(server)
    if os.environ.get("STOKER_GOLDEN") == "write":
        (GOLDEN / f"{name}.json").write_text(written(dict(left)), encoding="utf-8")
    assert left == golden(name)


@scenarios
async def test_stoker_leaves_what_bullmq_leaves(
    name: str, theirs: PeerQueue, ours: StokerSide, server: Server
) -> None:
    side = mixed(adds=NodeSide(theirs, server), runs=ours) if name in ADDED_BY_NODE else ours
    await SCENARIOS[name](side)

    assert without(dumped(server)) == without(golden(name))


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in ADDED_BY_NODE])
@pytest.mark.parametrize("adds", ["node adds, stoker runs", "stoker adds, node runs"])
async def test_what_one_adds_the_other_runs(
    name: str, adds: str, theirs: PeerQueue, ours: StokerSide, server: Server
) -> None:
    node = NodeSide(theirs, server)
    side = mixed(adds=node, runs=ours) if adds.startswith("node") else mixed(adds=ours, runs=node)
    await SCENARIOS[name](side)

    assert without(dumped(server)) == without(golden(name))


def test_every_golden_dump_is_of_a_scenario() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(SCENARIOS)


def golden(name: str) -> Dump:
    return msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes())


def written(dump: Dump) -> str:
    """Return a dump as JSON text, with a line for each key and each event."""
    events = ",\n    ".join(line(event) for event in dump.pop("events", []))
    keys = [f'  "{key}": {line(value)}' for key, value in dump.items()]
    return "{\n" + ",\n".join([*keys, f'  "events": [\n    {events}\n  ]']) + "\n}\n"


def line(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def dumped(server: Server) -> Dump:
    with server.connect(decode_responses=True) as client:
        return dump(client, "q")
