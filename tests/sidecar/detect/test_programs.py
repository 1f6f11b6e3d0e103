"""Which program a command starts, and what it runs for its arguments."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.detection import Detection

ASYNQ = """\
package main

import "github.com/hibiken/asynq"

func main() {
	server := asynq.NewServer(asynq.RedisClientOpt{}, asynq.Config{})
	server.Run(nil)
}
"""
SERVES = """\
package main

import "net/http"

func main() {
	http.ListenAndServe(":8080", nil)
}
"""


def seen(root: Path, files: dict[str, str]) -> Detection:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return detect(root)


def commands(found: Detection) -> list[str]:
    return [" ".join(unit.command) for unit in found.units if unit.role == "worker"]


def go(root: Path, files: dict[str, str]) -> Detection:
    module = "module example.com/x\n\nrequire github.com/hibiken/asynq v0.25.0\n"
    return seen(root, {"go.mod": module} | files)


def test_a_binary_is_what_the_dockerfile_builds_under_its_name(tmp_path: Path) -> None:
    dockerfile = (
        "FROM golang:1.25 AS build\nCOPY . .\n"
        "RUN go build -o /out/api ./cmd/one \\\n && go build -o /out/tasks ./cmd/two\n"
        'FROM alpine:3.22\nCOPY --from=build /out /app\nCMD ["/app/api"]\n'
    )
    compose = (
        "services:\n  api: {build: ., command: /app/api}\n"
        "  tasks: {build: ., command: /app/tasks}\n"
    )

    found = go(
        tmp_path,
        {
            "Dockerfile": dockerfile,
            "compose.yaml": compose,
            "cmd/one/main.go": SERVES,
            "cmd/two/main.go": ASYNQ,
        },
    )

    assert commands(found) == ["/app/tasks"]


def test_of_one_program_the_service_that_is_called_a_worker_is_one(tmp_path: Path) -> None:
    both = ASYNQ.replace("server.Run(nil)", "server.Start(nil)\n\thttp.ListenAndServe(``, nil)")
    compose = (
        "services:\n  web: {build: ., command: ./x}\n"
        "  worker: {build: ., command: ./x, environment: {ROLE: worker, URL: 'http://a'}}\n"
    )

    found = go(tmp_path, {"compose.yaml": compose, "main.go": both})

    assert [(unit.name, unit.environment) for unit in found.units] == [
        ("worker", {"ROLE": "worker"})
    ]


@pytest.mark.parametrize(
    "dispatch",
    [
        'if sys.argv[1] == "worker":\n    work()\nelif sys.argv[1] == "api":\n    serve()\n',
        'match sys.argv[1]:\n    case "worker":\n        work()\n    case _:\n        serve()\n',
    ],
    ids=["if", "match"],
)
def test_a_python_program_is_what_its_argument_says(tmp_path: Path, dispatch: str) -> None:
    program = (
        "import sys\nfrom redis import Redis\nfrom rq import Queue, Worker\n\n"
        "def work():\n    Worker([Queue('mail')], connection=Redis()).work()\n\n"
        f"def serve():\n    pass\n\n{dispatch}"
    )
    procfile = "web: python main.py api\njobs: python main.py worker\n"

    found = seen(
        tmp_path,
        {"Procfile": procfile, "main.py": program, "requirements.txt": "rq\nredis\n"},
    )

    assert commands(found) == ["python main.py worker"]


def test_a_command_of_click_is_what_its_function_does(tmp_path: Path) -> None:
    program = (
        "import click\nfrom redis import Redis\nfrom rq import Queue, Worker\n\n"
        "@click.group()\ndef cli():\n    pass\n\n"
        "@cli.command('run-jobs')\ndef run():\n"
        "    Worker([Queue('mail')], connection=Redis()).work()\n\n"
        "@cli.command()\ndef worker_report():\n    pass\n"
    )
    procfile = "a: python cli.py run-jobs\nb: python cli.py worker-report\n"

    found = seen(
        tmp_path,
        {"Procfile": procfile, "cli.py": program, "requirements.txt": "rq\nredis\n"},
    )

    assert commands(found) == ["python cli.py run-jobs"]


def test_what_is_cloned_is_the_project_itself(tmp_path: Path) -> None:
    readme = (
        "```\ngit clone https://example.com/acme/worker.git\ncd worker\n"
        "go build -o jobs ./cmd/jobs\n./jobs worker\n```\n"
    )

    found = go(
        tmp_path, {"README.md": readme, "cmd/jobs/main.go": ASYNQ, "worker/doc.go": "package w\n"}
    )

    assert [(unit.dir, unit.command) for unit in found.units] == [(".", ("./jobs", "worker"))]


@pytest.mark.parametrize(
    ("line", "broker"),
    [
        ("app = Celery('x', backend='redis://h', broker='amqp://h')", "rabbitmq"),
        ("app = Celery('x', broker='redis://h', backend='amqp://h')", "redis"),
        ("app = Celery('x', broker=os.environ['RABBIT_URL'])", "rabbitmq"),
    ],
)
def test_of_two_brokers_the_one_that_is_called_so(tmp_path: Path, line: str, broker: str) -> None:
    source = f"import os\nfrom celery import Celery\n{line}\n"

    found = seen(tmp_path, {"tasks.py": source, "requirements.txt": "celery\n"})

    assert found.brokers == (broker,)


@pytest.mark.parametrize(("package", "broker"), [("dramatiq-pg", "postgres"), ("redis", "redis")])
def test_a_database_is_the_broker_of_those_that_bring_what_makes_it_one(
    tmp_path: Path, package: str, broker: str
) -> None:
    compose = "services:\n  db: {image: 'postgres:18'}\n  worker: {command: dramatiq jobs}\n"
    files = {"compose.yaml": compose, "requirements.txt": f"dramatiq\n{package}\n"}

    assert seen(tmp_path, files).brokers == (broker,)


@pytest.mark.parametrize("tag", ["-t example/shop", "--tag=example/shop:1"])
def test_an_image_is_built_where_a_script_tags_it(tmp_path: Path, tag: str) -> None:
    files = {
        "compose.yaml": "services:\n  worker: {image: 'example/shop:2'}\n",
        "apps/jobs/Makefile": f"image:\n\tdocker build {tag} .\n",
        "apps/jobs/Dockerfile": 'FROM python:3\nCMD ["rq", "worker"]\n',
    }

    (unit,) = seen(tmp_path, files).units

    assert (unit.dir, unit.command) == ("apps/jobs", ("rq", "worker"))
    assert [each.note for each in unit.evidence] == ["compose", "Dockerfile"]


def test_the_image_of_another_name_is_not_that_of_a_script(tmp_path: Path) -> None:
    files = {
        "compose.yaml": "services:\n  worker: {image: 'example/shop'}\n",
        "apps/jobs/Makefile": "image:\n\tdocker build -t example/shop-jobs .\n",
        "apps/jobs/Dockerfile": 'FROM python:3\nCMD ["rq", "worker"]\n',
    }

    assert [e.note for unit in seen(tmp_path, files).units for e in unit.evidence] == ["Dockerfile"]


def test_heroku_is_told_its_processes_in_a_file_of_its_own(tmp_path: Path) -> None:
    told = (
        "build: {docker: {web: Dockerfile}}\nrun:\n  web: bundle exec puma\n"
        "  worker:\n    image: web\n    command:\n"
        "      - bundle exec good_job start --probe-port=7001\n"
    )
    files = {"Gemfile": 'gem "rails"\ngem "good_job"\n', "heroku.yml": told}

    assert commands(seen(tmp_path, files)) == ["bundle exec good_job start --probe-port=7001"]


def test_go_run_is_read_wherever_it_is_told(tmp_path: Path) -> None:
    work = ASYNQ.replace("func main() {", "func main() {\n\tprintln(os.Args[1])").replace(
        'import "github.com/hibiken/asynq"', 'import (\n\t"os"\n\n\t"github.com/hibiken/asynq"\n)'
    )
    readme = "Start it:\n\n```shell\ngo run main.go serve\n```\n"

    assert commands(go(tmp_path, {"main.go": work, "README.md": readme})) == [
        "go run main.go serve"
    ]


def test_a_command_that_a_function_makes_is_added_by_the_function_s_name(tmp_path: Path) -> None:
    main = (
        'package main\n\nimport (\n\t"example.com/x/web"\n\n\t"github.com/spf13/cobra"\n)\n\n'
        'func main() {\n\troot := &cobra.Command{\n\t\tUse: "shop",\n\t}\n'
        "\troot.AddCommand(\n\t\tweb.NewCommand(),\n\t\tNewWorkerCommand(),\n\t)\n"
        "\troot.Execute()\n}\n"
    )
    worker = (
        'package main\n\nimport (\n\t"example.com/x/work"\n\n\t"github.com/spf13/cobra"\n)\n\n'
        "func NewWorkerCommand() *cobra.Command {\n\tcmd := &cobra.Command{\n"
        '\t\tUse: "worker",\n\t\tRun: func(*cobra.Command, []string) {\n'
        "\t\t\twork.RunWorker()\n\t\t},\n\t}\n\treturn cmd\n}\n"
    )
    serve = (
        'package web\n\nimport (\n\t"net/http"\n\n\t"example.com/x/work"\n\n'
        '\t"github.com/spf13/cobra"\n)\n\nfunc NewCommand() *cobra.Command {\n'
        '\tcmd := &cobra.Command{\n\t\tUse: "web",\n\t\tRun: func(*cobra.Command, []string) {\n'
        "\t\t\tif dev {\n\t\t\t\tgo work.RunWorker()\n\t\t\t}\n"
        '\t\t\thttp.ListenAndServe(":8080", nil)\n\t\t},\n\t}\n\treturn cmd\n}\n'
    )
    work = ASYNQ.replace("package main", "package work").replace("func main", "func RunWorker")
    files = {"cmd/main.go": main, "cmd/worker.go": worker, "web/web.go": serve}

    found = go(tmp_path, files | {"work/work.go": work})

    assert commands(found) == ["./cmd worker"]


NODE = '{"dependencies": {"bullmq": "5"}, "scripts": {"build": "tsc"}}'
BULLMQ = """\
import { createServer } from "node:http";
import { Worker } from "bullmq";

