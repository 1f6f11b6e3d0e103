"""Depot at work: ``python examples/depot/demo.py``, or ``make demo``, or ``stoker demo``.

Makes a few hundred pictures, some of them faulty, lets a real worker check them and make thumbnails,
and tells whether each ended as it should. The exit code is 0 only then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; return its exit code."""
    options = _options(argv)
    if (refusal := _prepare(options)) is not None:
        print(refusal, file=sys.stderr)
        return 2
    # Depot reads its settings when it is imported.
    os.environ.setdefault("DEPOT_HOME", str(options.folder))
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    from show import stage

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as cleanly as for Ctrl-C
    try:
        return stage.play(options.folder, options.uploads, options.seed)
    except KeyboardInterrupt:
        print("\nStopped. What is not done yet waits in the queue: --keep goes on with it.")
        return INTERRUPTED
