"""A broker that is watched, what was emitted, and no patience with failures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stoker.broker import Broker
from stoker.events import subscribe
from tests.unit.support import Watched
from tests.unit.worker.support import Heard


@pytest.fixture
def watched(broker: Broker) -> Watched:
    return Watched(broker)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """The events of this test."""
    heard = Heard()
    end = subscribe(lambda event, fields: heard.append((event, fields)))
    yield heard
    end()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once after a failure."""
    monkeypatch.setattr("stoker.worker.patience.FIRST_SECONDS", 0)
