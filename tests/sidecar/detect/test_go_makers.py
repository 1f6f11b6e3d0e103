"""Who makes a worker in a project of Go: itself, a library for it, or nobody; and who runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import ASYNQ, commands, go, seen

CLIENT = """\
package main

import (
	"github.com/riverqueue/river"
	"example.com/x/jobs"
)

func main() {
	workers := river.NewWorkers()
	river.AddWorker(workers, &jobs.Mail{})
	client, _ := river.NewClient(driver, &river.Config{Workers: workers%s})
	client.Insert(ctx, jobs.Args{}, nil)
}
"""
WORKER = """\
package worker

import "github.com/hibiken/asynq"

func New() *asynq.Server {
	return asynq.NewServer(asynq.RedisClientOpt{}, asynq.Config{})
}
"""
RUNS = """\
package main

import "example.com/x/worker"

func main() {
	worker.New().Run(nil)
}
"""


def test_a_client_of_river_without_queues_only_adds(tmp_path: Path) -> None:
    module = "module example.com/x\n\nrequire github.com/riverqueue/river v0.20.0\n"
    adds = {"go.mod": module, "cmd/one/main.go": CLIENT % ""}
    works = {"cmd/two/main.go": CLIENT % ", Queues: queues"}

    assert seen(tmp_path, adds).units == ()
    assert commands(seen(tmp_path, adds | works)) == ["go run ./cmd/two"]


@pytest.mark.parametrize(
    "maker",
    [
        # Its own server, of a package that brings Asynq along.
        'import "example.org/kit/transport/asynq"\n\n'
        "func main() {\n\tasynq.NewServer().Start(nil)\n}\n",
        # Handlers, for a server that a library makes.
        'import (\n\t"example.org/kit/work"\n\t"github.com/hibiken/asynq"\n)\n\n'
        "func main() {\n\tmux := asynq.NewServeMux()\n\twork.Run(mux)\n}\n",
    ],
    ids=["named after it", "handlers"],
)
def test_a_library_may_make_the_worker(tmp_path: Path, maker: str) -> None:
    found = go(tmp_path, {"main.go": f"package main\n\n{maker}"})

    assert commands(found) == ["go run ."]


def test_handlers_are_no_worker_where_the_project_makes_one(tmp_path: Path) -> None:
    shows = (
        'package main\n\nimport "github.com/hibiken/asynq"\n\n'
        "func main() {\n\tprint(asynq.NewServeMux())\n}\n"
    )

    found = go(tmp_path, {"cmd/run/main.go": ASYNQ, "cmd/show/main.go": shows})

    assert commands(found) == ["go run ./cmd/run"]


@pytest.mark.parametrize("other", ["queue", "inspect"])
def test_the_program_that_is_called_a_worker_is_the_one(tmp_path: Path, other: str) -> None:
    source = {"worker/worker.go": WORKER, f"cmd/{other}/main.go": RUNS}
    makefile = f"queue:\n\tgo run ./cmd/{other}\nwork:\n\tgo run ./cmd/worker\n"

    both = {"Makefile": makefile, "cmd/worker/main.go": RUNS}

    assert commands(go(tmp_path, source)) == [f"go run ./cmd/{other}"]
    assert commands(go(tmp_path, both)) == ["go run ./cmd/worker"]


@pytest.mark.parametrize(
    ("build", "words", "works"),
    [
        ('cmd = "go build -o tmp/x ./cmd/tasks"', "air -c .air.work.toml", True),
        ('cmd = "go build -o tmp/x ./cmd/web"', "air -c .air.work.toml", False),
        ('cmd = "go build -o tmp/x ./cmd/tasks"', "air", False),
        ("cmd = [", "air -c .air.work.toml", False),
    ],
)
def test_air_starts_what_its_file_builds(
    tmp_path: Path, build: str, words: str, works: bool
) -> None:
    files = {
        "docker-compose.yml": f"services:\n  jobs:\n    build: .\n    command: {words}\n",
        ".air.work.toml": f"[build]\n{build}\n",
        "worker/worker.go": WORKER,
        "cmd/tasks/main.go": RUNS,
        "cmd/web/main.go": "package main\n\nfunc main() {}\n",
    }

    [unit] = go(tmp_path, files).units

    assert (unit.name == "jobs") == works


def test_an_image_of_others_has_none_of_the_projects_programs(tmp_path: Path) -> None:
    compose = (
        "services:\n  bucket:\n    image: example.org/mc:1\n    command: /usr/bin/mc mb jobs/a\n"
        "  jobs:\n    build: .\n    command: /usr/bin/x\n"
    )

    found = go(tmp_path, {"docker-compose.yml": compose, "main.go": ASYNQ})

    assert [unit.name for unit in found.units] == ["jobs"]


def test_a_path_in_a_text_is_no_command(tmp_path: Path) -> None:
    readme = "Ask `/api/worker-health`, see `cmd/worker`, and start `bin/worker`.\n"

    [unit] = go(tmp_path, {"README.md": readme, "cmd/worker/main.go": ASYNQ}).units

    assert (unit.command, unit.alternatives) == (("bin/worker",), (("go", "run", "./cmd/worker"),))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Gopkg.toml", '[[constraint]]\n  name = "github.com/hibiken/asynq"\n'),
        ("glide.yaml", "package: example.com/me/x\nimport:\n- package: github.com/hibiken/asynq\n"),
        ("Godeps/Godeps.json", '{"Deps": [\n{"ImportPath": "github.com/hibiken/asynq"}]}\n'),
        ("README.md", ""),
    ],
)
def test_a_project_from_before_modules_has_a_path_of_its_own(
    tmp_path: Path, name: str, text: str
) -> None:
    runs = RUNS.replace("example.com/x/", "example.com/me/x/")

    found = seen(tmp_path, {name: text, "worker/worker.go": WORKER, "cmd/jobs/main.go": runs})

    assert commands(found) == ["go run ./cmd/jobs"]
    assert any(note.startswith("go.mod: missing") for note in found.notes)


def test_a_function_of_a_usual_name_is_its_packages(tmp_path: Path) -> None:
    made = (
        'package {0}\n\nimport "github.com/spf13/cobra"\n\n'
        'func New() *cobra.Command {{\n\tcmd := &cobra.Command{{\n\t\tUse: "{1}",\n{2}\t}}\n'
        "{3}\treturn cmd\n}}\n"
    )
    consume = made.format("consume", "consume", "\t\tRunE: run(worker.New),\n", "").replace(
        "import ", 'import "example.com/x/worker"\nimport '
    )
    root = made.format("root", "api", "", "\tcmd.AddCommand(consume.New())\n").replace(
        "import ", 'import "example.com/x/consume"\nimport '
    )
    main = (
        'package main\n\nimport "example.com/x/root"\n\nfunc main() {\n\troot.New().Execute()\n}\n'
    )

    found = go(
        tmp_path,
        {
            "worker/worker.go": WORKER,
            "consume/consume.go": consume,
            "root/root.go": root,
            "main.go": main,
        },
    )

    assert commands(found) == ["./x consume"]
