"""A service of Stoker's that a person changed is that person's; everything else stays as it was."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.support import ok
from tests.sidecar.projects_expected import PROJECTS
from tests.sidecar.write.test_chosen_programs import put

NAMES = [
    "arq-settings", "bullmq-dotenv-redis", "resque-wrapped", "stoker-one-queue",
    "stoker-two-apps",
]  # fmt: skip
RAILS = {
    "Gemfile": 'gem "rails"\ngem "pg"\ngem "solid_queue"\n',
    "Dockerfile": "FROM ruby:3.3\nWORKDIR /rails\nCOPY . .\n",
    "config/application.rb": "module Blog\nend\n",
    "config/environments/production.rb": "Rails.application.configure do\n"
    "  config.active_job.queue_adapter = :solid_queue\n"
    "  config.solid_queue.connects_to = { database: { writing: :queue } }\nend\n",
    "config/database.yml": "default: &default\n  adapter: postgresql\n"
    "production:\n"
    "  primary:\n    <<: *default\n    database: blog_production\n"
    "  queue:\n    <<: *default\n    database: blog_production_queue\n"
    "    migrations_paths: db/queue_migrate\n",
    "bin/jobs": "#!/usr/bin/env ruby\nrequire 'solid_queue/cli'\nSolidQueue::Cli.start(ARGV)\n",
    "compose.yaml": "services:\n  db:\n    image: postgres:16\n    environment:\n"
    "      POSTGRES_USER: blog\n      POSTGRES_PASSWORD: blog\n",
}


def others(root: Path, changed: str) -> dict[str, bytes]:
    """Return every file but one, and what editors open: that names the services of a person."""
    every = (path for path in root.rglob("*") if path.is_file())
    files = (path for path in every if ".devcontainer" not in path.parts)
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
    del found[changed]
    return found


def edit(root: Path, path: str) -> None:
    text = (root / path).read_text()
    made = re.sub(r"stop_grace_period: \d+s", "stop_grace_period: 77s", text, count=1)
    assert made != text
    (root / path).write_text(made)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *((name, path) for name in NAMES for path in ("compose.yaml", "compose.prod.yaml")),
        ("celery-compose", "compose.prod.yaml"),
    ],
)
def test_one_edit_changes_no_other_file(name: str, path: str, tmp_path: Path) -> None:
    root = tmp_path / name
    shutil.copytree(PROJECTS / name, root)
    ok("sidecar", "generate", str(root), "--target", "all")
    before = others(root, path)

    edit(root, path)
    ok("sidecar", "generate", str(root), "--target", "all")

    assert others(root, path) == before
    assert "stop_grace_period: 77s" in (root / path).read_text()


@pytest.mark.parametrize("name", ["bullmq-typescript", "celery-source", "asynq-cmd"])
def test_nor_does_one_of_a_dockerfile(name: str, tmp_path: Path) -> None:
    root = tmp_path / name
    shutil.copytree(PROJECTS / name, root)
    ok("sidecar", "generate", str(root), "--target", "all")
    path = min(each.name for each in root.glob("Dockerfile*"))
    before = others(root, path)
    text = (root / path).read_text()
    made = re.sub(r"(FROM \S+ AS \w+\n)", r"\1RUN install-what-a-job-needs\n", text, count=1)

    (root / path).write_text(made)
    ok("sidecar", "generate", str(root), "--target", "all")

    assert others(root, path) == before
    assert (root / path).read_text() == made


def test_a_dockerfile_that_was_written_anew_is_the_projects_own(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    shutil.copytree(PROJECTS / "celery-source", root)
    ok("sidecar", "generate", str(root))
    text = (root / "Dockerfile").read_text()

    (root / "Dockerfile").write_text(text.replace(" AS worker", " AS jobs"))
    ok("sidecar", "generate", str(root))

    assert "target: worker" not in (root / "compose.yaml").read_text()


def test_the_databases_of_rails_keep_their_names(tmp_path: Path) -> None:
    put(tmp_path, RAILS)
    ok("sidecar", "generate", str(tmp_path), "--target", "all")
    before = others(tmp_path, "compose.yaml")
    assert b"@db:5432/blog_production'" in before["compose.prod.yaml"]
    assert b"@db:5432/blog_production_queue'" in before["compose.prod.yaml"]

    edit(tmp_path, "compose.yaml")
    ok("sidecar", "generate", str(tmp_path), "--target", "all")

    assert others(tmp_path, "compose.yaml") == before
