"""The collector in a worker's process: left to the application where it has a say."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from stoker.worker import garbage


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_loaded_is_looked_at_no_more() -> None:
    gc.set_threshold(garbage.EAGER, 10, 10)
    loaded: list[list[object]] = [[] for _ in range(1_000)]

    garbage.settle()

    assert gc.get_freeze_count() >= len(loaded)
    assert gc.get_threshold() == (garbage.CALM, 10, 10)


@pytest.mark.parametrize("young", [0, 50, 100_000])
def test_an_applications_own_threshold_stays(young: int) -> None:
    gc.set_threshold(young, 10, 10)

    garbage.settle()

    assert gc.get_threshold()[0] == young


def test_a_collector_that_is_off_stays_off() -> None:
    gc.set_threshold(garbage.EAGER, 10, 10)
    gc.disable()

    garbage.settle()

    assert not gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold()[0] == garbage.EAGER
