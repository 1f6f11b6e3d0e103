"""What the project's own services say is what its workers get: account, image, command, mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render.starting import start
from tests.cli.support import ok
from tests.sidecar.reading import compose_values, yaml_documents

JOBS = {
    "requirements.txt": "procrastinate\n",
    "jobs.py": "import os\nfrom procrastinate import App, PsycopgConnector\n"
    'app = App(connector=PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))\n',
    "Procfile": "worker: procrastinate --app jobs.app worker\n",
}
RAILS = {
    "Gemfile": 'gem "rails"\ngem "pg"\ngem "solid_queue"\n',
    "config/application.rb": "module Shop\nend\n",
    "bin/jobs": 'require "solid_queue/cli"\n',
    "Procfile": "worker: bin/jobs\n",
}
CELERY = {
    "requirements.txt": "celery[redis]\n",
    "shop.py": "import os\nfrom celery import Celery\n"
    'app = Celery("s", broker=os.environ["B_URL"])\n',
}


def services(root: Path, file: str = "compose.yaml") -> dict[str, Any]:
    return compose_values((root / file).read_text())["services"]


def put(root: Path, *files: dict[str, str]) -> None:
    for path, text in {path: text for each in files for path, text in each.items()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def generated(root: Path, *files: dict[str, str]) -> None:
    """Write a project, and what its workers need."""
    put(root, *files)
    ok("sidecar", "generate", str(root), "--target", "all")


def database(*lines: str, image: str = "postgres:16", name: str = "db") -> dict[str, str]:
    given = "".join(f"    {line}\n" for line in lines)
    return {"compose.yaml": f"services:\n  {name}:\n    image: {image}\n{given}"}


CHOSEN = "environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: s3/cret, POSTGRES_DB: orders}"


@pytest.mark.parametrize(
    ("service", "address"),
    [
        (database(CHOSEN), "postgresql://shop:s3%2Fcret@db:5432/orders"),
        (database(CHOSEN, "volumes: ['d:/var/lib/postgresql/data']", image="acme/search:1"),
         "postgresql://shop:s3%2Fcret@db:5432/orders"),
        (database("environment: ['POSTGRES_PASSWORD=${DB_PASSWORD}']"),
         "postgresql://postgres:${DB_PASSWORD}@db:5432/postgres"),
        (database("environment: [POSTGRES_HOST_AUTH_METHOD=trust]"),
         "postgresql://postgres@db:5432/postgres"),
        (database("env_file: .env"),
         "postgresql://${POSTGRES_USER:-postgres}:${POSTGRES_PASSWORD:-}@db:5432/"
         "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"),
        (database("env_file: db.env"), "${DATABASE_URL:?set it in .env}"),
        (database(CHOSEN, name="my_db"), "postgresql://shop:s3%2Fcret@my_db:5432/orders"),
    ],
    ids=["chosen", "by its volume", "put in", "trust", ".env", "another file", "underscore"],
)  # fmt: skip
def test_a_worker_has_the_account_that_the_projects_database_makes(
    service: dict[str, str], address: str, tmp_path: Path
) -> None:
    generated(tmp_path, JOBS, service)

    assert services(tmp_path)["worker"]["environment"]["DATABASE_URL"] == address
    assert len(services(tmp_path)) == 2, "nothing but the worker is added"


def test_in_production_the_account_is_called_alike_and_its_password_is_the_operators(
    tmp_path: Path,
) -> None:
    generated(tmp_path, JOBS, database(CHOSEN))

    found = services(tmp_path, "compose.prod.yaml")
    password = "${POSTGRES_PASSWORD:?set it in .env}"
    own = {"POSTGRES_USER": "shop", "POSTGRES_PASSWORD": password, "POSTGRES_DB": "orders"}
    assert found["db"]["environment"] == own
    address = f"postgresql://shop:{password}@db:5432/orders"
    assert found["worker"]["environment"]["DATABASE_URL"] == address
    assert "s3" not in (tmp_path / "compose.prod.yaml").read_text()


@pytest.mark.parametrize("name", ["redis", "valkey"])
def test_a_redis_of_ours_is_started_as_its_image_calls_it(tmp_path: Path, name: str) -> None:
    image = {"redis": "redis:7.2", "valkey": "valkey/valkey:8"}[name]
    own = {"compose.yaml": f"services:\n  queue:\n    image: {image}\n"}
    generated(tmp_path, CELERY, {"Procfile": "worker: celery -A shop worker\n"}, own)

    made = services(tmp_path, "compose.prod.yaml")["queue"]
    assert (made["image"], made["command"][:2]) == (image, [f"{name}-server", "--appendonly"])


def test_rails_keeps_its_own_database_and_what_that_is_called(tmp_path: Path) -> None:
    generated(tmp_path, RAILS, database("environment: {POSTGRES_PASSWORD: s3cret}"))

    found = services(tmp_path)
    assert found.keys() == {"db", "worker"}
    assert found["worker"]["depends_on"].keys() == {"db"}
    # config/database.yml says which of its databases it is.
    assert found["worker"]["environment"]["DATABASE_URL"] == "postgresql://postgres:s3cret@db:5432"


def test_jobs_in_the_apps_own_sqlite_get_no_postgres(tmp_path: Path) -> None:
    generated(tmp_path, RAILS, {"Gemfile": RAILS["Gemfile"].replace('"pg"', '"sqlite3"')})

    assert services(tmp_path).keys() == {"worker"}
    assert "DATABASE_URL" not in services(tmp_path)["worker"].get("environment", {})
    [note] = make_plan(detect(tmp_path)).notes
    assert "which is a file of SQLite's" in note


def test_a_worker_waits_for_nothing_that_its_file_has_not(tmp_path: Path) -> None:
    """Compose refuses the whole file otherwise."""
    app = "services:\n  web:\n    build: .\n    command: gunicorn shop:app\n"
    store = "services:\n  redis:\n    image: redis:6.2\n"
    procfile = {"Procfile": "worker: celery -A shop worker\n"}
    generated(
        tmp_path, CELERY, procfile, {"compose.yaml": app, "docker-compose.stores.yaml": store}
    )

    found = services(tmp_path)
    assert found["worker"]["depends_on"].keys() <= found.keys()
    assert found["redis"]["image"] == "redis:6.2"


WORKER = (
    "services:\n  mail:\n    build: {context: ., dockerfile: docker/mail}\n    command: COMMAND\n"
)


def test_it_is_the_image_that_the_projects_own_service_is_built_from(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    generated(
        tmp_path,
        CELERY,
        {
            "compose.yaml": WORKER.replace("docker/mail", "docker/mail.Dockerfile").replace(
                "COMMAND", "celery -A shop worker"
            ),
            "docker/mail.Dockerfile": "FROM python:3.12\nCOPY . .\n",
            "Dockerfile": "FROM nginx\n",
        },
    )

    build = services(tmp_path, "compose.prod.yaml")["mail"]["build"]
    assert build == {"context": ".", "dockerfile": "docker/mail.Dockerfile"}


@pytest.mark.parametrize(
    ("entrypoint", "script", "key"),
    [
        ('["/app/serve"]', "", "entrypoint"),
        ('["./start.sh"]', "gunicorn shop:app\n", "entrypoint"),
        ('["./start.sh"]', 'migrate\nexec "$@"\n', "command"),
        ('["tini", "--"]', "", "command"),
        ('["uv", "run"]', "", "command"),
        ('["sh", "-c", "exec \\"$@\\"", "--"]', "", "command"),
    ],
)
def test_an_image_that_starts_the_app_whatever_it_is_told_is_told_otherwise(
    entrypoint: str, script: str, key: str, tmp_path: Path
) -> None:
    dockerfile = f"FROM python:3.12\nCOPY . .\nENTRYPOINT {entrypoint}\n"
    procfile = {"Procfile": "worker: celery -A shop worker -c 3\n"}
    generated(tmp_path, CELERY, procfile, {"Dockerfile": dockerfile, "start.sh": script})

    command = ["celery", "-A", "shop", "worker", "-c", "3"]
    assert services(tmp_path, "compose.prod.yaml")["worker"][key] == command
    [worker] = [
        document["spec"]["template"]["spec"]["containers"][0]
        for document in yaml_documents((tmp_path / "kubernetes/worker.yaml").read_text())
        if document["kind"] == "Deployment"
    ]
    assert worker["command" if key == "entrypoint" else "args"] == command


SECRET = "POSTGRES_PASSWORD_FILE: /run/secrets/db"


@pytest.mark.parametrize(
    ("given", "place", "user"),
    [
        (f"environment: {{POSTGRES_USER: shop, {SECRET}}}", "POSTGRES_PASSWORD_FILE", "shop"),
        ("environment: {POSTGRES_DB_FILE: /db}", "POSTGRES_DB_FILE", "app"),
        ("environment: {POSTGRES_USER_FILE: /u}", "POSTGRES_USER_FILE", "app"),
        ("env_file: db.env", "db.env", "app"),
    ],
)
def test_an_account_that_no_worker_sees_is_asked_for(
    tmp_path: Path, given: str, place: str, user: str
) -> None:
    generated(tmp_path, JOBS, database(given))

    told = services(tmp_path)["worker"]["environment"]["DATABASE_URL"]
    assert told == "${DATABASE_URL:?set it in .env}"
    assert "DATABASE_URL=" in (tmp_path / ".env.example").read_text().split()
    [note] = [each for each in make_plan(detect(tmp_path)).notes if place in each]
    assert note.startswith("compose.yaml: db has its account from")
    assert note.endswith("have .env say DATABASE_URL")
    made = services(tmp_path, "compose.prod.yaml")["db"]["environment"]
    assert made["POSTGRES_USER"] == user, "the operator says the password of ours"


@pytest.mark.parametrize(
    "how",
    [
        "image: bitnami/redis:7.2\n    environment: {REDIS_PASSWORD_FILE: '${A_FILE}'}",
        "image: redis:7\n    command: sh -c 'redis-server --requirepass $$(cat /run/secrets/r)'",
    ],
)
def test_a_password_of_redis_in_a_file_is_said_once_more(tmp_path: Path, how: str) -> None:
    own = {"compose.yaml": f"services:\n  queue:\n    {how}\n"}
    generated(tmp_path, CELERY, {"Procfile": "worker: celery -A shop worker\n"}, own)

    told = services(tmp_path)["worker"]["environment"].values()
    assert "redis://:${REDIS_PASSWORD:?set it in .env}@queue:6379/0" in told


@pytest.mark.parametrize("own", [True, False])
def test_only_an_image_of_the_projects_own_needs_what_starts_its_programs(
    own: bool, tmp_path: Path
) -> None:
    dockerfile = {"Dockerfile": "FROM python:3.12\nCOPY . .\nRUN uv sync\n"} if own else {}
    procfile = {"Procfile": "worker: uv run --no-sync celery -A shop worker -c 3\n"}
    generated(tmp_path, CELERY, procfile, dockerfile)

    worker = services(tmp_path, "compose.prod.yaml")["worker"]
    runner = ["uv", "run", "--no-sync"] if own else []
    assert worker["command"] == [*runner, "celery", "-A", "shop", "worker", "-c", "3"]
    check = worker["healthcheck"]["test"][-1]
    assert check.startswith("uv run --no-sync celery" if own else "celery")


def test_amazons_queues_get_no_container_and_no_other_address(tmp_path: Path) -> None:
    source = 'from celery import Celery\napp = Celery("s", broker="sqs://")\n'
    procfile = {"Procfile": "worker: celery -A shop worker\n"}
    generated(tmp_path, CELERY, procfile, {"shop.py": source})

    assert services(tmp_path).keys() == {"worker"}
    assert "CELERY_BROKER_URL" not in (tmp_path / "compose.yaml").read_text()
    assert services(tmp_path)["worker"]["healthcheck"] == {"disable": True}, "it answers no ping"
    [note] = make_plan(detect(tmp_path)).notes
    assert note.startswith("shop.py:2: the jobs are in Amazon's SQS")


def test_production_is_not_told_to_be_development(tmp_path: Path) -> None:
    compose = (
        "services:\n  worker:\n    build: .\n    command: bundle exec sidekiq\n"
        "    environment: {RAILS_ENV: '${RAILS_ENV:-development}', LOG: development}\n"
    )
    gemfile = {"Gemfile": 'gem "rails"\ngem "sidekiq"\n', "Dockerfile": "FROM ruby:3.4\n"}
    generated(tmp_path, gemfile, {"compose.yaml": compose})

    told = services(tmp_path, "compose.prod.yaml")["worker"]["environment"]
    assert told["RAILS_ENV"] == "production"
    assert told["LOG"] == "development"


def test_a_command_leads_to_the_broker_beside_it(tmp_path: Path) -> None:
    """In a container localhost is the container itself."""
    start = "rq worker -u ${RQ_URL:-redis://localhost:6379/2} mail"
    generated(tmp_path, {"requirements.txt": "rq\n", "Procfile": f"worker: {start}\n"})

    command = services(tmp_path)["worker"]["command"]
    assert command == ["rq", "worker", "-u", "redis://redis:6379/2", "mail"]


def test_an_image_is_built_for_production_with_the_arguments_of_the_projects_own(
    tmp_path: Path,
) -> None:
    compose = (
        "services:\n  mail:\n    build: {context: ., args: {ROLE: mail, API_TOKEN: s3cr3t}}\n"
        "    command: celery -A shop worker\n"
    )
    dockerfile = "FROM python:3.12\nARG ROLE=web\nCOPY . .\nCMD python $ROLE.py\n"

    generated(tmp_path, CELERY, {"compose.yaml": compose, "Dockerfile": dockerfile})

    assert services(tmp_path, "compose.prod.yaml")["mail"]["build"]["args"] == {
        "API_TOKEN": "${API_TOKEN}",
        "ROLE": "mail",
    }


def django(default: str, *, told: str = "", more: str = "") -> dict[str, str]:
    """Return a project of Django's with settings for each use."""
    source = (
        "import os\nfrom celery import Celery\n"
        f'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.{default}")\n'
        'app = Celery("shop", broker=os.environ["B_URL"])\n'
    )
    given = f"    environment: {{DJANGO_SETTINGS_MODULE: {told}}}\n" if told else ""
    web = f"services:\n  web:\n    build: .\n    command: gunicorn shop.wsgi\n{given}{more}"
    empty = dict.fromkeys([f"backend/shop/settings/{n}.py" for n in ("base", "dev", "prod")], "")
    return empty | {
        "requirements.txt": "django\ncelery[redis]\n",
        "backend/shop/__init__.py": "",
        "backend/shop/celery.py": source,
        "backend/manage.py": "",
        "Procfile": "worker: cd backend && celery -A shop worker\n",
        "Dockerfile": "FROM python:3.13\n",
        "compose.yaml": web,
    }


