"""Examples are left out; where there is nothing else, it is said where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan

REDIS = "celery[redis]\n"


def _project(root: Path, *manifests: str, text: str = REDIS) -> Path:
    (root / "web.py").write_text("print('served')\n")
    for path in manifests:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_where_nothing_else_is_found_a_note_says_where_to_look(tmp_path: Path) -> None:
    root = _project(tmp_path, "examples/shop/requirements.txt")
    rq = root / "examples" / "rq" / "requirements.txt"
    rq.parent.mkdir()
    rq.write_text("rq\n")

    (note,) = detect(root).notes

    assert note == (
        "examples/rq/requirements.txt:1: examples/ is left out, and names rq, celery: "
        "stoker sidecar detect examples/rq looks at it"
    )
    assert make_plan(detect(root)).notes == (note,)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("examples/shop/requirements.txt", "flask\n"),
        ("tests/requirements.txt", REDIS),
        ("tests/examples/requirements.txt", REDIS),
        ("examples/shop/tests/requirements.txt", REDIS),
        ("examples/shop/package.json", "{"),
    ],
    ids=["no workers", "a test", "a test's examples", "an example's test", "unreadable"],
)
def test_what_nobody_would_look_for_is_left_out_without_a_word(
    path: str, text: str, tmp_path: Path
) -> None:
    assert detect(_project(tmp_path, path, text=text)).notes == ()


def test_beside_a_worker_of_the_projects_own_nothing_is_said(tmp_path: Path) -> None:
    root = _project(tmp_path, "examples/shop/requirements.txt", "requirements.txt")
    (root / "Procfile").write_text("worker: celery -A shop worker\n")

    found = detect(root)

    assert len(found.units) == 1
    assert found.notes == ()


def test_a_project_that_a_tool_is_tried_with_is_left_out(tmp_path: Path) -> None:
    compose = "services:\n  worker: {build: ., command: celery -A shop worker}\n"
    files = {"shop.py": 'from celery import Celery\n\napp = Celery("shop")\n'}
    for name, text in (files | {"compose.yaml": compose, "requirements.txt": REDIS}).items():
        path = tmp_path / "test_project" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (tmp_path / "web.py").write_text("print('served')\n")

    assert detect(tmp_path).units == ()
