"""From a written line to what it starts, through the files that it leads to."""

from __future__ import annotations

from pathlib import Path

from stoker.sidecar.detect import detect


def test_scripts_that_all_call_each_other_are_followed_once(tmp_path: Path) -> None:
    names = [f"s{n}.sh" for n in range(40)]
    body = "".join(f"./{name} &\n" for name in names)
    for name in names:
        (tmp_path / name).write_text(body + "celery -A shop worker\n")
    (tmp_path / "shop.py").write_text("from celery import Celery\napp = Celery()\n")
    (tmp_path / "requirements.txt").write_text("celery\n")
    (tmp_path / "Procfile").write_text("worker: ./s0.sh\n")

    (unit,) = detect(tmp_path).units

    assert unit.command == ("celery", "-A", "shop", "worker")
