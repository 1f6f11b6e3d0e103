"""What this machine can do at all: plain SQL through the same driver, and the disk by itself.

No queue on this machine and this driver can be quicker than these, only nearer to them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from benchmarks.figures import percentile

_SCHEMA = """
CREATE TABLE job (seq INTEGER PRIMARY KEY, queue TEXT, name TEXT, data TEXT, state TEXT,
                  token TEXT, claimed_at INTEGER, finished_at INTEGER) STRICT;
CREATE INDEX waiting  ON job (queue, seq) WHERE state = 'waiting';
CREATE INDEX finished ON job (queue, finished_at) WHERE state = 'completed';
"""
_INSERT = "INSERT INTO job VALUES (?, 'default', 'noop', '{\"n\":1}', 'waiting', NULL, NULL, NULL)"
_CLAIM = """
UPDATE job SET state = 'active', token = 'abcdef0123456789', claimed_at = 1700000000000 WHERE seq IN
  (SELECT seq FROM job WHERE queue = 'default' AND state = 'waiting' ORDER BY seq LIMIT ?)
"""
_FINISH = """
UPDATE job SET state = 'completed', token = NULL, finished_at = 1700000000000
WHERE seq BETWEEN ? AND ? AND state = 'active'
"""


def sync_ms(folder: Path, count: int = 200) -> tuple[float, float]:
    """Return p50 and p99 of writing a page into a file and waiting for the disk to have it."""
    path = folder / "raw-sync"
    page = os.urandom(4_096)
    sync = getattr(os, "fdatasync", os.fsync)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(descriptor, page * count, 0)
        sync(descriptor)
        took: list[float] = []
        for n in range(count):
            os.pwrite(descriptor, page, n * len(page))
            began = time.perf_counter()
            sync(descriptor)
            took.append((time.perf_counter() - began) * 1_000)
    finally:
        os.close(descriptor)
        path.unlink()
    return percentile(took, 0.5), percentile(took, 0.99)


def paced_commit_ms(folder: Path, every: float, count: int = 100) -> float:
    """Return p50 of a commit of one row, one each ``every`` seconds: the caches are cold then."""
    with _database(folder) as connection:
        took: list[float] = []
        for n in range(count):
            time.sleep(every)
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_INSERT, (n,))
            connection.execute("COMMIT")
            took.append((time.perf_counter() - began) * 1_000)
    return percentile(took, 0.5)


def inserts(folder: Path, transactions: int, batch: int) -> float:
    """Return rows a second, ``batch`` of them a commit."""
    with _database(folder) as connection:
        began = time.perf_counter()
        for n in range(transactions):
            first = n * batch
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, [(first + i,) for i in range(batch)])
            connection.execute("COMMIT")
        return transactions * batch / (time.perf_counter() - began)


def drains(folder: Path, transactions: int, batch: int) -> float:
    """Return jobs a second, ``batch`` of them finished and as many claimed with each commit."""
    with _database(folder) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, [(n,) for n in range((transactions + 1) * batch)])
        connection.execute(_CLAIM, (batch,))
        connection.execute("COMMIT")
        began = time.perf_counter()
        for n in range(transactions):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_FINISH, (n * batch, (n + 1) * batch - 1))
            connection.execute(_CLAIM, (batch,))
            connection.execute("COMMIT")
        return transactions * batch / (time.perf_counter() - began)


@contextmanager
def _database(folder: Path) -> Iterator[apsw.Connection]:
    path = folder / "raw.db"
    connection = apsw.Connection(str(path))
    try:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute(_SCHEMA)
        yield connection
    finally:
        connection.close()
        path.unlink()
