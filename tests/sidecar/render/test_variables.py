"""What containers get by Compose's rules, and that ``.env.example`` has all that is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from stoker.sidecar.shown import shown_plan
from tests.cli.support import ok
from tests.sidecar.reading import compose_values
from tests.sidecar.snapshots import EVERY_PLAN

_ASKED = re.compile(r"\$\{?(\w+)(?:\}|:?\?|(?!\w|:?[-+?]))")
"""What has no default."""


@pytest.mark.parametrize("kept", [False, True], ids=["at once", "from a kept plan"])
@pytest.mark.parametrize("name", EVERY_PLAN)
def test_all_that_compose_asks_for_is_in_the_example(name: str, kept: bool) -> None:
    plan = shown_plan(EVERY_PLAN[name]) if kept else EVERY_PLAN[name]
    files = {path: file.text for path, file in render(plan).items()}
    example = files.get(".env.example", "").split()

    made = [text for path, text in files.items() if re.search(r"(?<!devcontainer/)compose", path)]
    asked = {each for text in made for each in _ASKED.findall(text.replace("$$", ""))}
    assert asked <= {line.removesuffix("=") for line in example}


FILES = {
    "requirements.txt": "celery[redis]\n",
    "Procfile": "worker: celery -A shop worker\n",
    "shop.py": (
        "import os\nfrom celery import Celery\n"
        "app = Celery('shop', broker=os.environ['BROKER_URL'])\n"
        "MAIL, KEY = os.environ['MAIL_PASSWORD'], os.environ['SECRET_KEY']\n"
    ),
    ".gitignore": ".env.local\n",
}
COMPOSE = """\
services:
  web:
    build: .
    command: gunicorn shop:app
    env_file: {file}
    environment:
      DATABASE_URL: postgres://shop:${{PG_PASSWORD:-s3cret}}@db:5432/shop
      SECRET_KEY: ${{SECRET_KEY}}
"""


def project(root: Path, file: str = ".env.local") -> Path:
    root.mkdir(exist_ok=True)
    for path, text in (FILES | {"compose.yaml": COMPOSE.format(file=file)}).items():
        (root / path).write_text(text)
    return root


def container(service: Mapping[str, Any], file: str, said: Mapping[str, str]) -> dict[str, str]:
    """Return what a container has: ``said`` is what the shell or ``.env`` says.

    As compose-go resolves it: ``environment`` is stronger than a file, and what has no value there
    and is said nowhere is unset, whatever a file says.
    """
    found = dict(line.split("=", 1) for line in file.split()) if service.get("env_file") else {}
    for name, value in service.get("environment", {}).items():
        told = said.get(name) if value is None else value
        if told is None:
            found.pop(name, None)
        else:
            found[name] = re.sub(r"\$\{(\w+)[^}]*\}", lambda each: said.get(each[1], ""), told)
    return found


@pytest.mark.parametrize("path", ["compose.yaml", "compose.prod.yaml"])
def test_what_a_file_of_variables_says_comes_to_the_worker(tmp_path: Path, path: str) -> None:
    root = project(tmp_path / "shop")
    ok("sidecar", "generate", str(root))

    services = compose_values((root / path).read_text())["services"]
    made = container(services["worker"], "MAIL_PASSWORD=word\n", {"SECRET_KEY": "from-dotenv"})
    assert (made["MAIL_PASSWORD"], made["SECRET_KEY"]) == ("word", "from-dotenv")


def test_what_is_written_is_the_same_whether_the_file_is_there_or_not(tmp_path: Path) -> None:
    with_it, without = project(tmp_path / "with"), project(tmp_path / "without")
    (with_it / ".env.local").write_text("MAIL_PASSWORD=word\n")

    plans = [make_plan(detect(root), "shop") for root in (with_it, without)]
    assert render(plans[0]) == render(plans[1])


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (".env.local", ["MAIL_PASSWORD"]),
        ("a/.env", ["MAIL_PASSWORD"]),
        (".env", []),
        ("./.env", []),
    ],
)
def test_where_secrets_are_to_be_said_is_noted(tmp_path: Path, file: str, said: list[str]) -> None:
    plan = make_plan(detect(project(tmp_path / "shop", file)), "shop")

    notes = [note for note in plan.notes if "must be said there" in note]
    assert [re.findall(r"\b[A-Z_]{5,}\b", note) for note in notes] == ([said] if said else [])


def test_nobody_is_asked_for_what_every_shell_says(tmp_path: Path) -> None:
    root = project(tmp_path / "shop", "${HOME}/.env.local")
    ok("sidecar", "generate", str(root))

    assert "HOME=" not in (root / ".env.example").read_text().split()


def test_a_worker_without_such_a_file_has_its_secrets_from_dotenv(tmp_path: Path) -> None:
    root = project(tmp_path / "shop")
    (root / "compose.yaml").write_text("services:\n  cache:\n    image: redis:7\n")
    ok("sidecar", "generate", str(root))

    worker = compose_values((root / "compose.yaml").read_text())["services"]["worker"]
    assert container(worker, "", {"MAIL_PASSWORD": "word"})["MAIL_PASSWORD"] == "word"
    assert "MAIL_PASSWORD=" in (root / ".env.example").read_text().split()
