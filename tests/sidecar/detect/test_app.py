"""How the app itself starts, and that it is planned beside its workers, once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from stoker.sidecar.detect import detect
from stoker.sidecar.detect.servers import serving
from stoker.sidecar.detection import Unit
from stoker.sidecar.plan import Plan
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render

CELERY = {
    "requirements.txt": "celery[redis]==5.4\nflask\n",
    "tasks.py": "from celery import Celery\n\napp = Celery('tasks', broker='redis://')\n",
}
WORKER = "worker: celery -A tasks worker\n"


def _written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def _app(root: Path, files: dict[str, str]) -> Unit | None:
    return detect(_written(root, CELERY | files)).web


def _plan(root: Path, files: dict[str, str]) -> Plan:
    return make_plan(detect(_written(root, CELERY | files)), "shop")


@pytest.mark.parametrize(
    ("line", "command", "port"),
    [
        ("gunicorn shop.wsgi", "gunicorn shop.wsgi --bind 0.0.0.0:8000", 8000),
        ("gunicorn -b :9000 shop.wsgi", "gunicorn -b :9000 shop.wsgi", 9000),
        ("gunicorn -c conf.py shop.wsgi", "gunicorn -c conf.py shop.wsgi", 8000),
        ("uvicorn a:app --port 80", "uvicorn a:app --port 80 --host 0.0.0.0", 80),
        ("python -m uvicorn a:app --host ::", "python -m uvicorn a:app --host ::", 8000),
        ("flask run -p 5001", "flask run -p 5001 --host 0.0.0.0", 5001),
        ("flask --app shop run", "flask --app shop run --host 0.0.0.0", 5000),
        ("python manage.py runserver", "python manage.py runserver 0.0.0.0:8000", 8000),
        ("python manage.py runserver 8080", "python manage.py runserver 0.0.0.0:8080", 8080),
        ("./manage.py runserver 0:81", "./manage.py runserver 0:81", 81),
        ("bin/rails server", "bin/rails server", 3000),
        ("rails s -p 4000", "bundle exec rails s -p 4000", 4000),
        ("next start -p 3001", "next start -p 3001", 3001),
    ],
)
def test_a_server_is_heard_outside_its_container(line: str, command: str, port: int) -> None:
    served = serving(tuple(line.split()))

    assert served is not None
    assert (" ".join(served.words), served.port) == (command, port)


@pytest.mark.parametrize(
    ("gems", "words", "told"),
    [
        (
            {"Gemfile.lock": "GEM\n  specs:\n    rails (7.2.0)\n      railties (= 7.2.0)\n"},
            "",
            True,
        ),
        ({"Gemfile.lock": "GEM\n  specs:\n    rails (5.2.8)\n"}, " -b 0.0.0.0", False),
        ({"Gemfile": 'gem "rails", "~> 4.2"\n'}, " -b 0.0.0.0", False),
        ({"Gemfile": 'gem "rails"\n'}, "", True),
    ],
)
def test_rails_is_heard_by_a_variable_where_it_reads_one(
    tmp_path: Path, gems: dict[str, str], words: str, told: bool
) -> None:
    # its stock entry point prepares the database only if the command ends in "rails server"
    app = _app(tmp_path, gems | {"Procfile": "web: ./bin/rails server\n"})

    assert app is not None
    assert " ".join(app.command) == f"./bin/rails server{words}"
    assert app.environment == ({"BINDING": "0.0.0.0"} if told else {})


def test_rails_that_is_told_where_to_listen_is_told_nothing(tmp_path: Path) -> None:
    app = _app(tmp_path, {"Procfile": "web: bin/rails server -b 127.0.0.1\n"})

    assert app is not None
    assert (app.command[-1], app.environment) == ("127.0.0.1", {})


@pytest.mark.parametrize(
    "line",
    ["flask db upgrade", "rails console", "next build", "python manage.py migrate", "fastapi",
     "gunicorn --version", "python -m", "runserver", "litestar workers run"],
)  # fmt: skip
def test_what_does_not_serve_is_no_app(line: str) -> None:
    assert serving(tuple(line.split())) is None


def test_compose_beats_the_procfile_and_this_the_dockerfile(tmp_path: Path) -> None:
    files = {
        "compose.prod.yaml": "services:\n  site:\n    build: .\n    command: uvicorn a:b\n",
        "Procfile": f"web: gunicorn shop.wsgi\n{WORKER}",
        "Dockerfile": "FROM python:3.13\nCMD flask run\n",
    }
    found = list[str]()
    while True:
        app = _app(tmp_path, files)
        if app is None:
            break
        found.append(f"{app.command[0]} {app.evidence[0].path}:{app.evidence[0].line}")
        (tmp_path / app.evidence[0].path).unlink()
        files.pop(app.evidence[0].path)

    assert found == ["uvicorn compose.prod.yaml:4", "gunicorn Procfile:1", "flask Dockerfile:2"]


def test_a_port_from_the_environment_is_given_one(tmp_path: Path) -> None:
    app = _app(tmp_path, {"Procfile": f"web: gunicorn -b :$PORT shop.wsgi\n{WORKER}"})

    assert app is not None
    assert app.command == ("sh", "-c", "exec gunicorn -b :$PORT shop.wsgi")
    assert (app.port, app.environment) == (8000, {"PORT": "8000"})


def test_development_has_the_command_that_reloads(tmp_path: Path) -> None:
    package = '{"scripts": {"start": "node server.js", "dev": "node --watch server.js"}, '
    files = {
        "package.json": package + '"dependencies": {"bullmq": "5", "express": "4"}}',
        "server.js": "const app = require('express')()\napp.listen(process.env.PORT || 3100)\n",
        "worker.js": "const { Worker } = require('bullmq')\nnew Worker('mail', async () => {})\n",
    }
    app = detect(_written(tmp_path, files)).web

    assert app is not None
    assert (app.command, app.port) == (("node", "server.js"), 3100)
    assert app.dev_command == ("node", "--watch", "server.js")


def test_two_that_are_as_good_are_none(tmp_path: Path) -> None:
    files = {f"{name}/Dockerfile": "FROM x\nCMD gunicorn a:b\n" for name in ("one", "two")}

    assert _app(tmp_path, files | {"Procfile": WORKER}) is None


def test_a_project_without_workers_has_no_app_beside_them(tmp_path: Path) -> None:
    assert detect(_written(tmp_path, {"Procfile": "web: gunicorn a:b\n"})).web is None


def test_the_app_is_in_the_development_file_only(tmp_path: Path) -> None:
    plan = _plan(tmp_path, {"Procfile": f"web: gunicorn shop.wsgi\n{WORKER}"})
    files = render(plan)

    assert plan.app is not None
    assert (plan.app.name, plan.app.needs) == ("app", ("redis",))
    assert plan.app.image == plan.services[0].image
    assert "127.0.0.1:8000:8000" in files["compose.yaml"].text
    assert "gunicorn" not in files["compose.prod.yaml"].text
    assert any(decision.what.startswith("app: gunicorn") for decision in plan.decisions)


@pytest.mark.parametrize(
    "service",
    [
        "site:\n    build: .\n    command: gunicorn shop.wsgi",
        "web:\n    build: .\n    command: ./start",
        "shop:\n    build: .\n    command: ./start\n    ports: ['80:8000']",
    ],
)
def test_an_app_that_a_compose_file_has_is_not_doubled(tmp_path: Path, service: str) -> None:
    worker = "worker:\n    build: .\n    command: celery -A tasks worker"
    plan = _plan(tmp_path, {
        "compose.yaml": f"services:\n  {service}\n  {worker}\n",
        "Procfile": f"web: gunicorn shop.wsgi\n{WORKER}",
    })  # fmt: skip

    assert plan.app is None
    assert [s.name for s in plan.services] == ["worker"]
    assert any("no container for the app" in decision.what for decision in plan.decisions)


def test_an_app_that_a_compose_file_goes_without_is_only_offered(tmp_path: Path) -> None:
    plan = _plan(tmp_path, {
        "compose.yaml": "services:\n  redis:\n    image: redis:7\n",
        "Procfile": f"web: gunicorn shop.wsgi\n{WORKER}",
    })  # fmt: skip

    assert plan.app is not None
    assert plan.app_offered
    assert "gunicorn" not in render(plan)["compose.yaml"].text
    assert any("app, only if asked for: gunicorn" in each.what for each in plan.decisions)


def test_two_programs_of_one_module_have_a_dockerfile_each(tmp_path: Path) -> None:
    main = 'package main\n\nimport "{}"\n\nfunc main() {{\n\t{}\n}}\n'
    worker = main.format(
        "github.com/hibiken/asynq", "asynq.NewServer(nil, asynq.Config{}).Run(nil)"
    )
    files = {
        "go.mod": "module shop\n\ngo 1.24\n\nrequire github.com/hibiken/asynq v0.25.0\n",
        "cmd/api/main.go": main.format("net/http", 'http.ListenAndServe(":8080", nil)'),
        "cmd/worker/main.go": worker,
    }
    plan = make_plan(detect(_written(tmp_path, files)), "shop")
    made = render(plan)

    assert plan.app is not None
    assert (plan.app.dev_command, plan.app.port) == (("go", "run", "./cmd/api"), 8080)
    assert "./cmd/worker" in made["Dockerfile"].text
    assert "./cmd/api" in made["Dockerfile.api"].text


@pytest.mark.parametrize(
    ("source", "port"),
    [
        ("app.listen(3333)", 3333),
        ("app.listen(process.env.PORT || 3100)", 3100),
        ("app.listen(port)", None),
    ],
)
def test_the_port_is_the_one_in_the_source(tmp_path: Path, source: str, port: int | None) -> None:
    files = {
        "package.json": '{"scripts": {"start": "node server.js"}, "dependencies": {"bullmq": "5"}}',
        "server.js": f"const app = require('express')()\n{source}\n",
        "worker.js": "const { Worker } = require('bullmq')\nnew Worker('mail', async () => {})\n",
    }
    app = detect(_written(tmp_path, files)).web

    assert app is not None
    assert app.port == port


def test_what_an_entry_file_runs_of_its_arguments_is_no_command(tmp_path: Path) -> None:
    files = {
        "Dockerfile": 'FROM python:3.13\nCOPY entry.sh /entry.sh\nENTRYPOINT ["/entry.sh"]\n',
        "entry.sh": '#!/bin/sh\nexec "$@"\n',
        "compose.yaml": "services:\n  web:\n    build: .\n    command: ./start\n",
        "Procfile": WORKER,
    }
    app = _app(tmp_path, files)

    assert app is not None
    assert app.command == ("./start",)


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("start", "worker"),
        ("start:worker", "worker"),
        ("worker-prod", "worker"),
        ("mailer", "mailer"),
    ],
)
def test_a_service_is_not_called_after_a_script_that_says_nothing(
    tmp_path: Path, script: str, name: str
) -> None:
    scripts = f'{{"scripts": {{"{script}": "node worker.js"}}, "dependencies": {{"bullmq": "5"}}}}'
    source = "const { Worker } = require('bullmq')\nnew Worker('mail', async () => {})\n"
    plan = make_plan(detect(_written(tmp_path, {"package.json": scripts, "worker.js": source})))

    assert [service.name for service in plan.services] == [name]


@pytest.mark.parametrize(
    ("source", "variable"),
    [
        ("broker='redis://localhost'", "CELERY_BROKER_URL"),
        ("broker=os.environ['SHOP_REDIS_URL']", "SHOP_REDIS_URL"),
    ],
)
def test_celery_hears_of_its_broker_whatever_the_source_says(
    tmp_path: Path, source: str, variable: str
) -> None:
    text = f"import os\nfrom celery import Celery\n\napp = Celery('tasks', {source})\n"
    plan = _plan(tmp_path, {"tasks.py": text})

    assert plan.stores[0].variables == {variable: "redis://redis:6379/0"}
    assert plan.notes == ()


def test_a_broker_that_nobody_hears_of_is_told(tmp_path: Path) -> None:
    files = {
        "package.json": '{"dependencies": {"bullmq": "5"}}',
        "worker.js": "const { Worker } = require('bullmq')\nnew Worker('mail', async () => {})\n",
    }
    plan = make_plan(detect(_written(tmp_path, files)))

    [note] = plan.notes
    assert note.startswith("package.json:1: the source reads no variable for the address of redis")
    assert "have it read REDIS_URL" in note


def test_requirements_that_include_others_are_installed_with_the_source(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "-r requirements/prod.txt\n",
        "requirements/prod.txt": "-r base.txt\n",
        "requirements/base.txt": "rq\n",
        "Procfile": "worker: rq worker mail\n",
    }
    plan = make_plan(detect(_written(tmp_path, files)), "shop")

    text = render(plan)["Dockerfile"].text
    assert text.index('COPY [".", "./"]') < text.index('"pip", "install"')
    alone = _plan(tmp_path / "alone", {"Procfile": WORKER})
    assert 'COPY ["requirements.txt", "./"]' in render(alone)["Dockerfile"].text


@pytest.mark.parametrize(
    ("asked", "source", "command"),
    [
        ("fastapi[standard]", "from fastapi import FastAPI\napp = FastAPI()\n",
         "uvicorn shop.web:app --host 0.0.0.0"),
        ("fastapi hypercorn", "import fastapi\napi = fastapi.FastAPI()\n",
         "hypercorn shop.web:api --bind 0.0.0.0:8000"),
        ("starlette granian", "from starlette.applications import Starlette\napp = Starlette()\n",
         "granian --interface asgi shop.web:app --host 0.0.0.0"),
        ("quart", "from quart import Quart\napp = Quart(__name__)\n",
         "hypercorn shop.web:app --bind 0.0.0.0:8000"),
        ("flask gunicorn", "from flask import Flask\napp = Flask(__name__)\n",
         "flask --app shop.web:app run --host 0.0.0.0"),
        ("fastapi uvicorn",
         "from fastapi import FastAPI\ndef create(debug=False):\n    return FastAPI()\n",
         "uvicorn --factory shop.web:create --host 0.0.0.0"),
        ("fastapi uvicorn",
         "from fastapi import FastAPI\ndef create():\n    return FastAPI()\nsite = create()\n",
         "uvicorn shop.web:site --host 0.0.0.0"),
        ("fastapi uvicorn",
         "from fastapi import FastAPI\napp = FastAPI()\nadmin = FastAPI()\n",
         "uvicorn shop.web:app --host 0.0.0.0"),
    ],
)  # fmt: skip
def test_an_app_that_nobody_starts_is_known_by_its_module(
    asked: str, source: str, command: str, tmp_path: Path
) -> None:
    files = {
        "requirements.txt": "\n".join(["celery[redis]", *asked.split()]),
        "shop/__init__.py": "",
        "shop/web.py": source,
    }
    app = _app(tmp_path, files)

    assert app is not None
    assert " ".join(app.command) == command
    assert app.evidence[0].path == "shop/web.py"


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": "from fastapi import FastAPI\napp = FastAPI()\n",
         "b.py": "from fastapi import FastAPI\napp = FastAPI()\n"},
        {"a.py": "from fastapi import FastAPI\ndef create(db):\n    return FastAPI()\n"},
        {"a.py": "from shop.own import FastAPI\napp = FastAPI()\n"},
        {"tests/a.py": "from fastapi import FastAPI\napp = FastAPI()\n"},
    ],
    ids=["two", "a factory that asks for something", "another FastAPI", "of a test"],
)  # fmt: skip
def test_an_app_that_is_not_the_only_one_or_none_at_all_is_not_guessed(
    files: dict[str, str], tmp_path: Path
) -> None:
    assert _app(tmp_path, files) is None


TWO = {
    "shop.py": "from fastapi import FastAPI\napp = FastAPI()\n",
    "staff.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
}


def test_where_two_apps_could_be_meant_it_is_said_how_to_say_which(tmp_path: Path) -> None:
    detection = detect(_written(tmp_path, CELERY | TWO | {"requirements.txt": "celery\nuvicorn\n"}))

    note = (
        "shop.py:2: this is a web app, and so is staff.py:3: which one the workers are for is not "
        "known; start it in a Procfile, web: uvicorn shop:app"
    )
    assert note in make_plan(detection, "shop").notes
    written = CELERY | {"Procfile": f"web: uvicorn staff:app\n{WORKER}"}
    detection = detect(_written(tmp_path, written))
    assert detection.web is not None
    assert detection.web.command[:2] == ("uvicorn", "staff:app")
    assert detection.notes == ()


def test_of_several_apps_without_workers_nothing_is_said(tmp_path: Path) -> None:
    assert detect(_written(tmp_path, TWO | {"requirements.txt": "uvicorn\n"})).notes == ()


def test_what_is_written_down_beats_the_module(tmp_path: Path) -> None:
    app = _app(tmp_path, {
        "a.py": "from fastapi import FastAPI\napp = FastAPI()\n",
        "Procfile": f"web: gunicorn a:app -k uvicorn.workers.UvicornWorker\n{WORKER}",
    })  # fmt: skip

    assert app is not None
    assert app.command[0] == "gunicorn"


def test_a_server_that_no_manifest_asks_for_is_named(tmp_path: Path) -> None:
    files = {"a.py": "from fastapi import FastAPI\n\napp = FastAPI()\n"}

    assert detect(_written(tmp_path, CELERY | files)).notes == (
        "a.py:3: uvicorn is to serve it, and no manifest asks for uvicorn; add uvicorn",
    )


STOKER = {
    "requirements.txt": "stoker\nfastapi\nuvicorn\n",
    "web.py": "from fastapi import FastAPI\nfrom jobs import mail\napp = FastAPI()\n",
}
TASK = "\n\n@jobs.task\ndef mail(): ...\n"


@pytest.mark.parametrize("given", ["", "default_url='sqlite:///jobs.db'", "payload_limit=9"])
def test_stokers_file_is_on_one_volume_that_the_app_shares(given: str, tmp_path: Path) -> None:
    made = f"from stoker import Stoker\njobs = Stoker({given}){TASK}"
    plan = make_plan(detect(_written(tmp_path, STOKER | {"jobs.py": made})), "shop")

    services = render(plan)["compose.yaml"].text.split("  worker:\n")
    assert [text.count("- jobs-data:/data") for text in services] == [1, 1]
    assert [text.count("STOKER_URL: sqlite:////data/jobs.db") for text in services] == [1, 1]
    (why,) = (each.why for each in plan.decisions if each.what == "broker: sqlite")
    assert "containers of one host" in why
    assert plan.notes == ()


PRODUCTION = "compose.prod.yaml"
COMPOSE = "services:\n  web:\n    build: .\n    command: uvicorn web:app\n"
OWN_VOLUME = """\
    environment: {STOKER_URL: 'sqlite:////data/jobs.db'}
    volumes: ['jobs-data:/data']
