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


RAILS = {
    "config/application.rb": "class Application < Rails::Application; end\n",
    "app/jobs/sweep.rb": "class Sweep < Que::Job; end\n",
}
NODE = {"package.json": '{"dependencies": {"bullmq": "5"}}'}
CELERY = {
    "requirements.txt": "celery\n",
    "tasks.py": "from celery import Celery\napp = Celery(broker='redis://x')\n"
    "@app.task\ndef t(): ...\n",
}
DIGITS = "9" * 5_000


@pytest.mark.parametrize(
    "files",
    [
        RAILS | {"Gemfile": f'gem "rails"\ngem "que", "~> {DIGITS}"\n'},
        RAILS | {"Gemfile": 'gem "rails"\ngem "sidekiq"\n',
                 "app/jobs/sweep.rb": "class Sweep\n  include Sidekiq::Worker\nend\n",
                 "config/sidekiq.yml": f":concurrency: {DIGITS}\n"},
        CELERY | {"tasks.py": CELERY["tasks.py"].replace("'redis://x'", "+".join("b" * 900))},
        CELERY | {"start.sh": f"celery -A tasks worker ${{{DIGITS}}} ${{²}}\n",
                  "Dockerfile": 'FROM python:3.13\nCMD ["./start.sh"]\n'},
    ],
    ids=["version", "threads", "nested", "argument"],
)  # fmt: skip
def test_numbers_and_terms_without_an_end_are_no_error(
    files: dict[str, str], tmp_path: Path
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")

    make_plan(detect(tmp_path))


LONG = 20_000


@pytest.mark.parametrize(
    "files",
    [
        NODE | {"worker.js": "".join(f'const m{n} = require("bullmq");\n' for n in range(LONG))
                + 'new m1.Worker("mail", f);\n'},
        NODE | {"worker.js": 'const { Worker } = require("bullmq");\n' + "a$" * LONG},
        RAILS | {"Gemfile": 'gem "rails"\ngem "que"\n', "config/puma.rb": 'spawn"' * LONG},
        CELERY | {"setup.py": f"console_scripts = {'a' * 10 * LONG}"},
        CELERY | {"settings.py": f"import os\nos.environ['QUEUE_HOST']\n{'redis.' * 6 * LONG}"},
        CELERY | {".gitignore": "".join(f"x{n}\n" for n in range(7 * LONG))}
        | {f"d{n}/e/f/.env": "A=b\n" for n in range(300)},
        CELERY | {"tasks.py": CELERY["tasks.py"] + "import subprocess\n" + "".join(
            f"c{n} = 'celery worker'\nsubprocess.run(c{n})\n" for n in range(LONG // 7))},
        CELERY | {"tasks.py": CELERY["tasks.py"] + "import subprocess\n" + "".join(
            f"c{n} = [{f'c{n + 1}, ' * 30}]\n" for n in range(8)) + "subprocess.run(c0)\n"},
        CELERY | {"tasks.py": CELERY["tasks.py"] + "import subprocess\n" + "".join(
            f"c{n} = c{n + 1}\n" for n in range(LONG // 7)) + "subprocess.run(c0)\n"},
        CELERY | {"Dockerfile": "".join(
            f"FROM a AS s{n}\nCOPY --from=s{n - 1} / /\nCOPY a{n} /a{n}\nCMD celery worker\n"
            for n in range(1_000))},
    ],
    ids=["imports", "names", "spawns", "entries", "clients", "ignored", "commands", "words",
         "chain", "stages"],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_a_long_text_is_looked_through_once(files: dict[str, str], tmp_path: Path) -> None:
    """What goes through it once for each of its parts would take minutes."""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)

    detect(tmp_path)
