"""The view of a tree: what is read, what is not, and that nothing outside of it is."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from stoker.errors import ConfigError
from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from stoker.sidecar.project import LARGEST, Project
from stoker.sidecar.render import render
from tests.sidecar.projects_expected import PROJECTS


def test_encodings_that_editors_write(tmp_path: Path) -> None:
    for name, encoding in {"a": "utf-8", "b": "utf-16", "c": "utf-8-sig", "d": "latin-1"}.items():
        (tmp_path / name).write_bytes("célery==5\r\n".encode(encoding))

    project = Project(tmp_path)

    assert [project.lines(name) for name in "abcd"] == [["célery==5"]] * 4
    assert list(project.telling("abcd", re.compile(rb"lery==\d\r\n"))) == list("abcd")


def test_what_a_project_is_taken_for_is_told_in_bytes_and_in_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("celery\n")
    (tmp_path / "b").write_text("celery\n")
    project = Project(tmp_path)
    assert (project.data("a"), project.line("a", 1)) == (b"celery\n", "celery")

    project.pretend({"a": "rq\n", "b": None})

    assert (project.data("a"), project.text("a"), project.line("a", 1)) == (b"rq\n", "rq\n", "rq")
    assert (project.data("b"), project.text("b"), project.files) == (b"", "", {"a"})


def test_what_is_no_text_or_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"celery\0\1\2")
    (tmp_path / "large").write_bytes(b"x" * (LARGEST + 1))

    project = Project(tmp_path)

    assert (project.text("binary"), project.text("large"), project.text("missing")) == ("", "", "")


def test_links_do_not_lead_out_of_the_tree_nor_round_in_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "Procfile").write_text("worker: bundle exec sidekiq\n")
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    (root / "Procfile").symlink_to(outside / "Procfile")
    (root / "there").symlink_to(outside)
    (root / "deep" / "up").symlink_to(root)
    (root / "real").write_text("inside")
    (root / "alias").symlink_to("real")

    project = Project(root)

    assert project.files == {"real", "alias"}
    assert detect(root).units == ()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Procfile")

    assert detect(tmp_path).units == ()


def test_what_others_installed_or_built_is_passed_over(tmp_path: Path) -> None:
    for name in ("node_modules", "vendor", ".venv", ".git", ".history", "target"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Procfile").write_text("worker: celery -A x worker\n")

    assert Project(tmp_path).files == frozenset()


@pytest.mark.parametrize(
    ("files", "downloads"),
    [
        ({}, False),
        ({"go.mod": "module example.org/shop\n\nrequire github.com/hibiken/asynq v1.0.0\n"}, False),
        ({".gitignore": "*.out\n# vendor\n/vendored/\n"}, False),
        ({".gitignore": "*.out\n/vendor/\n"}, True),
        ({".gitignore": "vendor"}, True),
        ({"go.mod": "module example.org/shop\n\ngo 1.13\n\nrequire github.com/hibiken/asynq v1\n"},
         True),
        ({"vendor/modules.txt": None}, True),
    ],
)  # fmt: skip
def test_what_go_finds_in_vendor_is_not_downloaded(
    files: dict[str, str | None], downloads: bool, tmp_path: Path
) -> None:
    project = tmp_path / "shop"
    shutil.copytree(PROJECTS / "asynq-vendor", project)
    for name, text in files.items():
        (project / name).unlink() if text is None else (project / name).write_text(text)

    text = render(make_plan(detect(project), "shop"))["Dockerfile"].text

    assert ('RUN ["go", "mod", "download"]' in text) == downloads


def test_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.txt").write_text("celery\n")
    (tmp_path / "tasks.py").write_text("from celery import Celery\napp = Celery()\n")
    (tmp_path / "compose.yaml").write_text("services: {w: {command: celery -A tasks worker}}\n")
    opened: list[str] = []
    whole = os.open

    def counting(path: str, *arguments: int, **more: int) -> int:
        opened.append(path)
        return whole(path, *arguments, **more)

    monkeypatch.setattr(os, "open", counting)

    assert len(detect(tmp_path).units) == 1
    assert sorted(opened) == sorted(set(opened)) != []


def test_names_match_as_a_whole_and_in_any_case(tmp_path: Path) -> None:
    for name in ("Makefile", "a/makefile", "makefile.old", "my-makefile", "make\nmakefile"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")

    assert Project(tmp_path).matching(r"make(file)?|GNUMakefile") == ["Makefile", "a/makefile"]


def test_what_is_no_directory_is_refused_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="no directory") as refused:
        Project(tmp_path / "file")

    assert refused.value.hint


def test_the_database_of_an_application_is_the_postgresql_of_its_worker(tmp_path: Path) -> None:
    for name, text in {
        "Gemfile": 'gem "rails"\ngem "pg"\ngem "good_job"\ngem "clockwork"\n',
        "Gemfile.lock": "GEM\n  specs:\n    clockwork (3)\n    good_job (4)\n    rails (8)\n",
        "Procfile": "worker: bundle exec good_job start\nclock: bundle exec clockwork clock.rb\n",
        "clock.rb": "require 'clockwork'\n",
    }.items():
        (tmp_path / name).write_text(text)

    plan = make_plan(detect(tmp_path), "shop")

    assert [store.name for store in plan.stores] == ["postgres"]
    assert {service.name: service.needs for service in plan.services} == {
        "worker": ("postgres",),
        "clock": ("postgres",),
    }


def test_what_is_called_a_dummy_within_the_source_is_the_projects_own(tmp_path: Path) -> None:
    for path in ("src/orders/dummy/service.ts", "dummy/config.ts", "spec/dummy/app.rb"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("")
    project = Project(tmp_path)

    aside = [path for path in project.files if project.is_aside(path)]

    assert sorted(aside) == ["dummy/config.ts", "spec/dummy/app.rb"]


def test_a_directory_called_somebody_s_bench_measures_it(tmp_path: Path) -> None:
    for path in ("river-bench/main.go", "workbench/main.go"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text("")
    project = Project(tmp_path)

    assert [path for path in project.files if project.is_aside(path)] == ["river-bench/main.go"]


def test_a_copy_has_the_files_of_what_it_was_copied_from(tmp_path: Path) -> None:
    for path in ("user/a.py", "user/b.py", "user_old/a.py", "user_old/b.py", "user_old/sub/c.py",
                 "user_copy/copy.py", "report/a.py", "report.backup/a.py",
                 "report.backup/x/y/z.py", "report.backup/x/b.py", "shop-orig/a.py",
                 "user.bak/a.py"):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    project = Project(tmp_path)

    assert [path for path in project.ordered if project.is_aside(path)] == ["user.bak/a.py"]

    (tmp_path / "user/sub").mkdir()
    (tmp_path / "user/sub/c.py").write_text("")
    project = Project(tmp_path)
    assert project.is_aside("user_old/sub/c.py")