@pytest.mark.parametrize(
    ("default", "told", "more", "expected"),
    [
        ("base", "shop.settings.dev", "", "shop.settings.prod"),
        ("base", "'${SETTINGS:-shop.settings.dev}'", "", "shop.settings.prod"),
        ("dev", "", "", "shop.settings.prod"),
        ("base", "shop.settings.base", "", "shop.settings.base"),
        ("dev", "other.dev", "", "other.dev"),
        ("dev", "", "    env_file: .env\n", None),
        ("prod", "", "", None),
    ],
)
def test_production_has_the_settings_that_are_for_it(
    default: str, told: str, more: str, expected: str | None, tmp_path: Path
) -> None:
    generated(tmp_path, django(default, told=told, more=more))

    there = _settings(services(tmp_path, "compose.prod.yaml")["worker"]["environment"])
    chosen = f"${{SETTINGS:-{expected}}}" if "$" in told else expected
    assert there == chosen, "what an operator may choose stays a choice"
    [kept] = [
        each["data"]
        for each in yaml_documents((tmp_path / "kubernetes/worker.yaml").read_text())
        if each["kind"] == "ConfigMap"
    ] or [{}]
    assert _settings(kept) == expected
    explained = ok("sidecar", "explain", str(tmp_path)).count("in production, DJANGO")
    assert explained == (expected == "shop.settings.prod" or bool(more))
    if told:
        own = services(tmp_path)["worker"]["environment"]
        assert _settings(own) == told.strip("'"), "development stays as it is"


