"""``stoker init``: a worker in an application that has none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.support import ok, stoker
from tests.sidecar.reading import compose_values, hadolint

JOB = "from bg_worker.app import app\n\n\n@app.task\ndef part() -> None: ...\n"
MORE = "from bg_worker.jobs import part\n"
PYPROJECT = '[project]\nname = "The Shop"\nversion = "1"\n'


@pytest.fixture
def app(tmp_path: Path) -> Path:
    root = tmp_path / "app"
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "__init__.py").write_text("")
    (root / "pyproject.toml").write_text(PYPROJECT)
    return root


def contents(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file() and "cache" not in str(path))
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in files}


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in the application, as after an installation of it."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("STOKER_")}
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=env | {"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """``lint-imports``, as the README says."""
    tool = Path(sys.executable).with_name("lint-imports")
    env = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    command = [tool, "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=60)


def test_the_example_job_runs(app: Path) -> None:
    ok("init", str(app))

    added = run(app, "stoker", "enqueue", "bg_worker.main:app", "greet", "name=Ada")
    worked = run(app, "stoker", "worker", "bg_worker.main:app", "--burst")

    assert added.returncode == 0, added.stderr
    assert "stopped: 1 done" in worked.stderr


def test_the_rule_holds_and_a_violation_is_noticed(app: Path) -> None:
    ok("init", str(app))
    assert lint(app).returncode == 0, lint(app).stdout

    (app / "bg_worker" / "jobs" / "greet.py").write_text("import shop\n")
    assert lint(app).returncode == 0, "the worker may import the application"

    (app / "shop" / "__init__.py").write_text("import bg_worker.app\n")
    broken = lint(app)
    assert broken.returncode == 1
    assert "The application does not import its worker BROKEN" in broken.stdout


def test_contracts_that_are_there_stay(app: Path) -> None:
    own = '\n[tool.importlinter]\nroot_packages = ["shop", "bg_worker"]\n'
    (app / "pyproject.toml").write_text(PYPROJECT + own)

    ok("init", str(app))

    text = (app / "pyproject.toml").read_text()
    assert text.startswith(PYPROJECT + own)
    assert text.count("[tool.importlinter]") == 1
    assert lint(app).returncode == 0


def test_twice_is_as_once_and_a_persons_job_stays(app: Path) -> None:
    ok("init", str(app))
    job = app / "bg_worker" / "jobs" / "greet.py"
    job.write_text("# mine\n")
    once = contents(app)

    ok("init", str(app))
    ok("init", str(app), "--check")

    assert contents(app) == once


def test_the_service_goes_into_the_compose_file_that_is_there(app: Path) -> None:
    text = "# Ours.\nservices:\n  web:\n    image: shop:1\n"
    (app / "docker-compose.yml").write_text(text)

    ok("init", str(app))

    made = (app / "docker-compose.yml").read_text()
    services = compose_values(made)["services"]
    assert made.startswith(text)
    assert services["bg-worker"]["build"]["dockerfile"] == "bg_worker/Dockerfile"
    assert services["bg-worker"]["command"] == ["stoker", "worker", "bg_worker.main:app"]
    assert not (app / "compose.yaml").exists()
    hadolint((app / "bg_worker" / "Dockerfile").read_text())


def _plain(root: Path) -> None:
    """A package and its pyproject.toml, as they are."""


def _with_a_version(root: Path) -> None:
    (root / "pyproject.toml").write_text(PYPROJECT + 'requires-python = ">=3.11"\n')


def _below_src(root: Path) -> None:
    (root / "src").mkdir()
    (root / "shop").rename(root / "src" / "shop")


def _with_stoker_and_requirements(root: Path) -> None:
    (root / "pyproject.toml").write_text(PYPROJECT + 'dependencies = ["stoker"]\n')
    (root / "requirements.txt").write_text("stoker\n")


def _with_containers(root: Path) -> None:
    (root / "Dockerfile").write_text("FROM python:3.13\nCOPY . .\n")
    redis = "  redis:\n    image: redis:7\n"
    (root / "compose.yaml").write_text(f"services:\n  web:\n    build: .\n{redis}")


@pytest.mark.parametrize(
    "lay_out", [_plain, _with_a_version, _below_src, _with_stoker_and_requirements,
                _with_containers],
)  # fmt: skip
def test_generate_finds_what_was_begun_as_it_is(app: Path, lay_out: Callable[[Path], None]) -> None:
    lay_out(app)
    ok("init", str(app))
    begun = contents(app)

    ok("sidecar", "generate", "--check", str(app))

    package = next(app.rglob("bg_worker"))
    (package / "jobs" / "part.py").write_text(JOB)
    (package / "main.py").write_text(begun[f"{package.relative_to(app)}/main.py"] + MORE)
    ok("sidecar", "generate", "--check", str(app))


def _with_another_worker(root: Path) -> None:
    (root / "shop" / "tasks.py").write_text(
        'from celery import Celery\n\napp = Celery(broker="amqp://rabbit")\n'
    )
    (root / "requirements.txt").write_text("celery\n")


def _with_its_start_known(root: Path) -> None:
    (root / "pyproject.toml").write_text(PYPROJECT + 'dependencies = ["fastapi", "uvicorn"]\n')
    (root / "shop" / "main.py").write_text("from fastapi import FastAPI\n\napp = FastAPI()\n")


INIT, GENERATE = ("init",), ("sidecar", "generate")


@pytest.mark.parametrize("order", [(INIT, GENERATE), (GENERATE, INIT)], ids=["init", "generate"])
@pytest.mark.parametrize(
    ("lay_out", "other"), [(_with_another_worker, "worker"), (_with_its_start_known, "app")]
)
def test_init_and_generate_undo_nothing_of_each_other(
    app: Path,
    lay_out: Callable[[Path], None],
    other: str,
    order: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:
    lay_out(app)

    for command in order:
        ok(*command, str(app))

    for command in order:
        ok(*command, str(app), "--check")
    services = compose_values((app / "compose.yaml").read_text())["services"]
    assert {"bg-worker", other} <= services.keys()


def test_an_app_that_was_put_into_a_compose_file_stays(app: Path) -> None:
    _with_its_start_known(app)
    (app / "compose.yaml").write_text("services:\n  mail:\n    image: mailpit:1\n")
    ok("init", str(app))
    ok("sidecar", "generate", "--app", str(app))
    made = contents(app)

    ok("init", str(app))

    assert contents(app) == made
    assert "app" in compose_values(made["compose.yaml"])["services"]


def test_a_plan_that_is_kept_says_which_containers_there_are(app: Path) -> None:
    _with_another_worker(app)
    (app / "sidecar.json").write_text(ok("sidecar", "plan", str(app), "--json"))

    result = stoker("init", str(app))

    ok("sidecar", "generate", "--check", str(app))
    assert "sidecar.json" in result.stderr


def test_its_image_installs_no_package_that_setuptools_refuses_to_choose(app: Path) -> None:
    result = stoker("init", str(app))

    text = (app / "bg_worker" / "Dockerfile").read_text()
    assert '["pip", "install", "."]' not in text
    assert 'include = ["shop*", "bg_worker*"]' in result.stdout
    hadolint(text)


def test_dependencies_are_read_out_of_pyproject_as_the_image_does_it(
    app: Path, tmp_path: Path
) -> None:
    (app / "pyproject.toml").write_text(PYPROJECT + 'dependencies = ["fastapi>=1", "uvicorn"]\n')
    ok("init", str(app))
    text = (app / "bg_worker" / "Dockerfile").read_text()
    [line] = [line for line in text.splitlines() if "tomllib" in line]
    program = json.loads(line.removeprefix("RUN "))[2]
    written = tmp_path / "requirements.txt"

    program = program.replace("/tmp/requirements.txt", str(written))
    subprocess.run([sys.executable, "-c", program], cwd=app, check=True, timeout=60)

    assert written.read_text().splitlines() == ["fastapi>=1", "uvicorn"]


@pytest.mark.parametrize(
    "named",
    ['[tool.setuptools]\npackages = ["shop"]\n',
     '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'],
)  # fmt: skip
def test_what_can_be_installed_is(app: Path, named: str) -> None:
    (app / "pyproject.toml").write_text(PYPROJECT + named)

    result = stoker("init", str(app))

    assert '["pip", "install", "."]' in (app / "bg_worker" / "Dockerfile").read_text()
    assert "setuptools" not in result.stdout


@pytest.mark.parametrize(
    ("lay_out", "asked"), [(_plain, "stoker"), (_with_containers, "stoker[redis]")]
)
def test_its_image_has_stoker_where_the_application_has_not(
    app: Path, lay_out: Callable[[Path], None], asked: str
) -> None:
    lay_out(app)

    ok("init", str(app))

    assert (app / "bg_worker" / "requirements.txt").read_text().splitlines()[-1] == asked
    text = (app / "bg_worker" / "Dockerfile").read_text()
    assert '"--requirement", "bg_worker/requirements.txt"]' in text


def test_where_the_application_has_stoker_nothing_more_is_asked_for(app: Path) -> None:
    _with_stoker_and_requirements(app)

    result = stoker("init", str(app))

    assert not (app / "bg_worker" / "requirements.txt").exists()
    assert "bg_worker/requirements.txt" not in (app / "bg_worker" / "Dockerfile").read_text()
    assert "install stoker" not in result.stdout


def test_packages_below_src(app: Path) -> None:
    (app / "src").mkdir()
    (app / "shop").rename(app / "src" / "shop")

    ok("init", str(app))

    assert "src/bg_worker/main.py" in contents(app)
    assert 'root_packages = ["shop", "bg_worker"]' in (app / "pyproject.toml").read_text()


def test_what_stoker_wrote_goes_and_the_persons_jobs_stay(app: Path) -> None:
    ok("init", str(app))

    ok("sidecar", "remove", str(app))

    left = contents(app)
    assert left["pyproject.toml"] == PYPROJECT
    assert "bg_worker/jobs/greet.py" in left
    assert not [path for path in left if "ockerfile" in path or "compose" in path]


def test_what_is_no_python_application_is_refused(tmp_path: Path) -> None:
    result = stoker("init", str(tmp_path))

    assert result.exit_code == 1
    assert "holds no Python application" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_broken_pyproject_says_where(app: Path) -> None:
    (app / "pyproject.toml").write_text("[project\n")

    result = stoker("init", str(app))

    assert result.exit_code == 1
    assert "pyproject.toml: " in result.stderr
    assert "line 1" in result.stderr
    assert not (app / "bg_worker").exists()