new Worker("mail", async () => {});
"""


def test_a_server_that_only_says_it_is_alive_makes_no_app_of_a_worker(tmp_path: Path) -> None:
    probe = 'createServer((request, response) => {\n  response.end("ok");\n}).listen(3000);\n'

    found = seen(tmp_path, {"package.json": NODE, "src/index.ts": BULLMQ + probe})

    assert commands(found) == ["node dist/index.js"]


def test_a_server_that_looks_at_what_is_asked_is_an_app(tmp_path: Path) -> None:
    serves = (
        'createServer((request, response) => {\n  if (request.url === "/health") response.end();\n'
        "  else answer(request.url, response);\n}).listen(3000);\n"
    )

    found = seen(tmp_path, {"package.json": NODE, "src/index.ts": BULLMQ + serves})

    assert commands(found) == []
    assert [each.framework for each in found.embedded] == ["bullmq"]


def test_what_typescript_makes_lies_where_its_settings_say(tmp_path: Path) -> None:
    told = (
        '{\n  // made for Node\n  "compilerOptions": {\n'
        '    "rootDir": ".",\n    "outDir": "./build"\n  }\n}\n'
    )
    worker = 'import { Worker } from "bullmq";\n\nnew Worker("mail", async () => {});\n'
    files = {"package.json": NODE, "tsconfig.json": told, "src/mail.ts": worker}

    assert commands(seen(tmp_path, files)) == ["node build/src/mail.js"]


def test_an_extension_runs_in_its_editor(tmp_path: Path) -> None:
    package = (
        '{"engines": {"vscode": "^1.100.0"}, "main": "./dist/extension.js", "scripts": '
        '{"seed": "tsx scripts/seed.ts"}, "dependencies": {"bullmq": "5"}}'
    )
    seed = 'import { Worker } from "bullmq";\n\nnew Worker("mail", async () => {});\n'

    found = seen(tmp_path, {"package.json": package, "scripts/seed.ts": seed})

    assert (found.units, found.embedded) == ((), ())


def test_a_worker_without_a_framework_is_called_one_with_what_it_works_on(tmp_path: Path) -> None:
    scripts = (
        '{"scripts": {"mail-worker": "node mail.js", "build:worker": "node build.js", '
        '"service-worker": "node sw.js", "start": "node web.js"}}'
    )
    files = dict.fromkeys(("mail.js", "build.js", "sw.js", "web.js"), "run();\n")

    assert commands(seen(tmp_path, {"package.json": scripts} | files)) == ["node mail.js"]


def test_a_loop_that_is_known_as_a_worker_is_no_guess_as_well(tmp_path: Path) -> None:
    poll = (
        'import time\n\nwhile True:\n    time.sleep(60)\n\nif __name__ == "__main__":\n    pass\n'
    )
    files = {
        "poller/poller.py": poll,
        "poller/requirements.txt": "requests\n",
        "compose.yaml": "services:\n  rate-poller: {build: poller}\n",
        "poller/Dockerfile": 'FROM python:3.13\nCOPY . .\nCMD ["python", "-u", "poller.py"]\n',
    }

    found = seen(tmp_path, files)

    assert [" ".join(unit.command) for unit in found.units] == ["python -u poller.py"]


WORKER = 'import { Worker } from "bullmq";\n\nnew Worker("mail", async () => {});\n'


def test_what_fills_a_queue_to_look_at_is_no_worker(tmp_path: Path) -> None:
    package = '{"dependencies": {"bullmq": "5"}, "scripts": {"seed": "tsx src/seed-demo.ts"}}'

    found = seen(tmp_path, {"package.json": package, "src/seed-demo.ts": WORKER})

    assert (found.units, found.embedded) == ((), ())


@pytest.mark.parametrize(("name", "units"), [("process-job", []), ("worker", ["node worker.js"])])
def test_beside_an_app_that_works_a_file_that_nobody_starts_is_a_trial(
    tmp_path: Path, name: str, units: list[str]
) -> None:
    app = (
        'import express from "express";\nimport { Worker } from "bullmq";\n\n'
        'new Worker("mail", async () => {});\nexpress().listen(3000);\n'
    )
    package = '{"dependencies": {"bullmq": "5", "express": "5"}}'

    found = seen(tmp_path, {"package.json": package, "app.js": app, f"{name}.js": WORKER})

    assert commands(found) == units


def test_a_quotation_is_no_command(tmp_path: Path) -> None:
    readme = "# Shop\n\n> bull-board shows the queue, and has no worker of its own.\n"
    package = '{"dependencies": {"bullmq": "5"}}'

    assert seen(tmp_path, {"package.json": package, "README.md": readme}).units == ()


PUSHES = """\
use apalis_redis::RedisStorage;

