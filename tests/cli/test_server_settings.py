"""What ``stoker check`` and a worker say of a Redis server that is not set as it should be."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.cli.support import Running, stoker
from tests.servers.fixtures import MakeServer
from tests.servers.front import Front
from tests.servers.kinds import OFFERED, Kind
from tests.servers.server import DURABLE, Server

pytestmark = pytest.mark.system

APP = """
from stoker import Stoker

app = Stoker()


@app.task
async def send() -> None: ...
"""
EVICTS = (
    "maxmemory-policy is allkeys-lru: when memory is full the server throws jobs away; set it to "
    "noeviction"
)
FORGETS = (
    "appendonly is off: when the server dies, jobs since its last snapshot are lost, and all if it "
    "makes none; set appendonly to yes"
)


@pytest.fixture(autouse=True)
def app(folder: Path) -> None:
    (folder / "shop.py").write_text(APP, encoding="utf-8")


def check(server: Server, *options: str) -> tuple[int, str]:
    result = stoker("check", "shop:app", *options, env={"STOKER_URL": server.url})
    return result.exit_code, result.stdout


@pytest.mark.parametrize("kind", OFFERED, ids=str)
def test_a_server_that_is_well(make_server: MakeServer, kind: Kind) -> None:
    code, shown = check(make_server(kind, **DURABLE))

    assert code == 0
    assert shown.rstrip().endswith("All is well.")
    assert "warning" not in shown


@pytest.mark.parametrize("kind", OFFERED, ids=str)
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({**DURABLE, "maxmemory_policy": "allkeys-lru"}, [EVICTS]),
        ({"appendonly": "no"}, [FORGETS]),
        ({"appendonly": "no", "save": '""', "maxmemory_policy": "allkeys-lru"}, [EVICTS, FORGETS]),
    ],
)
def test_check_says_what_it_costs(
    make_server: MakeServer, kind: Kind, settings: dict[str, str], says: list[str]
) -> None:
    server = make_server(kind, **settings)

    code, shown = check(server)
    _, written = check(server, "--json")

    warnings = [f"{server.url}: {text}" for text in says]
    assert code == 0, "it works"
    assert [line[2:] for line in shown.splitlines() if line.startswith("- ")] == warnings
    assert shown.rstrip().endswith("It works; see the warnings.")
    assert json.loads(written)["warnings"] == warnings


@pytest.mark.parametrize("kind", OFFERED, ids=str)
def test_a_replica_is_a_problem(make_server: MakeServer, kind: Kind) -> None:
    server = make_server(kind, **DURABLE)
    with server.connect() as client:
        client.replicaof("127.0.0.1", 1)  # of nobody: so it stays as it is

    code, shown = check(server)

    assert code == 1
    assert f"- broker {server.url}: {server.url} is a replica, and read only" in shown


def test_a_worker_says_it_once_and_works(make_server: MakeServer, folder: Path) -> None:
    server = make_server(appendonly="no", maxmemory_policy="allkeys-lru")

    env = {"STOKER_URL": server.url}
    with Running(folder, "worker", "shop:app", "--burst", env=env) as worker:
        code = worker.end()

    assert code == 0
    assert worker.shown.count(EVICTS) == worker.shown.count(FORGETS) == 1
    assert "INFO    ready" in worker.shown


@pytest.mark.parametrize("command", ["check", "worker"])
async def test_a_server_that_is_too_old_is_refused(
    make_server: MakeServer, folder: Path, command: str
) -> None:
    server = make_server(**DURABLE)
    with server.connect() as client:
        version = str(client.info("server")["redis_version"])
    old = "6.0" + version[3:]

    async with Front(server) as front:
        front.change(f"redis_version:{version}", f"redis_version:{old}")
        with Running(folder, command, "shop:app", env={"STOKER_URL": front.url}) as running:
            code = await asyncio.to_thread(running.end)

    assert code != 0
    assert f"is Redis {old}: too old" in running.shown
    assert "hint: 6.2 or later, or Valkey" in running.shown


def test_a_user_without_rights_is_told_by_check(make_server: MakeServer) -> None:
    server = make_server(**DURABLE)
    with server.connect() as client:
        client.acl_setuser(
            "ada",
            enabled=True,
            passwords=["+secret"],
            keys=["bull:*"],
            commands=["+@all", "-hmget"],
        )
    url = f"redis://ada:secret@{server.host}:{server.port}/0"

    result = stoker("check", "shop:app", env={"STOKER_URL": url})

    assert result.exit_code == 1
    assert "the server's user 'ada' may not run HMGET" in result.stdout
    assert "hint: ACL SETUSER ada +hmget" in result.stdout
    assert "secret" not in result.stdout


@pytest.mark.parametrize("command", ["check", "worker"])
@pytest.mark.parametrize(
    ("login", "says", "hint"),
    [
        ("", "asks for a password, and the URL has none", "redis://:password@host:6379/0"),
        (":hunter2@", "does not let us in", "check the user and password in the URL"),
        ("ada:hunter2@", "does not let us in", "check the user and password in the URL"),
        (
            "clerk:sesame@",
            "the server's user 'clerk' may not run RPOP, ZPOPMIN",
            "ACL SETUSER clerk +rpop +zpopmin",
        ),
    ],
)
def test_who_is_not_let_in_is_told_and_does_not_wait(
    make_server: MakeServer, folder: Path, command: str, login: str, says: str, hint: str
) -> None:
    server = make_server(requirepass="sesame", **DURABLE)
    with server.connect() as client:
        client.acl_setuser(
            "clerk",
            enabled=True,
            passwords=["+sesame"],
            keys=["bull:*"],
            commands=["+@all", "-rpop", "-zpopmin"],
        )
    url = f"redis://{login}{server.host}:{server.port}/0"

    with Running(folder, command, "shop:app", env={"STOKER_URL": url}) as running:
        code = running.end()

    assert code != 0
    assert says in running.shown
    assert f"hint: {hint}" in running.shown
    assert "hunter2" not in running.shown