def _settings(told: dict[str, str]) -> str | None:
    return told.get("DJANGO_SETTINGS_MODULE")


def of_two(default: str, *, modes: bool) -> dict[str, str]:
    """Return two projects of Django's: the first has settings for each use."""
    source = (
        "import os\nfrom celery import Celery\n"
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "%s")\n'
        'app = Celery("shop", broker=os.environ["B_URL"])\n'
    )
    named = [f"a/config/settings/{name}.py" for name in ("local", "production")]
    named += ["b/config/settings/local.py"] if modes else ["b/shop/settings.py"]
    return dict.fromkeys(named, "") | {
        "requirements.txt": "django\ncelery[redis]\n",
        "a/config/celery.py": source % "config.settings.local",
        "a/manage.py": source % "config.settings.local",
        "b/shop/celery.py": source % default,
        "b/manage.py": source % default,
    }


@pytest.mark.parametrize(("default", "modes"), [
    ("shop.settings", False), ("config.settings.local", True),
])  # fmt: skip
@pytest.mark.parametrize("line", ["cd b && celery -A shop worker", "celery -A b.shop worker"])
def test_no_worker_has_the_settings_of_another_project(
    default: str, modes: bool, line: str, tmp_path: Path
) -> None:
    generated(tmp_path, of_two(default, modes=modes), {"Procfile": f"worker: {line}\n"})

    assert _settings(services(tmp_path, "compose.prod.yaml")["worker"]["environment"]) is None