fn main() {
    let monitor = ConnectionMonitor::new(RedisStorage::new(connect()));
    axum::serve(listener, routes(monitor));
}
"""


@pytest.mark.parametrize("written", ["", 'CMD ["./worker"]\n'], ids=["inferred", "written"])
@pytest.mark.parametrize(
    ("jobs", "shared", "framework"),
    [
        ('{ git = "ssh://git@example.com/a/jobs.git" }', "", "apalis"),
        ("{ workspace = true }", 'jobs = { git = "https://example.com/jobs" }\n', "apalis"),
        ('"1"', "", None),
    ],
    ids=["git", "workspace", "public"],
)
def test_a_worker_made_elsewhere_works_for_those_who_only_push(
    tmp_path: Path, written: str, jobs: str, shared: str, framework: str | None
) -> None:
    workspace = f'[workspace]\nmembers = ["crates/*"]\n[workspace.dependencies]\n{shared}'
    server = '[package]\nname = "server"\n[dependencies]\naxum = "0.8"\napalis-redis = "0.7"\n'
    worker = f'[package]\nname = "worker"\n[dependencies]\njobs = {jobs}\n'

    found = seen(
        tmp_path,
        {
            "Cargo.toml": workspace,
            "crates/server/Cargo.toml": server,
            "crates/server/src/main.rs": PUSHES,
            "crates/worker/Cargo.toml": worker,
            "crates/worker/src/main.rs": "fn main() {\n    jobs::start();\n}\n",
            "Dockerfile.worker": f"FROM rust:1.88\nCOPY target/release/worker .\n{written}",
        },
    )

    expected = [framework] if framework or written else []
    assert ([unit.framework for unit in found.units], found.embedded) == (expected, ())


@pytest.mark.parametrize(
    ("scripts", "settings", "expected"),
    [
        ('"build": "tsc -p ."', '"noEmit": true', "tsx src/mail.ts"),
        ('"build": "tsc", "start": "node dist/api.js"', '"noEmit": true', "tsx src/mail.ts"),
        ('"build": "tsc -p tsconfig.build.json"', '"noEmit": true', "node dist/mail.js"),
        ('"types": "tsc --noEmit"', '"strict": true', "tsx src/mail.ts"),
        ('"types": "tsc --noEmit", "build": "tsc"', '"strict": true', "node dist/mail.js"),
        ('"build": "tsc --noEmit false"', '"noEmit": true', "node dist/mail.js"),
        ('"build": "tsup", "types": "tsc"', '"noEmit": true', "node dist/mail.js"),
        ('"build": "tsc && webpack -o dist/"', '"noEmit": true', "node dist/mail.js"),
        ('"dev": "nodemon -x \'ts-node src/api.ts\'", "build": "tsc"', '"noEmit": true',
         "ts-node src/mail.ts"),
    ],
)  # fmt: skip
def test_where_only_types_are_checked_the_source_itself_is_run(
    tmp_path: Path, scripts: str, settings: str, expected: str
) -> None:
    worker = 'import { Worker } from "bullmq";\n\nnew Worker("mail", async () => {});\n'
    files = {
        "package.json": f'{{"dependencies": {{"bullmq": "5"}}, "scripts": {{{scripts}}}}}',
        "tsconfig.json": '{"extends": "./tsconfig.base"}',
        "tsconfig.base.json": f'{{\n  "compilerOptions": {{{settings}}}\n}}\n',
        "tsconfig.build.json": '{"extends": "./tsconfig", "compilerOptions": {"noEmit": false}}',
        "src/mail.ts": worker,
    }

    assert commands(seen(tmp_path, files)) == [expected]
