"""What a package is installed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from tests.sidecar.detect.test_programs import commands, seen


def test_a_newer_yarn_is_known_by_its_settings(tmp_path: Path) -> None:
    for name, text in {
        "package.json": '{"name": "shop", "dependencies": {"bullmq": "5"}, "workspaces": ["mail"]}',
        "mail/package.json": '{"name": "mail"}',
        "yarn.lock": "",
        ".yarnrc.yml": "nodeLinker: node-modules\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    shop, mail = detect(tmp_path).packages

    assert shop.manifests == ("package.json", "yarn.lock", ".yarnrc.yml")
    assert mail.manifests == ("mail/package.json", "yarn.lock", ".yarnrc.yml")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("environment.yml", "channels:\n  - redis\ndependencies:\n  - python=3.12\n"
         "  - pip:\n      - 'celery[redis]==5.5.3'  # jobs\n"),
        ("docker/environment-prod.yaml", "dependencies: # all\n- conda-forge::celery=5.5\n"),
        ("pixi.toml", '[pypi-dependencies]\ncelery = "*"\n'),
    ],
)  # fmt: skip
def test_what_conda_installs_is_asked_for(tmp_path: Path, name: str, text: str) -> None:
    files = {
        name: text,
        "pyproject.toml": "[tool.black]\n",
        "jobs.py": "from celery import Celery\n\ncelery = Celery(broker='redis://')\n",
        "manager.py": "import sys\nfrom jobs import celery\n\n"
        "if sys.argv[1] == 'work':\n    celery.worker_main(['worker'])\n",
        "jobs.conf": "[program:jobs]\ncommand=python manager.py work\n",
    }

    assert commands(seen(tmp_path, files)) == ["python manager.py work"]
