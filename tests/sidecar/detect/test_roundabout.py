"""Workers that are reached in a roundabout way: helpers, forks, aliases, variables, init."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import SERVES, commands, go, seen

MACHINERY = "module example.com/x\n\nrequire github.com/RichardKnop/machinery v1.10.0\n"
SERVER = """\
package jobs

import "github.com/RichardKnop/machinery/v1"

func Server() *machinery.Server { return nil }
"""
LAUNCHES = """\
package main

import "example.com/x/jobs"

func main() {
	server := jobs.Server()
	server.NewWorker("mail", 10).Launch()
}
"""


def test_a_method_of_what_another_package_made_makes_the_worker(tmp_path: Path) -> None:
    files = {"go.mod": MACHINERY, "jobs/server.go": SERVER, "cmd/worker/main.go": LAUNCHES}

    found = seen(tmp_path, files)

    assert [(each.framework, each.command) for each in found.units] == [
        ("machinery", ("go", "run", "./cmd/worker"))
    ]


def test_a_method_of_the_same_name_alone_makes_none(tmp_path: Path) -> None:
    other = SERVER.replace('import "github.com/RichardKnop/machinery/v1"', "")
    files = {"go.mod": MACHINERY, "jobs/server.go": other, "cmd/worker/main.go": LAUNCHES}

    assert seen(tmp_path, files).units == ()


def test_a_fork_may_have_its_version_in_its_name(tmp_path: Path) -> None:
    fork = "github.com/somebody/machinery-v1"
    files = {
        "go.mod": MACHINERY.replace("github.com/RichardKnop/machinery", fork),
        "jobs/server.go": SERVER.replace("github.com/RichardKnop/machinery", fork),
        "cmd/worker/main.go": LAUNCHES,
    }

    assert [each.framework for each in seen(tmp_path, files).units] == ["machinery"]


CLI = """\
package main

import (
	"github.com/hibiken/asynq"
	"github.com/urfave/cli/v2"
)

var commands = []*cli.Command{
	{
		Name:    "worker",
		Aliases: []string{"w"},
		Action: func(c *cli.Context) error {
			return asynq.NewServer(nil, asynq.Config{}).Run(nil)
		},
	},
	{
		Name:    "list",
		Action: func(c *cli.Context) error { return nil },
	},
	{
		Name:    "start",
		Action: func(c *cli.Context) error { return nil },
	},
	{
		Name:    "server",
		Aliases: []string{"s"},
		Action: func(c *cli.Context) error { return http.ListenAndServe(":80", nil) },
	},
}

func main() {}
"""


def test_a_sub_command_is_started_by_its_alias(tmp_path: Path) -> None:
    makefile = "s:\n\tgo run cmd/main.go s\n\nw:\n\tgo run cmd/main.go w\n"

    found = go(tmp_path, {"cmd/main.go": CLI, "Makefile": makefile})

    assert commands(found) == ["go run cmd/main.go w"]


def test_what_follows_a_worker_s_sub_command_may_only_tell_of_it(tmp_path: Path) -> None:
    readme = "```\n./cmd worker list\n./cmd worker start\n./cmd worker mail\n```\n"

    found = go(tmp_path, {"cmd/main.go": CLI, "README.md": readme})

    assert commands(found) == ["./cmd worker start", "./cmd worker mail"]


def test_a_flag_with_a_pipe_does_not_end_what_go_builds(tmp_path: Path) -> None:
    dockerfile = (
        "FROM golang:1.25\n"
        "RUN go build -o /bin/relay -ldflags \"-X main.version=$(git tag | sed 's/v//')\" .\n"
    )
    compose = "services:\n  worker: {build: ., command: relay worker}\n"
    files = {"main.go": CLI, "Dockerfile": dockerfile, "compose.yml": compose}

    assert commands(go(tmp_path, files)) == ["relay worker"]


def test_a_service_s_variable_says_which_sub_command_it_runs(tmp_path: Path) -> None:
    dockerfile = 'FROM golang:1.25\nRUN go build -o main ./cmd\nCMD ["./entry.sh"]\n'
    compose = (
        "services:\n"
        "  server: {build: ., environment: {ROLE: server}}\n"
        "  worker: {build: ., environment: {ROLE: worker}}\n"
    )
    files = {
        "cmd/main.go": CLI, "cmd/serve.go": SERVES.replace("main()", "serve()"),
        "entry.sh": "./main $ROLE\n", "Dockerfile": dockerfile, "compose.yml": compose,
    }  # fmt: skip

    assert commands(go(tmp_path, files)) == ["./main worker"]


EXPRESS = """\
import express from "express";
import "./workers/mail.js";