def test_each_of_two_projects_has_its_own_settings(tmp_path: Path) -> None:
    line = {"Procfile": "worker: cd a && celery -A config worker\n"}
    generated(tmp_path, of_two("shop.settings", modes=False), line)

    found = _settings(services(tmp_path, "compose.prod.yaml")["worker"]["environment"])
    assert found == "config.settings.production"


def test_a_file_for_production_that_says_its_settings_is_right(tmp_path: Path) -> None:
    files = django("dev", told="shop.settings.dev")
    files["compose.prod.yaml"] = files["compose.yaml"]
    generated(tmp_path, files)

    told = services(tmp_path, "compose.prod.yaml")["worker"]["environment"]
    assert _settings(told) == "shop.settings.dev"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("shop.settings.dev", "shop.settings.prod"),
        ("'${SETTINGS-shop.settings.dev}'", "${SETTINGS-shop.settings.prod}"),
    ],
)
def test_what_is_put_on_the_file_for_development_has_other_settings(
    told: str, expected: str, tmp_path: Path
) -> None:
    files = django("base", told=told)
    top = "services:\n  web:\n    restart: always\n"
    generated(tmp_path, files, {"compose.prod.yaml": top})

    worker = services(tmp_path, "compose.prod.yaml")["worker"]
    assert _settings(worker["environment"]) == expected


