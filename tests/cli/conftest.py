"""A folder with an application in it, and ways to use ``stoker`` there as a person would."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import SHOP, Shop


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller's shell says about Stoker, Redis or its window is not part of any test."""
    for name in list(os.environ):
        if name.startswith(("STOKER_", "REDIS_", "WORKER_")) or name in ("COLUMNS", "NO_COLOR"):
            monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory; what is imported from it is forgotten afterwards."""
    before, path = set(sys.modules), list(sys.path)
    monkeypatch.chdir(tmp_path)
    importlib.invalidate_caches()
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def shop(folder: Path) -> Shop:
    """The folder with ``shop.py`` in it, whose jobs are kept in ``jobs.db``."""
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    return Shop(folder)
