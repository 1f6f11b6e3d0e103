"""Files that somebody broke, on purpose or not: notes that name the file, and never a traceback."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan

FILES = (
    "package.json", "pyproject.toml", "Cargo.toml", "requirements.txt", "Pipfile", "setup.py",
    "setup.cfg", "Gemfile", "Gemfile.lock", "go.mod", "compose.yaml", "Procfile", "Dockerfile",
    "Makefile", "supervisord.conf", "render.yaml", "ecosystem.config.js", "README.md", "start.sh",
    "tasks.py", "worker.ts", "main.go", "src/main.rs", "config/sidekiq.yml",
)  # fmt: skip
GRAINS = (
    "services:\n  w:\n    command: ", "celery -A x worker",
    "from celery import Celery\napp = Celery()\n",
    '{"scripts": {"worker": "', '"}, "dependencies": {"bullmq": "5"}}', "$(rm -rf /)", "`id`",
    "${X:-",
    "'", '"', "\\\n", "\n", "\t", "&a [*a, *a]", "<<: *a", "FROM x AS y\nCMD [", "gem 'sidekiq'",
    'import { Worker } from "bullmq";\nnew Worker("q");', "require github.com/hibiken/asynq v1\n",
    "asynq.NewServer(", "[dependencies]\nfaktory = 1", "worker: ", "\ud7ff", "../../etc/passwd",
    "\x00",
    "\x1b[31m", "!!python/object/apply:os.system [id]", "-" * 300, "[" * 400, "cd .. && ", "%",
    "{{x}}",
)  # fmt: skip
text = st.lists(st.one_of(st.sampled_from(GRAINS), st.text(max_size=20)), max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(FILES), text, min_size=1, max_size=5))
def test_whatever_the_files_say_it_is_seen_and_planned_without_an_error(
    files: dict[str, str],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8", "surrogatepass"))
        before = sorted(str(path) for path in Path(folder).rglob("*"))

        detection = detect(folder)
        plan = make_plan(detection)

        msgspec.json.encode((detection, plan))
        assert sorted(str(path) for path in Path(folder).rglob("*")) == before
        assert all(note.partition(":")[0] in files for note in detection.notes)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("package.json", '{\n"a": }', 2),
        ("pyproject.toml", "[a]\nb = \n", 2),
        ("Cargo.toml", "[a\n", 1),
        ("compose.yaml", "services:\n  a: [\n", 3),
    ],
)
def test_a_broken_manifest_is_named_with_its_line(
    name: str, content: str, line: int, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)

    (note,) = detect(tmp_path).notes

    assert note.startswith(f"{name}:{line}: ")
    assert note.endswith("; correct it")


def test_a_name_with_a_line_break_stays_in_its_note(tmp_path: Path) -> None:
    (tmp_path / "a\nb").mkdir()
    (tmp_path / "a\nb" / "package.json").write_text("{")

    (note,) = detect(tmp_path).notes

    assert "\n" not in note


def test_aliases_that_multiply_are_not_multiplied(tmp_path: Path) -> None:
    lines = ["a0: &a0 {command: x}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (tmp_path / "compose.yaml").write_text("\n".join([*lines, "services: {w: *a11}"]))

    assert detect(tmp_path).units == ()
