"""A package that others install starts no worker itself, whatever it tells them to start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import seen

CELERY = "from celery import Celery\n\napp = Celery('rpc')\n"


@pytest.mark.parametrize(
    "manifest",
    [
        {"setup.py": "NAME = 'far-calls'\nsetup(\n    name=NAME, install_requires=['celery'])\n"},
        {"setup.py": "setup(name='far-calls', install_requires=['celery'])\n"},
        {"setup.py": "setup()\n", "setup.cfg": "[metadata]\nname = far-calls\n"},
        {"pyproject.toml": '[tool.poetry]\nname = "far-calls"\n[tool.poetry.dependencies]\n'
                           'celery = "^5"\n'},
    ],
)  # fmt: skip
def test_it_is_installed_by_its_name_wherever_it_is_given(
    tmp_path: Path, manifest: dict[str, str]
) -> None:
    files = {"README.md": "    pip install far-calls\n", "far/app.py": CELERY}

    assert seen(tmp_path, manifest | files).units == ()


def test_another_one_s_name_makes_no_package_of_an_app(tmp_path: Path) -> None:
    setup = "NAME = 'shop'\nsetup(name=NAME, install_requires=['celery'])\n"
    readme = "    pip install far-calls\n"

    found = seen(tmp_path, {"setup.py": setup, "README.md": readme, "far/app.py": CELERY})

    assert [each.framework for each in found.units] == ["celery"]


def test_a_library_is_one_with_an_underscore_as_well(tmp_path: Path) -> None:
    setup = "NAME = 'django_celery_results'\nsetup(name=NAME, install_requires=['celery'])\n"
    compose = "services:\n  worker:\n    build: .\n    command: celery -A t.proj worker\n"

    assert seen(tmp_path, {"setup.py": setup, "compose.yml": compose}).units == ()


def test_what_its_users_call_their_modules_is_no_command_of_its_own(tmp_path: Path) -> None:
    project = '[project]\nname = "far-broker"\ndependencies = ["dramatiq"]\n'
    guide = "```bash\ndramatiq tasks --threads 4\npython manage.py rundramatiq\n```\n"
    own = "```bash\ndramatiq far.jobs\n```\n"
    files = {"pyproject.toml": project, "far/broker.py": "", "docs/guide.md": guide}

    assert seen(tmp_path, files).units == ()

    found = seen(tmp_path, {"far/jobs.py": "", "docs/own.md": own})
    assert [each.command for each in found.units] == [("dramatiq", "far.jobs")]


PACKAGE = """{
  "name": "far-queues", "main": "dist/index.js",
  "scripts": {"build": "tsc -p .", "start": "node dist/index.js" PUBLISHED},
  "dependencies": {"bullmq": "^5.0.0"}
}
"""
MAKES = 'import { Worker } from "bullmq";\nexport const worker = new Worker("mail", run);\n'


@pytest.mark.parametrize(
    ("published", "index", "workers"),
    [
        (', "prepublishOnly": "npm run build"', 'export * from "./worker";\n', 0),
        (', "prepublishOnly": "npm run build"', 'import "./worker";\n', 1),
        ("", 'export * from "./worker";\n', 1),
    ],
)
def test_a_package_for_the_registry_that_only_passes_on_starts_nothing(
    tmp_path: Path, published: str, index: str, workers: int
) -> None:
    package = PACKAGE.replace(" PUBLISHED", published)

    found = seen(tmp_path, {"package.json": package, "src/index.ts": index, "src/worker.ts": MAKES})

    assert len(found.units) == workers
    assert found.embedded == ()
