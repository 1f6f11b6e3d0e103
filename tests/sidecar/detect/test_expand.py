"""From a written line to what it starts, through the files that it leads to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from tests.sidecar.detect.test_programs import commands, seen

SHOP = {
    "requirements.txt": "celery[redis]\n",
    "shop.py": "from celery import Celery\n\napp = Celery()\n\n@app.task\ndef pack(n): return n\n",
}


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


def test_what_an_entrypoint_is_given_is_looked_for_where_the_image_has_it(tmp_path: Path) -> None:
    image = (
        "FROM python\nCOPY docker/enter /enter\nCOPY docker/web/start /start\n"
        'COPY docker/jobs/start /start-jobs\nENTRYPOINT ["/enter"]\n'
    )
    files = {
        "docker/Dockerfile": image,
        "docker/enter": '#!/bin/sh\nexec "$@"\n',
        "docker/web/start": "#!/bin/sh\ngunicorn shop:web\n",
        "docker/jobs/start": "#!/bin/sh\ncelery -A shop worker -Q slow\n",
        "bin/start": "#!/bin/sh\ncelery -A shop worker\n",
        "compose.yaml": "services:\n  web: &one\n"
        "    build: {context: ., dockerfile: docker/Dockerfile}\n    command: /start\n"
        "  jobs:\n    <<: *one\n    command: /start-jobs\n",
    }

    assert commands(seen(tmp_path, SHOP | files)) == ["celery -A shop worker -Q slow"]


@pytest.mark.parametrize(
    ("copied", "services"),
    [
        ("COPY docker/bin/* /usr/local/bin/", ["compose.yaml"]),
        ("COPY --chmod=755 docker/bin /usr/bin", ["compose.yaml"]),
        ("COPY docker/bin/start-web docker/bin/start-jobs /bin/", ["compose.yaml"]),
        ("COPY docker/bin/start-jobs /usr/local/bin/start-jobs", ["compose.yaml"]),
        ("COPY docker/bin/start-jobs /usr/local/bin/other", []),
        ("COPY --from=build docker/bin/* /usr/local/bin/", []),
    ],
)
def test_a_script_among_the_programs_of_an_image_is_called_by_its_name(
    tmp_path: Path, copied: str, services: list[str]
) -> None:
    files = {
        "Dockerfile": f"FROM python\n{copied}\n",
        "docker/bin/start-jobs": "#!/bin/sh\ncelery -A shop worker\n",
        "docker/bin/start-web": "#!/bin/sh\ngunicorn shop:web\n",
        "compose.yaml": "services:\n  jobs: {build: ., command: start-jobs}\n",
    }

    [unit] = seen(tmp_path, SHOP | files).units

    assert [e.path for e in unit.evidence if e.path == "compose.yaml"] == services


def test_a_script_that_runs_the_command_of_django_or_the_framework_s_is_one_worker(
    tmp_path: Path,
) -> None:
    either = (
        '#!/bin/sh\nif [ -n "$DJANGO" ]; then\n  python manage.py run_huey\n'
        "else\n  huey_consumer shop.huey\nfi\n"
    )
    files = {
        "requirements.txt": "django\nhuey\n",
        "manage.py": "",
        "shop.py": "from huey import RedisHuey\n\nhuey = RedisHuey()\n",
        "start.sh": either,
        "compose.yaml": "services:\n  jobs: {build: ., command: ./start.sh}\n",
    }

    assert commands(seen(tmp_path, files)) == ["python manage.py run_huey"]