const app = express();
app.get("/", (req, res) => {
  res.json("at work");
});
MORE
app.listen(process.env.PORT);
"""


@pytest.mark.parametrize(
    ("more", "inside"),
    [
        ("", False),
        ('app.get("/orders", (req, res) => res.json([]));', True),
        ('app.use("/orders", orders);', True),
        ("routes(app);", True),
    ],
)
def test_an_app_that_only_says_it_is_there_is_the_worker_s(
    tmp_path: Path, more: str, inside: bool
) -> None:
    files = {
        "package.json": '{"dependencies": {"bullmq": "5", "express": "5"},'
                        ' "scripts": {"start": "node index.js"}}',
        "index.js": EXPRESS.replace("MORE", more),
        "workers/mail.js": 'import { Worker } from "bullmq";\nnew Worker("mail", run);\n',
    }  # fmt: skip

    found = seen(tmp_path, files)

    assert [each.framework for each in found.embedded] == (["bullmq"] if inside else [])
    assert commands(found) == ([] if inside else ["node index.js"])


def test_node_itself_runs_the_types_that_it_is_told_to_run(tmp_path: Path) -> None:
    package = '{"dependencies": {"bullmq": "5"}, "scripts": {"dev": "node --watch main.ts"}}'
    makes = 'import { Worker } from "bullmq";\nnew Worker("mail", run);\n'

    assert commands(seen(tmp_path, {"package.json": package, "main.ts": makes})) == ["node main.ts"]


@pytest.mark.parametrize(
    "helper",
    [
        "def worker_class():\n    from rq import SimpleWorker\n    return SimpleWorker\n",
        "from rq.worker import Worker\n\n\ndef worker_class():\n    return Worker\n",
    ],
)
def test_the_class_of_a_worker_may_come_from_a_helper(tmp_path: Path, helper: str) -> None:
    files = {
        "requirements.txt": "rq\n",
        "Procfile": "worker: python worker.py\n",
        "worker.py": "from shop.helper import worker_class\n\nworker_class()([]).work()\n",
        "shop/__init__.py": "",
        "shop/helper.py": helper,
    }

    found = seen(tmp_path, files)

    assert [(each.framework, each.command) for each in found.units] == [
        ("rq", ("python", "worker.py"))
    ]


def test_a_worker_of_flask_s_rq_is_one(tmp_path: Path) -> None:
    script = "from flask.ext.rq import get_worker\n\nget_worker().work()\n"
    files = {"requirements.txt": "Flask-RQ\nrq\n", "Procfile": "worker: python run.py\n"}

    found = seen(tmp_path, {**files, "run.py": script, "README.md": "$ rqworker\n"})

    assert commands(found) == ["python run.py"]


@pytest.mark.parametrize(
    ("name", "options", "role", "command"),
    [
        ("celeryd", "CELERYD_OPTS='--concurrency=8'", "worker",
         "celery -A shop.tasks worker --concurrency=8"),
        ("celerybeat-shop", "CELERYBEAT_OPTS=''", "scheduler", "celery -A shop.tasks beat"),
    ],
)  # fmt: skip
def test_celery_is_told_its_app_in_the_settings_for_init(
    tmp_path: Path, name: str, options: str, role: str, command: str
) -> None:
    text = f'CELERY_BIN="/srv/bin/celery"\nCELERY_APP="shop.tasks"\n{options}\n'
    files = {"requirements.txt": "celery\n", "shop/tasks.py": "", f"deploy/{name}": text}

    found = seen(tmp_path, files)

    assert [(each.role, " ".join(each.command)) for each in found.units] == [(role, command)]


ARQ = "services:\n  worker: {build: ., command: arq shop.work.Settings}\n"
POLLER = "  poller: {build: ., command: python -m shop.poller}\n"


@pytest.mark.parametrize(
    ("compose", "expected"),
    [
        (POLLER, ["arq shop.work.Settings", "python -m shop.poller"]),
        ("", ["arq shop.work.Settings"]),
    ],
)
def test_a_worker_without_a_framework_has_its_own_service(
    tmp_path: Path, compose: str, expected: list[str]
) -> None:
    files = {
        "requirements.txt": "arq\n",
        "Dockerfile": "FROM python:3.13\n",
        "Procfile": "poller: python -m shop.poller\n",
        "compose.yml": f"{ARQ}{compose}",
        "shop/__init__.py": "",
        "shop/work.py": "",
        "shop/poller.py": "print('asks')\n",
    }  # fmt: skip

    assert sorted(commands(seen(tmp_path, files))) == expected


def test_rabbitmq_beside_redis_is_the_broker(tmp_path: Path) -> None:
    compose = (
        "services:\n  redis: {image: redis}\n  rabbit: {image: rabbitmq}\n"
        "  worker: {build: ., command: celery -A shop worker, links: [rabbit, redis]}\n"
    )
    files = {"requirements.txt": "celery\nredis\n", "compose.yml": compose, "shop.py": ""}

    assert seen(tmp_path, files).brokers == ("rabbitmq",)


@pytest.mark.parametrize(
    ("module", "line", "expected"),
    [
        ("shop/worker.py", "python3 -u -m shop.worker", ["python3 -u -m shop.worker"]),
        ("shop/rq_worker.py", "python -m shop.rq_worker mail", ["python -m shop.rq_worker mail"]),
        ("shop/worker.py", "python -m elsewhere.worker", []),
        ("shop/workers_report.py", "python -m shop.workers_report", []),
    ],
)
def test_a_script_s_own_module_is_called_a_worker(
    tmp_path: Path, module: str, line: str, expected: list[str]
) -> None:
    files = {"requirements.txt": "redis\n", module: "", "shop/__init__.py": "", "run.sh": line}

    assert commands(seen(tmp_path, files)) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [("./cmd/worker", ["/relay"]), ("./cmd/worker/main.go", ["/relay"]), ("./cmd/relay", [])],
)
def test_an_image_s_program_without_a_framework_is_built_of_what_is_called_a_worker(
    tmp_path: Path, target: str, expected: list[str]
) -> None:
    dockerfile = f'FROM golang:1.25\nRUN go build -o /relay {target}\nENTRYPOINT ["/relay"]\n'
    files = {"go.mod": "module example.com/x\n", "cmd/worker/main.go": SERVES}

    assert commands(seen(tmp_path, {**files, "Dockerfile": dockerfile})) == expected