def test_an_image_that_says_its_settings_is_right(tmp_path: Path) -> None:
    image = {"Dockerfile": "FROM python:3.13\nENV DJANGO_SETTINGS_MODULE=shop.settings.aws\n"}
    generated(tmp_path, django("dev"), image)

    assert _settings(services(tmp_path, "compose.prod.yaml")["worker"]["environment"]) is None


def test_nothing_is_debugged_in_production(tmp_path: Path) -> None:
    told = (
        "{DEBUG: 'True', FLASK_DEBUG: '1', DEBUG_TAG: 'true', APP_DEBUG: '0', FLASK_ENV: dev, "
        "LOG_LEVEL: DEBUG, RAILS_LOG_LEVEL: debug, DB_LOG_LEVEL: error, "
        "APP_LOG_LEVEL: '${LEVEL-trace}'}"
    )
    more = f"    environment: {told}\n"
    generated(tmp_path, django("prod", more=more))

    found = services(tmp_path, "compose.prod.yaml")["worker"]["environment"]
    assert {name: found[name] for name in found if name != "B_URL" and "CELERY" not in name} == {
        "APP_DEBUG": "0",
        "APP_LOG_LEVEL": "${LEVEL-info}",
        "DB_LOG_LEVEL": "error",
        "DEBUG": "False",
        "DEBUG_TAG": "true",
        "FLASK_DEBUG": "0",
        "FLASK_ENV": "production",
        "LOG_LEVEL": "INFO",
        "RAILS_LOG_LEVEL": "info",
    }


