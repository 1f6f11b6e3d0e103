"""How much work a detection is, counted and not timed: what it grows with, and what it does not."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.project import Project

_WORKERS = {
    "package.json": '{"name": "shop", "dependencies": {"bullmq": "5"}}',
    "src/worker.ts": 'import { Worker } from "bullmq";\nnew Worker("mail", send);\n',
    "requirements.txt": "celery\n",
    "tasks.py": "from celery import Celery\n\napp = Celery()\n",
    "go.mod": "module shop\n\nrequire github.com/hibiken/asynq v0.24.1\n",
    "cmd/worker/main.go": (
        'package main\n\nimport "github.com/hibiken/asynq"\n\n'
        "func main() {\n\tasynq.NewServer(redis, asynq.Config{})\n}\n"
    ),
    "Cargo.toml": '[package]\nname = "shop"\n\n[dependencies]\napalis = "0.6"\n',
    "src/main.rs": "use apalis::prelude::*;\n\nfn main() { WorkerBuilder::new(1); }\n",
    "deploy/prod.yml": "services: {redis: {image: redis}}\n",
}
_UNRELATED = {
    "page{}.ts": 'import { add } from "./page0";\nexport const view = add("a", env.PORT);\n',
    "queue{}.ts": 'import { Queue } from "bullmq";\nexport const mail = new Queue("mail");\n',
    "view{}.py": "import json\n\n\ndef view():\n    return json.dumps({})\n",
    "page{}.go": "package shop\n\nfunc Page() string { return `page` }\n",
    "page{}.rs": "pub fn page() -> String { String::new() }\n",
    "page{}.md": "# A page\n\nWhat it shows.\n",
    "page{}.yaml": "page: shown\n",
    "page{}/prod.yml": "page: shown\n",
}


def _write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def _shop(root: Path, pages: int) -> Path:
    unrelated = {
        f"src/{number % 10}/{name.format(number)}": text
        for number in range(pages)
        for name, text in _UNRELATED.items()
    }
    return _write(root, _WORKERS | unrelated)


def _monorepo(root: Path, packages: int) -> Path:
    return _write(root, _WORKERS | {
        f"apps/p{number}/{name}": text
        for number in range(packages)
        for name, text in {
            "package.json": f'{{"name": "p{number}", "scripts": {{"start": "node main.js"}}, '
                            f'"dependencies": {{"p{number + 1}": "*", "left-pad": "1"}}}}',
            "pyproject.toml": f'[project]\nname = "p{number}"\ndependencies = ["django"]\n',
            "src/index.ts": f'import {{ add }} from "p{number + 1}";\nexport * from "@/shown";\n',
            "src/shown.ts": "export const shown = 1;\n",
            "compose.yaml": "services: {web: {build: ., command: npm start, image: shop}}\n",
            "Makefile": "queue:\n\tnpm start\n",
            "README.md": "The queue:\n\n```\nnpm start\nmake queue\n```\n",
            "bin/start.sh": "set -e\nexport MODE=queue\nnode main.js\n",
        }.items()
    })  # fmt: skip


@contextmanager
def _counted() -> Iterator[Counter[str]]:
    """Count the calls of all functions by their names."""
    found: Counter[str] = Counter()

    def count(frame: FrameType, event: str, called: object) -> None:
        if event == "call":
            found[f"{frame.f_globals['__name__']}.{frame.f_code.co_qualname}"] += 1
        elif event == "c_call":
            found[getattr(called, "__qualname__", "")] += 1

    sys.setprofile(count)
    try:
        yield found
    finally:
        sys.setprofile(None)


def _work(root: Path) -> Counter[str]:
    with _counted() as found:
        assert detect(root).units
    return found


def test_what_has_nothing_to_do_with_workers_is_not_parsed(tmp_path: Path) -> None:
    few, many = (_work(_shop(tmp_path / str(pages), pages)) for pages in (2, 40))

    for parse in ("ast.parse", "Parser.parse", "ruamel.yaml.main.YAML.compose_all"):
        assert few[parse] == many[parse] > 0


@pytest.mark.parametrize("made", [_shop, _monorepo])
def test_the_work_grows_with_the_files_and_no_faster(
    tmp_path: Path, made: Callable[[Path, int], Path]
) -> None:
    _work(made(tmp_path / "first", 1))  # what is done once for all: imports, patterns, grammars

    few, many = (_work(made(tmp_path / str(count), count)) for count in (10, 40))

    assert {name: many[name] for name in many if many[name] > 4 * few[name] + 100} == {}


def test_of_ten_thousand_files_each_is_read_once_and_few_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = _shop(tmp_path, 10_000 // len(_UNRELATED))
    opened: Counter[str] = Counter()
    decoded: set[str] = set()
    opening, saying = os.open, Project.text

    def counted(path: str, *arguments: int) -> int:
        opened[path] += 1
        return opening(path, *arguments)

    def noted(project: Project, path: str) -> str:
        if path in project.files:
            decoded.add(path)
        return saying(project, path)

    monkeypatch.setattr(os, "open", counted)
    monkeypatch.setattr(Project, "text", noted)

    found = detect(root)

    assert {unit.framework for unit in found.units} == {"bullmq", "celery", "asynq", "apalis"}
    assert len(opened) == opened.total() == 10_000 + len(_WORKERS)
    assert decoded <= set(_WORKERS)


def _programs(root: Path, count: int) -> Path:
    files = {
        "go.mod": "module shop\n\nrequire github.com/hibiken/asynq v0.24.1\n",
        "jobs/jobs.go": (
            'package jobs\n\nimport "github.com/hibiken/asynq"\n\n'
            "func Start() {\n\tasynq.NewServer(redis, asynq.Config{})\n}\n"
        ),
        "cli/cli.go": 'package cli\n\nvar work = &cobra.Command{\n\tUse: "work",\n}\n',
    }
    main = (
        'package main\n\nimport (\n\t"shop/jobs"\n\t"shop/cli"\n)\n\nfunc main() { jobs.Start() }\n'
    )
    files |= {f"cmd/worker{number}/main.go": main for number in range(count)}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_file_of_go_is_looked_through_once_for_all_programs(tmp_path: Path) -> None:
    few, many = (_work(_programs(tmp_path / str(count), count)) for count in (2, 8))

    name = "stoker.sidecar.detect.source.go_commands._commands"
    assert few[name] == many[name] > 0
