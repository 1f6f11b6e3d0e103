"""What git leaves out counts for nobody: two developers have the same files written."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.ignored import is_ignored, rules
from stoker.sidecar.plan import Plan
from stoker.sidecar.planning import make_plan
from stoker.sidecar.project import Project
from stoker.sidecar.render import render

PATHS = (".env", "a/.env", "a/b/.env", "a/b/web.env", ".env.local", ".env.example", "a/x/.env")


@pytest.mark.parametrize(
    "lines",
    [
        {"": ".env\n"},
        {"": "/.env\n"},
        {"": ".env*\n!.env.example\n"},
        {"": "!.env\n.env\n"},
        {"": "a/\n!a/.env\n"},
        {"": "a/*\n!a/b\n"},
        {"": "a/**\n"},
        {"": "**/b/*.env\n"},
        {"": "a/**/.env\n"},
        {"": ".env/\nb/\n"},
        {"": "*.env  \n# .env.local\n\\#x\n\n"},
        {"": ".en[!a]\n.en[^v].local\n?env.local\n"},
        {"": "\\.env\n[.env\n.env.loca\\l\n"},
        {"": "*.env\n", "a": "!.env\nx\n"},
        {"": "a/b\n", "a/b": "!.env\n"},
        {"a": "/.env\n/b/.env\n"},
        {"": "nothing\n"},
    ],
    ids=str,
)
def test_it_is_what_git_leaves_out(tmp_path: Path, lines: Mapping[str, str]) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    known = [
        rule
        for folder, text in lines.items()
        for rule in rules(text, f"{folder}/" if folder else "")
    ]
    for folder, text in lines.items():
        (tmp_path / folder / ".gitignore").write_text(text)
    told = subprocess.run(
        ["git", "check-ignore", "--no-index", *PATHS],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert [path for path in PATHS if is_ignored(path, known)] == told.stdout.split()


def test_many_asterisks_take_no_time() -> None:
    known = list(rules("a*" * 500 + "b\n" + "**/a/" * 200 + "b\n"))

    assert not is_ignored("a/" * 200 + "a" * 250, known)


def test_a_line_with_more_folders_than_any_path_is_none() -> None:
    assert list(rules("*/**/" * 100 + "b\n")) == []
    assert is_ignored("a/b/c/b", list(rules("*/**/" * 2 + "b\n")))


def test_a_folder_above_may_leave_it_out_too(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (tmp_path / ".gitignore").write_text("shop/.env\n")
    (root / ".env").write_text("A=1\n")
    assert ".env" in Project(root).files

    (tmp_path / ".git").mkdir()

    assert ".env" not in Project(root).files


@pytest.mark.parametrize("name", [".env", "x" * 250 + ".env"])
@pytest.mark.parametrize("folder", ["", "shop"])
def test_what_was_added_all_the_same_is_there(tmp_path: Path, folder: str, name: str) -> None:
    root, tree = tmp_path / "own", tmp_path / "tree"
    (root / folder).mkdir(parents=True)
    (root / ".gitignore").write_text("*.env\n")
    for each in (name, "b.env"):
        (root / folder / each).touch()

    def git(*words: str) -> None:
        asked = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *asked, *words], cwd=root, check=True, capture_output=True)

    git("init")
    git("add", ".gitignore")
    git("add", "--force", f"{folder or '.'}/{name}")
    git("commit", "--message", "a")
    git("worktree", "add", str(tree))
    (tree / folder / "b.env").touch()

    for each in (root, tree):
        project = Project(each / folder)
        assert name in project.files
        assert "b.env" not in project.files


def planned(root: Path, *every: Mapping[str, str]) -> Plan:
    for path, text in {path: text for files in every for path, text in files.items()}.items():
        (root / path).write_text(text)
    return make_plan(detect(root))


def written(plan: Plan) -> dict[str, str]:
    return {path: file.text for path, file in render(plan).items()}


SHOP = {
    ".gitignore": ".env\nweb.env\n",
    "requirements.txt": "celery[redis]\npsycopg2\n",
    "tasks.py": "import os\nfrom celery import Celery\n"
    'app = Celery("t", broker=os.environ["REDIS_URL"])\ndb = os.environ["DATABASE_URL"]\n',
    "compose.yaml": """\
services:
  web: {build: ., command: gunicorn shop, env_file: web.env}
  worker:
    build: .
    command: celery -A tasks worker -Q ${QUEUES} --concurrency ${CONC:-2}
  redis: {image: redis:7}
  db: {image: "postgres:${PGV}"}
""",
    "Dockerfile": "FROM python:3.13\n",
}
OWN = {
    ".env": "QUEUES=fast,slow\nCONC=8\nPGV=15\nREDIS_URL=rediss://:pw@queue.example.net\n",
    "web.env": "DATABASE_URL=postgres://a:pw@db.example.net/a\n",
}


def test_a_clone_has_the_same_written(tmp_path: Path) -> None:
    clone = planned(tmp_path, SHOP)

    own = planned(tmp_path, OWN)

    assert (written(own), own.notes) == (written(clone), clone.notes)
    [worker] = own.services
    assert worker.command[2] == "exec celery -A tasks worker -Q ${QUEUES} --concurrency 2"
    unsaid = "and no file in git says what"
    say = "say it in .env.example, or give a default where it is put in"
    assert {
        f"compose.yaml:5: worker is started with QUEUES, {unsaid} that is: {say}",
        f"compose.yaml: db is made of postgres:${{PGV}}, {unsaid} PGV is: {say}",
    } <= {*own.notes}


def test_what_everybody_is_told_to_write_counts(tmp_path: Path) -> None:
    plan = planned(tmp_path, SHOP, OWN, {".env.example": "QUEUES=mail,media\nPGV=16\nCONC=\n"})

    [worker] = plan.services
    assert worker.queues == ("mail", "media")
    assert worker.concurrency == 2
    assert {store.image for store in plan.stores} == {"redis:7", "postgres:16"}
    assert not [note for note in plan.notes if "no file in git" in note]


def test_what_git_has_counts(tmp_path: Path) -> None:
    plan = planned(tmp_path, SHOP, OWN, {".gitignore": "*.pyc\n"})

    [worker] = plan.services
    assert (worker.queues, worker.concurrency) == (("fast", "slow"), 8)
