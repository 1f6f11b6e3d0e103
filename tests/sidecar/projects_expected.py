"""What is seen in each project and planned for it, and how to accept new answers.

After a change that is meant: ``python -m tests.sidecar.projects_expected``, and read the diff.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan

PROJECTS = Path(__file__).parent / "projects"
NAMES = sorted(
    path.name for path in PROJECTS.iterdir() if path.is_dir() and path.name != "expected"
)


def answers(name: str) -> dict[str, str]:
    """Return the JSON of both steps, by the name of the file that holds it."""
    detection = detect(PROJECTS / name)
    plan = make_plan(detection, name)
    return {"detection.json": _json(detection), "plan.json": _json(plan)}


def expected(name: str) -> dict[str, str]:
    """Return the same as it was accepted."""
    folder = PROJECTS / "expected" / name
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.json"))}


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def main() -> None:
    for name in NAMES:
        folder = PROJECTS / "expected" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in answers(name).items():
            (folder / file).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
