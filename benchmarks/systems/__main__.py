"""``python -m benchmarks.systems NAME``: a system's program; see ``driver.py``."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.systems.driver import serve

if __name__ == "__main__":
    serve(import_module(f"benchmarks.systems.{sys.argv[1]}").Driver())
