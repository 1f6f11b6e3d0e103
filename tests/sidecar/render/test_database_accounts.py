"""A worker and its database agree: who logs in, with which password, to what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.interpolation import filled
from stoker.sidecar.plan import Plan
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.sidecar.reading import compose_values

WORD = "s3cret-of-the-shop"


class Account(NamedTuple):
    host: str
    user: str
    password: str
    database: str


PLAIN = Account("db", "shop", WORD, "orders")
MADE = {
    "by the image": Account("db", "postgres", "${DB_PASS}", "postgres"),
    "to the letter": PLAIN,
    "by the worker's variables": Account("db", "${DB_USER}", "${DB_PASSWORD}", "${DB_NAME}"),
    "by others": Account("db", "${PG_USER}", "${PG_WORD}", "${PG_NAME}"),
    "by defaults": Account("db", "${DB_USER:-shop}", f"${{DB_PASS:-{WORD}}}", "${DB_NAME:-orders}"),
}
"""How the project's own service makes an account."""
READ = {
    "as one address": Account("", "", "", ""),
    "in parts": Account("DB_HOST", "DB_USER", "DB_PASSWORD", "DB_NAME"),
    "in PostgreSQL's": Account("PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE"),
    "in its image's": Account("POSTGRES_HOST", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"),
    "in long ones": Account("DATABASE_HOST", "DATABASE_USERNAME", "DATABASE_PASS", "DATABASE_NAME"),
    "in SQL's": Account("SQL_HOST", "SQL_USER", "SQL_PASSWORD", "SQL_DATABASE"),
}
"""How the worker's source is told of it."""


def planned(root: Path, names: Account, compose: str) -> Plan:
    read = [f"os.environ['{name}']" for name in names if name] or ["os.environ['DATABASE_URL']"]
    files = {
        "requirements.txt": "celery[redis]\npsycopg2-binary\n",
        "Procfile": "worker: celery -A shop worker\n",
        "shop.py": (
            "import os\nimport psycopg2\nfrom celery import Celery\n"
            "app = Celery('shop', broker=os.environ['REDIS_URL'])\n"
            f"db = psycopg2.connect({', '.join(read)})\n"
        ),
    }
    if compose:
        files["compose.yaml"] = compose
    for path, text in files.items():
        (root / path).write_text(text)
    return make_plan(detect(root), "shop")


def database(made: Account, app: str = "") -> str:
    named = {"USER": made.user, "DB": made.database} if made.user != "postgres" else {}
    given = {
        f"POSTGRES_{part}": text for part, text in ({"PASSWORD": made.password} | named).items()
    }
    return f"services:\n  db:\n    image: postgres:16\n    environment:\n{_lines(given)}{app}"


def an_app(names: Account, made: Account) -> str:
    address = f"postgres://{made.user}:{made.password}@{made.host}/{made.database}"
    given = dict(zip(names, made, strict=True)) if any(names) else {"DATABASE_URL": address}
    start = "  web:\n    build: .\n    command: gunicorn shop:app\n    environment:\n"
    return f"{start}{_lines({name: text for name, text in given.items() if name})}"


def _lines(given: Mapping[str, str]) -> str:
    return "".join(f"      {name}: {text}\n" for name, text in given.items())


def put_in(service: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, str]:
    """Return what a container gets, where ``.env`` says what is asked for, each its own."""
    return {
        name: filled(said.get(name, "") if text is None else text, said)
        for name, text in service["environment"].items()
    }


def logged_in(names: Account, worker: Mapping[str, str]) -> Account:
    if any(names):
        return Account(*(worker.get(name, "") for name in names))
    url = urlsplit(worker["DATABASE_URL"])
    word = unquote(url.password or "")
    return Account(url.hostname or "", url.username or "", word, url.path[1:])


def both(plan: Plan, own: str, path: str, names: Account) -> tuple[Account, Account]:
    """Return as whom the worker logs in, and what account the database has."""
    files = {path: file.text for path, file in render(plan).items()}
    said = {line.removesuffix("="): f"said-{at}" for at, line in
            enumerate(files.get(".env.example", "").split())}  # fmt: skip
    services = compose_values(files[path])["services"]
    if own and path == "compose.yaml":
        services = compose_values(own)["services"] | services
    host = next(name for name, each in services.items() if "postgres" in each.get("image", ""))
    has = put_in(services[host], said)
    user = has.get("POSTGRES_USER", "postgres")
    made = Account(host, user, has["POSTGRES_PASSWORD"], has.get("POSTGRES_DB", user))
    return logged_in(names, put_in(services["worker"], said)), made


@pytest.mark.parametrize("path", ["compose.yaml", "compose.prod.yaml"])
@pytest.mark.parametrize("told", [False, True], ids=["untold", "told"])
@pytest.mark.parametrize("made", [None, *MADE.values()], ids=["by us", *MADE])
@pytest.mark.parametrize("names", READ.values(), ids=READ)
def test_they_agree(
    tmp_path: Path, names: Account, made: Account | None, told: bool, path: str
) -> None:
    own = database(made, an_app(names, made) if told else "") if made else ""

    has, is_made = both(planned(tmp_path, names, own), own, path, names)

    assert has == is_made


@pytest.mark.parametrize("made", [None, PLAIN, MADE["by the image"]], ids=["us", "plain", "image"])
@pytest.mark.parametrize("path", ["compose.yaml", "compose.prod.yaml"])
def test_they_agree_where_the_source_itself_says_who_it_is(
    tmp_path: Path, made: Account | None, path: str
) -> None:
    names = Account("DB_HOST", "", "DB_PASSWORD", "")
    own = database(made, an_app(names, made)) if made else ""

    has, is_made = both(planned(tmp_path, names, own), own, path, names)

    known = made or MADE["by the image"]
    assert (is_made.user, is_made.database) == (known.user, known.database)
    assert (has.host, has.password) == (is_made.host, is_made.password)


def test_no_password_of_the_projects_stands_in_the_file_for_production(tmp_path: Path) -> None:
    names = Account("DB_HOST", "", "DB_PASSWORD", "DB_NAME")
    plan = planned(tmp_path, names, database(PLAIN, an_app(names, PLAIN)))

    assert WORD not in render(plan)["compose.prod.yaml"].text


def test_nor_does_that_of_a_server_that_has_no_accounts_here(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "taskiq\ntaskiq-nats\n",
        "app.py": (
            "import os\nfrom taskiq_nats import NatsBroker\n"
            "broker = NatsBroker(os.environ['NATS_URL'], password=os.environ['NATS_PASSWORD'])\n"
        ),
        "compose.yaml": (
            "services:\n  nats:\n    image: nats:2-alpine\n  worker:\n    build: .\n"
            "    command: taskiq worker app:broker\n    environment:\n"
            f"      NATS_URL: nats://nats:4222\n      NATS_PASSWORD: {WORD}\n"
        ),
    }
    for path, text in files.items():
        (tmp_path / path).write_text(text)

    made = render(make_plan(detect(tmp_path), "shop"))

    assert WORD not in made["compose.prod.yaml"].text
    assert "NATS_PASSWORD=" in made[".env.example"].text.split()


@pytest.mark.parametrize("driver", ["github.com/lib/pq", "github.com/jackc/pgx/v5"])
def test_beside_a_persons_database_an_address_says_too_that_it_is_not_encrypted(
    tmp_path: Path, driver: str
) -> None:
    files = {
        "go.mod": (
            f"module shop\nrequire (\n\tgithub.com/hibiken/asynq v0.24.1\n\t{driver} v1.10.9\n)\n"
        ),
        "main.go": (
            'package main\nimport (\n\t"os"\n\t"github.com/hibiken/asynq"\n)\nfunc main() {\n'
            '\topen(os.Getenv("DATABASE_URL"), os.Getenv("DB_SSLMODE"))\n'
            '\tasynq.NewServer(asynq.RedisClientOpt{Addr: os.Getenv("REDIS_ADDR")}, c).Run(m)\n}\n'
        ),
        "compose.yaml": database(MADE["by others"]),
    }
    for path, text in files.items():
        (tmp_path / path).write_text(text)

    made = render(make_plan(detect(tmp_path), "shop"))

    asks = driver.endswith("pq")
    for path in ("compose.yaml", "compose.prod.yaml"):
        environment = compose_values(made[path].text)["services"]["worker"]["environment"]
        assert environment["DATABASE_URL"].endswith("?sslmode=disable") == asks
        assert environment["DB_SSLMODE"] == "disable"
