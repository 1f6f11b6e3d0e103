"""The files of each plan as they are expected, and how to accept new ones.

After a change that is meant: ``python -m tests.sidecar.snapshots``, and read the diff.
"""

from __future__ import annotations

from pathlib import Path

from stoker.sidecar.plan import Plan, decode
from stoker.sidecar.render import TARGETS, render
from tests.sidecar.plans import PLANS

HERE = Path(__file__).parent
PROJECTS = HERE / "projects" / "expected"


def _of_projects() -> dict[str, Plan]:
    """The plans of the example projects that have workers."""
    texts = {path.parent.name: path.read_bytes() for path in sorted(PROJECTS.glob("*/plan.json"))}
    plans = {name: decode(text, name) for name, text in texts.items()}
    return {f"project {name}": plan for name, plan in plans.items() if plan.services}


EVERY_PLAN = PLANS | _of_projects()


def place(name: str) -> Path:
    """Return where the expected files of a plan are."""
    if name in PLANS:
        return HERE / "expected" / f"{name}.txt"
    return PROJECTS / name.removeprefix("project ") / "files.txt"


def drawn(plan: Plan) -> str:
    """Return all files of a plan as one text."""
    files = render(plan, TARGETS)
    return "".join(f"===== {path}\n{file.text}\n" for path, file in sorted(files.items()))


def main() -> None:
    for name, plan in EVERY_PLAN.items():
        place(name).write_text(drawn(plan), "utf-8")


if __name__ == "__main__":
    main()
