"""Depot at work: ``python examples/depot/demo.py``, ``make demo`` or ``stoker demo``.

Makes a few hundred uploads, some of them faulty, lets a real worker check them and make thumbnails,
and tells what became of them. The exit code is 0 only if each ended as was planned.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = str(Path(__file__).resolve().parent)
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; return its exit code."""
    options = _options(argv)
    os.environ["DEPOT_HOME"] = str(options.folder)
    if HERE not in sys.path:
        sys.path.insert(0, HERE)
    _stop_as_by_ctrl_c(signal.SIGTERM, signal.SIGHUP)
    try:
        # Only now: Depot reads its settings when it is imported.
        from show.folder import Folder, Size
        from show.stage import play

        return play(Folder(options.folder), Size(options.uploads, options.seed), keep=options.keep)
    except KeyboardInterrupt:
        print("\nstopped; --keep goes on with what is not done yet")
        return INTERRUPTED


def _stop_as_by_ctrl_c(*numbers: signal.Signals) -> None:
    """Let these end the demo as cleanly; all but those that are ignored, as under nohup."""
    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("demo", description="Show Stoker at work on examples/depot.")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(os.environ.get("DEPOT_HOME", "depot-data")),
        help="where to work (default: %(default)s)",
    )
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--fresh", action="store_true", help="begin anew, which is the default")
    again.add_argument("--keep", action="store_true", help="go on with what an earlier run left")
    parser.add_argument("--uploads", type=_enough, default=300, help="how many (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="for other pictures (default: 1)")
    return parser.parse_args(argv)


def _enough(text: str) -> int:
    uploads = int(text)
    if uploads < 20:
        raise argparse.ArgumentTypeError("at least 20, for one of each trouble")
    return uploads


if __name__ == "__main__":
    sys.exit(main())
