"""The files of each plan as they are expected, and how to accept new ones.

After a change that is meant: ``python -m tests.sidecar.snapshots``, and read the diff.
"""

from __future__ import annotations

from pathlib import Path

from stoker.sidecar.plan import Plan
from stoker.sidecar.render import TARGETS, render
from tests.sidecar.plans import PLANS

EXPECTED = Path(__file__).parent / "expected"


def drawn(plan: Plan) -> str:
    """Return all files of a plan as one text."""
    files = render(plan, TARGETS)
    return "".join(f"===== {path}\n{file.text}\n" for path, file in sorted(files.items()))


def main() -> None:
    for name, plan in PLANS.items():
        (EXPECTED / f"{name}.txt").write_text(drawn(plan), "utf-8")


if __name__ == "__main__":
    main()