volumes: {jobs-data: {}}
"""


def test_an_app_of_a_persons_compose_file_is_told_to_share_it(tmp_path: Path) -> None:
    files = STOKER | {"jobs.py": f"from stoker import Stoker\njobs = Stoker(){TASK}"}
    files["Dockerfile"] = "FROM python:3.13\n"
    files["compose.yaml"] = COMPOSE

    (note,) = make_plan(detect(_written(tmp_path, files))).notes
    assert note.startswith("compose.yaml:4: the app sees no job of the workers")
    assert note.endswith("jobs-data at /data, and STOKER_URL=sqlite:////data/jobs.db")

    plan = make_plan(detect(_written(tmp_path, files | {"compose.yaml": COMPOSE + OWN_VOLUME})))
    assert plan.notes == ()
    assert render(plan)["compose.yaml"].text.count("- jobs-data:/data") == 1


SHOP = STOKER | {
    "jobs.py": f"from stoker import Stoker\njobs = Stoker(){TASK}",
    "Dockerfile": "FROM python:3.13\n",
}
HUEY = "from huey import SqliteHuey\nhuey = SqliteHuey('app', filename='jobs.db')\n"
ELSEWHERE = "sqlite:////srv/queue/jobs.db"


@pytest.mark.parametrize(
    ("given", "more"),
    [
        (f"    environment: ['STOKER_URL={ELSEWHERE}']\n", {}),
        ("    env_file: shop.env\n", {"shop.env": f"STOKER_URL={ELSEWHERE}\n"}),
        ("    environment: ['STOKER_URL=${URL}']\n", {".env": f"URL={ELSEWHERE}\n"}),
    ],
    ids=["environment", "a file of variables", ".env"],
)
@pytest.mark.parametrize("volume", ["kept:/srv", "kept:/srv/queue:rw"])
def test_the_workers_have_the_apps_file_on_its_volume_and_at_its_place(
    given: str, more: dict[str, str], volume: str, tmp_path: Path
) -> None:
    text = f"{COMPOSE}{given}    volumes: ['{volume}']\nvolumes: {{kept: {{}}}}\n"

    plan = make_plan(detect(_written(tmp_path, SHOP | more | {"compose.yaml": text})), "shop")

    assert plan.notes == ()
    files = render(plan, ("compose", "kubernetes"))
    develop, production = (
        yaml.safe_load(files[name].text) for name in ("compose.yaml", PRODUCTION)
    )
    assert develop["services"]["worker"]["volumes"] == [volume]
    assert "volumes" not in develop
    assert production["services"]["worker"]["volumes"] == [volume], "which has the app's file"
    assert "kept" in production["volumes"]
    if "shop.env" in more:
        assert develop["services"]["worker"]["env_file"] == ["shop.env"], "which says where it is"
        assert "environment" not in develop["services"]["worker"]
    for made in (production,) if "shop.env" in more else (develop, production):
        assert made["services"]["worker"]["environment"]["STOKER_URL"].endswith(
            ("jobs.db", "{URL}")
        )
    pod = yaml.safe_load(files["kubernetes/worker.yaml"].text)["spec"]["template"]["spec"]
    mounted = {each["name"]: each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert mounted == {"tmp": "/tmp", "jobs-data": "/srv/queue"}


@pytest.mark.parametrize(
    ("given", "more"),
    [
        (
            "    env_file: shop.env\n    volumes: ['.:/srv']\n",
            {"shop.env": f"STOKER_URL={ELSEWHERE}"},
        ),
        ("    env_file: shop.env\n", {"shop.env": "STOKER_URL=sqlite:////data/jobs.db\n"}),
        ("    environment: ['STOKER_URL=sqlite:///jobs.db']\n    volumes: ['kept:/srv']\n", {}),
        ("    volumes: ['kept:/srv']\n", {}),
        (
            "    environment: ['STOKER_URL=sqlite:////app/jobs.db']\n    volumes: ['kept:/app']\n",
            {},
        ),
    ],
    ids=[
        "a directory of the host's",
        "told, no volume",
        "relative",
        "not told",
        "where the source is",
    ],
)
def test_an_app_with_a_file_of_its_own_is_told_what_the_workers_have(
    given: str, more: dict[str, str], tmp_path: Path
) -> None:
    files = SHOP | more | {"compose.yaml": COMPOSE + given + "volumes: {kept: {}}\n"}

    (note,) = make_plan(detect(_written(tmp_path, files)), "shop").notes

    assert note.startswith("compose.yaml:4: the app sees no job of the workers")
    assert note.endswith("jobs-data at /data, and STOKER_URL=sqlite:////data/jobs.db")


def test_a_whole_path_that_the_environment_says_is_on_a_volume_there(tmp_path: Path) -> None:
    given = f"    environment: ['STOKER_URL={ELSEWHERE}']\n    volumes: ['kept:/data']\n"
    files = SHOP | {"compose.yaml": f"{COMPOSE}{given}volumes: {{kept: {{}}}}\n"}

    plan = make_plan(detect(_written(tmp_path, files)), "shop")

    (note,) = plan.notes
    assert note.endswith(f"the volume jobs-data at /srv/queue, and STOKER_URL={ELSEWHERE}")
    for name in ("compose.yaml", PRODUCTION):
        worker = yaml.safe_load(render(plan)[name].text)["services"]["worker"]
        assert worker["volumes"][-1] == "jobs-data:/srv/queue"
        assert worker["environment"]["STOKER_URL"] == ELSEWHERE


def test_a_directory_of_the_hosts_with_the_apps_file_is_shared_in_development(
    tmp_path: Path,
) -> None:
    given = f"    environment: ['STOKER_URL={ELSEWHERE}']\n    volumes: ['./queue:/srv/queue']\n"

    plan = make_plan(detect(_written(tmp_path, SHOP | {"compose.yaml": COMPOSE + given})), "shop")

    assert plan.notes == ()
    worker = yaml.safe_load(render(plan)["compose.yaml"].text)["services"]["worker"]
    assert (worker["volumes"][0], worker["environment"]["STOKER_URL"]) == (
        "./queue:/srv/queue", ELSEWHERE,
    )  # fmt: skip
    worker = yaml.safe_load(render(plan)[PRODUCTION].text)["services"]["worker"]
    assert worker["volumes"] == ["jobs-data:/data"]


@pytest.mark.parametrize("given", ["'sqlite:///jobs.db'", "url='sqlite:///jobs.db'"])
def test_a_file_that_the_source_places_is_in_the_container_and_said_to_be(
    given: str, tmp_path: Path
) -> None:
    made = f"from stoker import Stoker\njobs = Stoker({given}){TASK}"
    plan = make_plan(detect(_written(tmp_path, STOKER | {"jobs.py": made})), "shop")

    assert plan.stores == ()
    assert "STOKER_URL" not in render(plan)["compose.yaml"].text
    assert plan.notes[0].startswith("jobs.py:2: the jobs are in an SQLite file inside the conta")
    assert "Stoker(default_url=...)" in plan.notes[0]


PLACED: dict[str, dict[str, str]] = {
    "stoker": STOKER
    | {"jobs.py": f"from stoker import Stoker\njobs = Stoker('{ELSEWHERE}'){TASK}"},
    "constant": STOKER
    | {"jobs.py": f"from stoker import Stoker\nA = '{ELSEWHERE}'\njobs = Stoker(url=A){TASK}"},
    "huey": {
        "requirements.txt": "fastapi\nuvicorn\nhuey\n",
        "web.py": STOKER["web.py"],
        "tasks.py": HUEY.replace("jobs.db", "/srv/queue/jobs.db"),
    },
}
"""Sources that say themselves where the file is, in a place that a volume can be mounted on."""


@pytest.mark.parametrize("shape", PLACED)
def test_a_file_that_the_source_places_by_a_whole_path_is_on_a_volume_there(
    shape: str, tmp_path: Path
) -> None:
    plan = make_plan(detect(_written(tmp_path, PLACED[shape])), "shop")

    assert plan.notes == ()
    assert [(each.file, each.variables) for each in plan.stores] == [(ELSEWHERE, {})]
    drawn = render(plan, ("compose", "kubernetes"))
    for name in ("compose.yaml", PRODUCTION):
        for service in yaml.safe_load(drawn[name].text)["services"].values():
            assert service["volumes"][0] == "jobs-data:/srv/queue"
            assert "STOKER_URL" not in service.get("environment", {})
    assert '"/srv/queue"]' in drawn["Dockerfile"].text
    assert "mountPath: /srv/queue" in drawn["kubernetes/worker.yaml"].text
    assert "readOnlyRootFilesystem: true" in drawn["kubernetes/worker.yaml"].text


@pytest.mark.parametrize(
    ("volumes", "shared"),
    [
        ("", False),
        ("    volumes: ['kept:/data']\n", False),
        ("    volumes: ['kept:/srv']\n", True),
        ("    volumes: ['./queue:/srv/queue']\n", True),
    ],
)
def test_an_app_without_the_volume_of_such_a_file_is_told(
    volumes: str, shared: bool, tmp_path: Path
) -> None:
    files = PLACED["stoker"] | {"compose.yaml": f"{COMPOSE}{volumes}volumes: {{kept: {{}}}}\n"}

    plan = make_plan(detect(_written(tmp_path, files)), "shop")

    assert [note.partition("give it ")[2] for note in plan.notes] == (
        [] if shared else ["the volume jobs-data at /srv/queue"]
    )
    worker = yaml.safe_load(render(plan)["compose.yaml"].text)["services"]["worker"]
    own = volumes.partition("['")[2].partition("']")[0]
    assert worker["volumes"][0] == (own if shared else "jobs-data:/srv/queue")


@pytest.mark.parametrize("place", ["/app", "/usr/../app", "/", ""])
def test_a_file_where_no_volume_can_be_is_in_the_container(place: str, tmp_path: Path) -> None:
    made = f"from stoker import Stoker\njobs = Stoker('sqlite:///{place}/jobs.db'){TASK}"

    plan = make_plan(detect(_written(tmp_path, STOKER | {"jobs.py": made})), "shop")

    assert plan.stores == ()
    assert "the jobs are in an SQLite file inside the container" in plan.notes[0]


def test_files_in_several_places_are_in_the_container(tmp_path: Path) -> None:
    more = f"more = Stoker('sqlite:////data/more.db')\n{TASK.replace('jobs', 'more')}"
    files = PLACED["stoker"] | {"jobs.py": PLACED["stoker"]["jobs.py"] + more}

    assert make_plan(detect(_written(tmp_path, files)), "shop").stores == ()


@pytest.mark.parametrize(
    "files",
    [
        STOKER | {"jobs.py": f"from stoker import Stoker\njobs = Stoker('sqlite:///j.db'){TASK}"},
        {"requirements.txt": "huey\n", "tasks.py": HUEY},
    ],
    ids=["stoker", "huey"],
)
def test_one_worker_alone_has_the_file_in_its_container_and_may_write_it(
    files: dict[str, str], tmp_path: Path
) -> None:
    plan = make_plan(detect(_written(tmp_path, files)), "shop")

    drawn = render(plan, ("compose", "kubernetes"))
    assert "--scale" not in drawn[PRODUCTION].text
    assert "kubernetes/worker-scaling.yaml" not in drawn
    text = drawn["kubernetes/worker.yaml"].text
    assert "No ScaledObject: its jobs are in a file inside its container" in text
    spec = yaml.safe_load(text)["spec"]
    assert spec["replicas"] == 1
    context = spec["template"]["spec"]["containers"][0]["securityContext"]
    assert context["readOnlyRootFilesystem"] is False


def test_workers_that_share_a_file_are_scaled_and_write_only_there(tmp_path: Path) -> None:
    plan = make_plan(detect(_written(tmp_path, SHOP)), "shop")

    drawn = render(plan, ("compose", "kubernetes"))
    assert "--scale worker=3" in drawn[PRODUCTION].text
    assert "readOnlyRootFilesystem: true" in drawn["kubernetes/worker.yaml"].text


def test_a_variable_that_the_source_comes_before_is_said_to_be_read_by_nobody(
    tmp_path: Path,
) -> None:
    made = f"from stoker import Stoker\njobs = Stoker('sqlite:///odd.db'){TASK}"
    files = STOKER | {"jobs.py": made, "Dockerfile": "FROM python:3.13\n"}
    files["compose.yaml"] = COMPOSE + OWN_VOLUME

    plan = make_plan(detect(_written(tmp_path, files)), "shop")

    assert plan.stores == ()
    assert not [each.why for each in plan.decisions if "STOKER_URL" in each.why]
    assert "jobs.py:2: the jobs are in an SQLite file" in plan.notes[0]


def test_what_no_line_shows_to_be_a_file_is_not_said_to_be_one(tmp_path: Path) -> None:
    made = f"import os\nfrom stoker import Stoker\njobs = Stoker(os.environ['JOBS_REDIS']){TASK}"
    plan = make_plan(detect(_written(tmp_path, STOKER | {"jobs.py": made})), "shop")

    assert not [note for note in plan.notes if "SQLite" in note]


@pytest.mark.parametrize(
    ("made", "asks"),
    [
        ("Stoker()", True),
        ("Stoker(clock=time.time, url='sqlite:///odd.db')", False),
        ("Stoker(payload_limit=9, url='sqlite:///odd.db')", False),
        ("Stoker('sqlite:///odd.db')  # and no Stoker()", False),
        ("Stoker(  # where they are\n    'sqlite:///odd.db',\n)", False),
        ("Stoker(None, clock=time.time)", True),
        ("Stoker(url=None)", True),
        ("Stoker(default_url='sqlite:///odd.db')  # not Stoker('sqlite:///odd.db')", True),
        ("Stoker(**SETTINGS)", True),
    ],
)
def test_an_app_asks_for_its_url_unless_it_is_given_one(
    made: str, asks: bool, tmp_path: Path
) -> None:
    text = f"import time\nfrom stoker import Stoker\nSETTINGS = {{}}\njobs = {made}{TASK}"

    plan = make_plan(detect(_written(tmp_path, STOKER | {"jobs.py": text})), "shop")

    assert ("STOKER_URL: " in render(plan)["compose.yaml"].text) == asks


@pytest.mark.parametrize(
    "made", ["Stoker('{url}')", "Stoker(clock=time.time, url='{url}')", "Stoker(JOBS)"]
)
def test_a_redis_that_the_source_places_elsewhere_gets_no_container(
    made: str, tmp_path: Path
) -> None:
    url = "rediss://:hunter2@other-host/0"
    text = f"import time\nfrom stoker import Stoker\nJOBS = '{url}'\njobs = {made}{TASK}"
    files = {"jobs.py": text.replace("{url}", url), ".env": "REDIS_URL=redis://cache.example.net\n"}

    plan = make_plan(detect(_written(tmp_path, STOKER | files)), "shop")

    assert plan.notes == ()
    assert [(s.outside, s.variables) for s in plan.stores] == [("rediss://:app@other-host/0", {})]
    (why,) = (each for each in plan.decisions if "redis" in each.what)
    assert why.what == "no container for redis: it is at other-host"
    assert (why.evidence[0].path, why.evidence[0].line) == ("jobs.py", 4)
    for text in (file.text for file in render(plan, ("compose", "kubernetes")).values()):
        assert "hunter2" not in text
        assert "REDIS_URL" not in text
    services = yaml.safe_load(render(plan)["compose.yaml"].text)["services"]
    assert set(services) == {"app", "worker"}
    assert "depends_on" not in services["worker"]


def test_a_redis_of_the_projects_own_that_the_source_names_is_waited_for(tmp_path: Path) -> None:
    made = f"from stoker import Stoker\njobs = Stoker('redis://cache/0'){TASK}"
    files = {"jobs.py": made, "compose.yaml": "services:\n  cache:\n    image: redis:7\n"}

    plan = make_plan(detect(_written(tmp_path, STOKER | files)), "shop")

    assert [(store.name, store.existing, store.outside) for store in plan.stores] == [
        ("cache", True, "")
    ]


def test_a_redis_that_the_source_places_is_on_localhost_and_said_to_be(tmp_path: Path) -> None:
    made = f"from stoker import Stoker\njobs = Stoker('redis://localhost'){TASK}"
    plan = make_plan(detect(_written(tmp_path, STOKER | {"jobs.py": made})), "shop")

    (note,) = plan.notes
    assert note.startswith("jobs.py:2: the source reads no variable for the address of redis")


LOOP = "import os, time\nurl = os.environ['{name}']\nwhile True:\n    time.sleep(5)\n"


@pytest.mark.parametrize(
    ("files", "broker"),
    [
        ({"worker.py": LOOP.format(name="REDIS_URL")}, "redis"),
        ({"worker.py": LOOP.format(name="JOBS_AMQP_URL")}, "rabbitmq"),
        ({"worker.py": LOOP.format(name="REDIS_TTL")}, ""),
        ({"worker.py": LOOP.format(name="MAIL_URL")}, ""),
        (
            {
                "worker.py": LOOP.format(name="PLACE"),
                "compose.yaml": "services:\n  worker:\n    build: .\n"
                "    command: python worker.py\n    environment: [REDIS_URL]\n",
            },
            "redis",
        ),
        (
            {
                "package.json": '{"scripts": {"worker": "node worker.js"}}',
                "worker.js": "const url = process.env.REDIS_URL\nsetInterval(work, 5000)\n",
            },
            "redis",
        ),
    ],
    ids=["redis", "another", "no address", "no broker", "given", "node"],
)
def test_a_worker_without_a_framework_has_the_broker_that_it_reads_the_address_of(
    files: dict[str, str], broker: str, tmp_path: Path
) -> None:
    files = {"requirements.txt": "requests\n", "Procfile": "worker: python worker.py\n"} | files
    if "package.json" in files:
        del files["Procfile"], files["requirements.txt"]

    plan = make_plan(detect(_written(tmp_path, files)), "shop")

    assert [store.kind for store in plan.stores] == ([broker] if broker else [])
    [worker] = plan.services
    assert worker.needs == ((broker,) if broker else ())
    (why,) = [each for each in plan.decisions if each.what == f"broker: {broker}"] or [None]
    assert why is None or why.evidence[0].line


def test_of_a_script_s_many_steps_none_is_taken_for_the_app(tmp_path: Path) -> None:
    compose = (
        "services:\n  api: {build: ., command: ./start.sh, ports: ['80:80']}\n"
        "  jobs: {build: ., command: celery -A tasks worker}\n"
    )
    script = "#!/bin/sh\nset -eu\nsource ./base.sh\nprepare_all\n"

    app = _app(tmp_path, {"compose.yaml": compose, "start.sh": script})

    assert app is not None
    assert app.command == ("./start.sh",)
