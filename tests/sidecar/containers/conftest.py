"""The engine, for as long as the tests run; where there can be none, the end of the run says so."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sidecar.containers.engine import Engine, NotHere


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    kept = os.environ.get("STOKER_CONTAINERS", f"{tempfile.gettempdir()}/stoker-containers")
    made = Engine(Path(kept))
    try:
        made.start()
    except NotHere as error:
        pytest.skip(f"containers not run: {error}")
    yield made
    made.stop()
