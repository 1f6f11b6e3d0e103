"""A process that sits on the database file: ``python -m tests.system.holder FILE SQL…``.

It executes the statements, makes the gate ``held-1``, and keeps all that it holds until the gate
``let-go-1`` is there; then it rolls back.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import apsw

GATES = Path(os.environ["FAULT_FOLDER"]) / "gates"


def main(path: str, *statements: str) -> None:
    connection = apsw.Connection(path)
    connection.set_busy_timeout(10_000)
    for statement in statements:
        connection.execute(statement).fetchall()
    (GATES / "held-1").touch()
    while not (GATES / "let-go-1").exists():
        time.sleep(0.005)
    connection.execute("ROLLBACK")
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
