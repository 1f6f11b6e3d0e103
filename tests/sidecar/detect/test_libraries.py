"""A package that others install starts no worker itself, whatever it tells them to start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

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


@pytest.mark.parametrize(
    ("more", "workers"),
    [
        ({"peerDependencies": {"bullmq": "5"}}, 0),
        ({"peerDependencies": {"bullmq": "5"}, "scripts": {"start": "node index.js"}}, 1),
        ({"peerDependencies": {"react": "19"}, "dependencies": {"bullmq": "5"}}, 1),
    ],
)
def test_what_its_users_are_to_bring_along_is_no_worker_of_its_own(
    tmp_path: Path, more: dict[str, object], workers: int
) -> None:
    manifest = {"name": "far-calls", "main": "index.js", "devDependencies": {"bullmq": "5"}}
    made = 'const { Worker } = require("bullmq");\nexports.make = (n, f) => new Worker(n, f);\n'

    found = seen(tmp_path, {"package.json": json.dumps(manifest | more), "index.js": made})

    assert len(found.units) == workers
    assert found.embedded == ()


def test_an_attempt_that_is_called_as_a_package_once_was_is_none(tmp_path: Path) -> None:
    manifest = '{"name": "nest-bull", "dependencies": {"bullmq": "5"}}'
    worker = 'import { Worker } from "bullmq";\nnew Worker("mail", send);\n'

    found = seen(tmp_path, {"package.json": manifest, "worker.ts": worker})

    assert [each.framework for each in found.units] == ["bullmq"]


def test_what_its_users_call_their_modules_is_no_command_of_its_own(tmp_path: Path) -> None:
    project = '[project]\nname = "far-broker"\ndependencies = ["dramatiq"]\n'
    guide = "```bash\ndramatiq tasks --threads 4\npython manage.py rundramatiq\n```\n"
    own = "```bash\ndramatiq far.jobs\n```\n"
    files = {"pyproject.toml": project, "far/broker.py": "", "docs/guide.md": guide}

    assert seen(tmp_path, files).units == ()

    found = seen(tmp_path, {"far/jobs.py": "import dramatiq\n", "docs/own.md": own})
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


PYPROJECT = '[project]\nname = "far-calls"\ndependencies = ["celery", "django-rq"]\n'
MANAGE = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'PROJECT.settings')\n"


def packaged(project: str, *, readme: str = "", **manifests: str) -> dict[str, str]:
    """A package, and a whole project of Django beside it."""
    return {
        "pyproject.toml": PYPROJECT,
        "README.md": readme,
        "far_calls/__init__.py": "",
        "manage.py": MANAGE.replace("PROJECT", project),
        f"{project}/__init__.py": "",
        f"{project}/celery.py": f"{CELERY}app.autodiscover_tasks()\n",
    } | manifests


def service(command: str) -> str:
    return f"services:\n  worker:\n    build: .\n    command: {command}\n"


INSTALLED = "    pip install far-calls\n"


@pytest.mark.parametrize(
    ("project", "readme"),
    [("example", ""), ("demo", ""), ("test_project", ""), ("sample-project", ""),
     ("celery_demo", ""), ("sandbox", ""), ("config", INSTALLED)],
)  # fmt: skip
@pytest.mark.parametrize("command", ["celery -A PROJECT worker", "python manage.py rqworker"])
def test_a_project_beside_a_package_is_there_to_try_it_with(
    tmp_path: Path, project: str, readme: str, command: str
) -> None:
    compose = service(command.replace("PROJECT", project))
    files = packaged(project, readme=readme) | {"compose.yml": compose, "Dockerfile": "FROM x\n"}

    assert seen(tmp_path, files).units == ()


@pytest.mark.parametrize(
    ("project", "command"),
    [("config", "celery -A config worker"), ("config", "python manage.py rqworker"),
     ("demo", "celery -A far_calls worker")],
)  # fmt: skip
def test_what_is_not_called_a_trial_is_the_application(
    tmp_path: Path, project: str, command: str
) -> None:
    files = packaged(project) | {"compose.yml": service(command)}

    assert command in commands(seen(tmp_path, files))


def test_a_project_with_such_a_name_is_one_where_there_is_no_package(tmp_path: Path) -> None:
    files = packaged("demo") | {"compose.yml": service("celery -A demo worker")}
    own = {name: text for name, text in files.items() if not name.startswith("far_calls")}

    assert len(seen(tmp_path, own).units) == 1


def test_a_package_with_its_name_in_a_variable_is_made_of_its_directories(tmp_path: Path) -> None:
    setup = "setup(\n    name=about['title'],\n    packages=find_packages(),\n)\n"
    compose = service("celery worker --app sandbox.celery")
    files = {"setup.py": setup, "far/__init__.py": "", "compose.yml": compose}

    assert seen(tmp_path, files | {"sandbox/celery.py": CELERY}).units == ()
    assert len(seen(tmp_path, {"setup.py": "setup(name=about['title'])\n"}).units) == 1


def test_nobody_deploys_the_app_of_the_tests(tmp_path: Path) -> None:
    files = {"requirements.txt": "celery\n", "compose.yml": service("celery -A tests.app worker")}

    assert seen(tmp_path, files | {"shop.py": "", "tests/app.py": CELERY}).units == ()


LICENSED = 'classifiers = ["License :: OSI Approved :: MIT License"]\n'
FOR_DEVELOPERS = 'classifiers = ["Intended Audience :: Developers"]\n'
FOR_USERS = 'classifiers = ["Intended Audience :: System Administrators"]\n'


def test_what_is_installed_to_be_used_is_run_in_its_project(tmp_path: Path) -> None:
    compose = service("sh -c 'cd test_project && python manage.py rqworker'")
    files = packaged("test_project") | {"compose.yml": compose}
    files["test_project/manage.py"] = files.pop("manage.py")

    assert seen(tmp_path, files | {"pyproject.toml": PYPROJECT + FOR_DEVELOPERS}).units == ()
    assert len(seen(tmp_path, {"pyproject.toml": PYPROJECT + FOR_USERS}).units) == 1


@pytest.mark.parametrize(
    ("name", "published", "workers"),
    [("far-celery", FOR_DEVELOPERS, 0), ("far-celery", LICENSED, 1),
     ("far-shop", FOR_DEVELOPERS, 1)],
)  # fmt: skip
def test_what_is_for_developers_and_called_after_a_framework_is_for_it(
    tmp_path: Path, name: str, published: str, workers: int
) -> None:
    project = f'[project]\nname = "{name}"\ndependencies = ["celery"]\n{published}'
    compose = service("celery -A far worker")
    files = {"pyproject.toml": project, "compose.yml": compose, "Dockerfile": "FROM x\n"}

    assert len(seen(tmp_path, files | {"far.py": CELERY}).units) == workers


@pytest.mark.parametrize(
    ("package", "workers"),
    [('"name": "bullmq-look", "bin": "cli.js"', 0), ('"name": "shop", "bin": "cli.js"', 1),
     ('"name": "bullmq-look", "bin": "cli.js", "private": true', 1)],
)  # fmt: skip
def test_so_is_a_tool_of_node(tmp_path: Path, package: str, workers: int) -> None:
    manifest = f'{{{package}, "dependencies": {{"bullmq": "^5.0.0"}}}}\n'

    found = seen(tmp_path, {"package.json": manifest, "worker.js": MAKES})

    assert len(found.units) == workers


def test_a_stand_in_for_others_is_not_the_app_that_works(tmp_path: Path) -> None:
    app = "from celery import Celery\n\napp = Celery('a')\n\n@app.task\ndef mail(): ...\n"
    files = {"requirements.txt": "celery\n", "aid/dummy_worker.py": app, "shop/jobs.py": app}

    found = seen(tmp_path, files)

    assert commands(found) == ["celery -A shop.jobs.app worker --loglevel=info"]


def test_sidekiq_loads_the_file_that_configures_it(tmp_path: Path) -> None:
    server = "require 'sidekiq'\nrequire_relative 'mail'\n\nSidekiq.configure_server { |c| c }\n"
    job = "class Mail\n  include Sidekiq::Job\nend\n"
    files = {
        "Gemfile": "gem 'sidekiq'\n",
        "app.rb": "",
        "lib/server.rb": server,
        "lib/mail.rb": job,
    }

    assert commands(seen(tmp_path, files)) == ["bundle exec sidekiq -r ./lib/server.rb"]


def test_a_plugin_for_testing_brings_workers_only_for_those_who_test(tmp_path: Path) -> None:
    project = (
        '[project]\nname = "pytest-celery"\ndependencies = ["celery"]\n'
        'classifiers = ["Topic :: Software Development :: Testing"]\n'
    )
    image = "FROM python:3.12\nCOPY . .\nCMD celery -A app worker\n"
    package = "src/pytest_celery"
    files = {"pyproject.toml": project, f"{package}/worker/Dockerfile": image,
             f"{package}/worker/app.py": CELERY, f"{package}/__init__.py": ""}  # fmt: skip

    assert seen(tmp_path, files).units == ()


def test_what_an_editor_or_a_framework_loads_is_started_by_it(tmp_path: Path) -> None:
    worker = {
        "requirements.txt": "huey\n",
        "jobs.py": "from huey import RedisHuey\nhuey = RedisHuey()\n",
    }
    addon = {"setup.py": "setup(name='shop.search', classifiers=['Framework :: Plone :: Addon'])\n"}
    recommended = {"package.json": '{"engines": {"vscode": "^1.22.0"}, "workspaces": ["apps/*"]}'}
    extension = {"package.json": '{"engines": {"vscode": "^1.22.0"}, "contributes": {}}'}

    assert len(seen(tmp_path / "one", worker | recommended).units) == 1
    assert seen(tmp_path / "two", worker | extension).units == ()
    assert seen(tmp_path / "three", worker | addon).units == ()
