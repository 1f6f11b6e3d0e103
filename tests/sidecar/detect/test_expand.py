"""From a written line to what it starts, through the files that it leads to."""

from __future__ import annotations

import json
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


def test_what_a_compiler_starts_again_is_for_development(tmp_path: Path) -> None:
    scripts = {
        "workers": 'tsc-watch --onSuccess "node --inspect dist/worker.js"',
        "workers:production": "node dist/worker.js",
    }
    manifest = {"scripts": scripts, "dependencies": {"bullmq": "5"}}
    (tmp_path / "package.json").write_text(json.dumps(manifest))
    (tmp_path / "src").mkdir()
    (tmp_path / "src/worker.ts").write_text(
        'import { Worker } from "bullmq";\nnew Worker("mail", async () => {});\n'
    )

    (unit,) = detect(tmp_path).units

    assert unit.command == ("node", "dist/worker.js")
    assert unit.dev_command == ("node", "--inspect", "dist/worker.js")