def test_what_is_null_is_asked_of_the_shell(tmp_path: Path) -> None:
    web = "build: .\n    command: gunicorn shop:app\n    entrypoint: null"
    given = "environment: {TOKEN: ~, HTTP_PROXY: null, B_URL: NULL}"
    compose = f"services:\n  web:\n    {web}\n    {given}\n    depends_on: [queue]\n"
    compose += "  queue: {image: 'redis:7', command: null}\n"
    own = {"Procfile": "worker: celery -A shop worker\n", "Dockerfile": "FROM python:3.13\n"}
    generated(tmp_path, CELERY, own, {"compose.yaml": compose})

    told = services(tmp_path)["worker"]["environment"]

    assert [told[name] for name in ("TOKEN", "HTTP_PROXY", "B_URL")] == [None] * 3


NAMED = "image: 'registry.example.com/shop:${TAG:-1}'"
BUILT = {
    "Dockerfile": "FROM python:3.13\n",
    "Procfile": "worker: celery -A shop worker\n",
    "compose.yaml": "services:\n  web:\n    build: .\n    command: gunicorn shop:app\n"
    "  redis: {image: 'redis:7'}\n",
}


@pytest.mark.parametrize("more", [
    "  redis: {restart: always}\n",  # on top of the other file
    "    command: gunicorn shop:app -w 4\n  redis: {image: 'redis:7'}\n",
])  # fmt: skip
def test_where_the_app_is_pulled_its_worker_is_the_same_image(tmp_path: Path, more: str) -> None:
    top = {"compose.prod.yaml": f"services:\n  web:\n    {NAMED}\n{more}"}
    generated(tmp_path, CELERY, BUILT, top)

    worker = services(tmp_path, "compose.prod.yaml")["worker"]
    assert worker["image"] == "registry.example.com/shop:${TAG:-1}"
    assert "build" not in worker  # or a host that pulls would have one of another version
    assert services(tmp_path)["worker"]["build"]["context"] == "."
    assert "--build" not in start(make_plan(detect(tmp_path)), "prod")


def test_an_app_that_is_only_pulled_is_known_though_no_command_is_said(tmp_path: Path) -> None:
    told = "environment: {B_URL: '${BROKER}', DATABASE_URL: '${DATABASE}'}\n    networks: [inner]"
    own = {"compose.prod.yaml": f"services:\n  web:\n    {NAMED}\n    {told}\n"}
    generated(tmp_path, CELERY, BUILT, own)

    worker = services(tmp_path, "compose.prod.yaml")["worker"]
    assert worker["image"] == "registry.example.com/shop:${TAG:-1}"
    assert worker["environment"]["B_URL"] == "${BROKER}"  # and not the address of one of ours
    assert worker["environment"]["DATABASE_URL"] == "${DATABASE}"
    assert worker["networks"] == ["inner"]


def test_a_service_of_another_name_is_not_the_app(tmp_path: Path) -> None:
    own = {"compose.prod.yaml": f"services:\n  other:\n    {NAMED}\n"}
    generated(tmp_path, CELERY, BUILT, own)

    assert "image" not in services(tmp_path, "compose.prod.yaml")["worker"]


def test_an_app_that_is_built_and_named_is_built_for_its_workers(tmp_path: Path) -> None:
    both = BUILT["compose.yaml"].replace("build: .\n", f"build: .\n    {NAMED}\n")
    generated(tmp_path, CELERY, BUILT, {"compose.yaml": both, "compose.prod.yaml": both})

    worker = services(tmp_path, "compose.prod.yaml")["worker"]
    assert "image" not in worker
    assert worker["build"]["dockerfile"] == "Dockerfile"


@pytest.mark.parametrize(("volumes", "watched"), [("['.:/srv']", False), ("['m:/media']", True)])
def test_only_what_is_watched_is_started_to_be_watched(
    tmp_path: Path, volumes: str, watched: bool
) -> None:
    own = BUILT["compose.yaml"].replace("build: .", f"build: .\n    volumes: {volumes}")
    put(tmp_path, CELERY, BUILT, {"compose.yaml": f"{own}volumes: {{m: {{}}}}\n"})

    told = ok("sidecar", "generate", str(tmp_path))

    assert ("--watch" in told) == watched  # Compose refuses to where no service says what
    assert ("develop" in services(tmp_path)["worker"]) == watched
    assert ("after an edit: docker compose restart worker\n" in told) != watched
