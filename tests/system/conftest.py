"""Fixtures of the fault tests."""

from __future__ import annotations

import os
import random
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.system.arena import Arena

_ARENA = pytest.StashKey[Arena]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "again(times): runs once, and so many times more as a soak, each with its seed"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("again")
    if mark is not None:
        more = [
            pytest.param(number, id=f"soak{number}", marks=pytest.mark.soak)
            for number in range(1, mark.args[0] + 1)
        ]
        metafunc.fixturenames.append("again")
        metafunc.parametrize("again", [pytest.param(0, id="once"), *more])


@pytest.fixture
def arena(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Arena]:
    """A database and all that is done to it; a failure shows seed, fault schedule and ledger."""
    seed = int(os.environ.get("STOKER_FAULT_SEED") or random.SystemRandom().getrandbits(32))
    arena = Arena(tmp_path, seed)
    request.node.stash[_ARENA] = arena
    yield arena
    arena.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    arena = item.stash.get(_ARENA, None)
    if arena is not None and report.failed:
        report.sections.append(("faults", arena.report()))
    return report
