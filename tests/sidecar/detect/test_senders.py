"""An application that only sends tasks by their names: another project's workers run them."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect import detect

CLIENT = "from celery import Celery\n\ncelery_app = Celery('files', broker='redis://localhost')\n"
SENDS = "from app.client import celery_app\n\ncelery_app.send_task('tile', args=[1])\n"
TASKS = [
    "from celery import shared_task\n\n@shared_task\ndef tile(n): ...\n",
    "from app.client import celery_app\n\n@celery_app.task(name='tile')\ndef tile(n): ...\n",
    "from app.client import celery_app\n\ncelery_app.autodiscover_tasks(['app'])\n",
    "from app.client import celery_app\n\ncelery_app.conf.imports = ['app.more']\n",
    "from celery import Task\n\nclass Tile(Task): ...\n",
]


def written(root: Path, **files: str) -> Path:
    (root / "requirements.txt").write_text("celery[redis]\n")
    (root / "app").mkdir()
    for name, text in files.items():
        (root / "app" / f"{name}.py").write_text(text)
    return root


def test_it_has_no_worker(tmp_path: Path) -> None:
    assert detect(written(tmp_path, client=CLIENT, api=SENDS)).units == ()


@pytest.mark.parametrize("more", TASKS)
def test_one_that_has_a_task_too_has_a_worker(tmp_path: Path, more: str) -> None:
    [unit] = detect(written(tmp_path, client=CLIENT, api=SENDS, more=more)).units

    assert unit.framework == "celery"
