"""The processes of a Rails application, in containers: what each is told, and how it is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import TARGETS, render
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values

GEMS = "gem 'rails'\ngem 'pg'\n"
DATABASE = "production:\n  adapter: postgresql\n"
SIDEKIQ = "Sidekiq.configure_server {{ |c| c.redis = {{ url: ENV['{}'] }} }}\n"


def made(root: Path, files: dict[str, str]) -> dict[str, str]:
    plan = make_plan(seen(root, {"config/database.yml": DATABASE} | files), "shop")
    return {path: file.text for path, file in render(plan, TARGETS).items()}


def with_sidekiq(root: Path, source: str) -> dict[str, str]:
    files = {
        "Gemfile": f"{GEMS}gem 'sidekiq'\n",
        "Procfile": "worker: bundle exec sidekiq\n",
        "config/initializers/sidekiq.rb": source,
    }
    return made(root, files)


def checks(files: dict[str, str]) -> tuple[str, str]:
    """Return the worker's in a compose file, and in Kubernetes."""
    service = compose_values(files["compose.yaml"])["services"]["worker"]
    deployment = yaml.safe_load(files["kubernetes/worker.yaml"])
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    probe: dict[str, Any] = container["livenessProbe"]["exec"]
    return service["healthcheck"]["test"][-1].replace("$$", "$"), probe["command"][-1]


@pytest.mark.parametrize(
    ("source", "address"),
    [
        (SIDEKIQ.format("REDIS_URL"), ""),
        (SIDEKIQ.format("JOBS_REDIS_URL"), 'REDIS_URL="$JOBS_REDIS_URL" '),
        (
            SIDEKIQ.format("SIDEKIQ_REDIS_URL") + "CACHE = Redis.new(url: ENV['REDIS_URL'])\n",
            'REDIS_URL="$SIDEKIQ_REDIS_URL" ',
        ),
    ],
)
def test_sidekiqs_check_asks_the_redis_that_the_worker_has(
    tmp_path: Path, source: str, address: str
) -> None:
    for check in checks(with_sidekiq(tmp_path, source)):
        assert check.startswith(f"{address}bundle exec sidekiqmon processes")


def test_of_two_workers_of_one_application_each_has_all_that_it_needs(tmp_path: Path) -> None:
    files = {
        "Gemfile": f"{GEMS}gem 'sidekiq'\ngem 'delayed_job_active_record'\n",
        "Procfile": "mail: bundle exec sidekiq\nslow: bundle exec rake jobs:work\n",
        "config/initializers/sidekiq.rb": SIDEKIQ.format("REDIS_URL"),
    }

    services = compose_values(made(tmp_path, files)["compose.yaml"])["services"]

    for name in ("mail", "slow"):
        assert {"DATABASE_URL", "REDIS_URL"} <= set(services[name]["environment"])
        assert set(services[name]["depends_on"]) == {"postgres", "redis"}


SOLID_QUEUE = {
    "Gemfile": f"{GEMS}gem 'solid_queue'\n",
    "bin/jobs": "SolidQueue::Cli.start(ARGV)\n",
    "Procfile": "worker: bin/jobs\n",
}
PRIMARY = "production:\n  primary: &first\n    adapter: postgresql\n    database: shop_production\n"
NAMED = "    database: shop_production_queue\n    migrations_paths: db/queue_migrate\n"
URL = "  queue:\n    url: <%= ENV{} %>\n    migrations_paths: db/queue_migrate\n"
DEFAULT = """\
default: &default
  adapter: {}
  <% if ENV["DB_HOST"] %>
  host: <%= ENV["DB_HOST"] %>
  <% end %>
"""


@pytest.mark.parametrize(
    ("database", "led"),
    [
        (f"{PRIMARY}  queue:\n    <<: *first\n{NAMED}", {"QUEUE_DATABASE_URL": ""}),
        (f"{PRIMARY}  queue: *first\n", {"QUEUE_DATABASE_URL": "/app"}),
        (f"{PRIMARY}  queue:\n    <<: *first\n    replica: true\n{NAMED}",
         {"QUEUE_DATABASE_URL": "/app"}),
        (PRIMARY + URL.format('["QUEUE_DATABASE_URL"]'),
         {"QUEUE_DATABASE_URL": "/app_queue"}),
        (PRIMARY + URL.format('.fetch("JOBS_DB_URL", "")'),
         {"JOBS_DB_URL": "/app_jobs"}),
        (PRIMARY + URL.format('["DATABASE_URL"]'), {}),
        (PRIMARY + URL.format('["REPLICA_URL"]') + "    replica: true\n",
         {"REPLICA_URL": "/app"}),
        (f"{PRIMARY}  queue:\n    <<: *first\n{NAMED}  cable:\n    <<: *first\n    database: c\n",
         {"QUEUE_DATABASE_URL": "", "CABLE_DATABASE_URL": ""}),
        (DEFAULT.format("postgresql") + "production:\n  primary:\n    <<: *default\n"
         f"  queue:\n    <<: *default\n{NAMED}", {"QUEUE_DATABASE_URL": ""}),
        (DEFAULT.format("sqlite3") + "production:\n  primary:\n    <<: *default\n"
         f"  queue:\n    <<: *default\n{NAMED}", {}),
        ("production:\n  adapter: postgresql\n  variables:\n    statement_timeout: 1\n", {}),
        ("production:\n  primary: {{\n", {}),
        (f"{PRIMARY}  'a b':\n    <<: *first\n{NAMED}", {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["compose.yaml", "compose.prod.yaml"])
def test_each_database_is_reached_by_the_variable_that_leads_to_it(
    tmp_path: Path, database: str, led: dict[str, str], path: str
) -> None:
    files = made(tmp_path, SOLID_QUEUE | {"config/database.yml": database})

    found = compose_values(files[path])["services"]["worker"]["environment"]
    word = "app" if path == "compose.yaml" else "${POSTGRES_PASSWORD:?set it in .env}"
    server = f"postgresql://app:{word}@postgres:5432"
    urls = {name: text for name, text in found.items() if name.endswith("_URL")}
    named = {"QUEUE_DATABASE_URL": "/shop_production_queue", "CABLE_DATABASE_URL": "/c"}
    if path == "compose.prod.yaml":  # where database.yml says what it is called
        led = {name: end or named[name] for name, end in led.items()}
    assert urls == {"DATABASE_URL": f"{server}/app"} | {n: f"{server}{e}" for n, e in led.items()}


def test_beside_a_persons_database_the_file_says_what_each_is_called(tmp_path: Path) -> None:
    compose = (
        "services:\n  db:\n    image: postgres:17\n    environment:\n"
        "      POSTGRES_USER: shop\n      POSTGRES_PASSWORD: ${WORD}\n"
    )
    database = f"{PRIMARY}  queue:\n    <<: *first\n{NAMED}"

    files = made(tmp_path, SOLID_QUEUE | {"config/database.yml": database, "compose.yaml": compose})

    found = compose_values(files["compose.yaml"])["services"]["worker"]["environment"]
    server = "postgresql://shop:${WORD}@db:5432"
    assert (found["DATABASE_URL"], found["QUEUE_DATABASE_URL"]) == (server, server)


SEVERAL = f"{PRIMARY}  queue:\n    <<: *first\n{NAMED}"
CONNECTS = "config.solid_queue.connects_to = {{ database: {{ writing: :{} }} }}\n"


@pytest.mark.parametrize(
    ("database", "source", "own"),
    [
        (DATABASE, "", "DATABASE_URL"),
        (SEVERAL, "", "DATABASE_URL"),
        (SEVERAL, CONNECTS.format("queue"), "QUEUE_DATABASE_URL"),
        (SEVERAL.replace("  queue:", "  jobs:"), CONNECTS.format("jobs"), "JOBS_DATABASE_URL"),
        (SEVERAL, f"# {CONNECTS.format('queue')}", "DATABASE_URL"),
    ],
)
def test_jobs_are_counted_in_their_own_database(
    tmp_path: Path, database: str, source: str, own: str
) -> None:
    more = {"config/database.yml": database, "config/environments/production.rb": source}
    files = made(tmp_path, SOLID_QUEUE | more)

    every = yaml.safe_load_all(files["kubernetes/worker-scaling.yaml"])
    [reference] = next(r for e in every if (r := e["spec"].get("secretTargetRef")))
    assert (reference["parameter"], reference["key"]) == ("connection", own)
    said = f"# {own} ends with /shop_production_queue\n"
    assert (said in files["kubernetes/.env.example"]) == (own != "DATABASE_URL")


APPLICATION = {"config/application.rb": "module Shop\nend\n"}
KEY = "${SECRET_KEY_BASE:?set it in .env}"


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({}, KEY),
        ({"config/secrets.yml": "production:\n  secret_key_base: <%= ENV['SECRET_KEY_BASE'] %>\n"},
         KEY),
        ({"config/initializers/devise.rb": "# config.secret_key_base = 'x'\n"}, KEY),
        # Its own settings have it from elsewhere.
        ({"config/environments/production.rb": "config.secret_key_base = ENV['KEY_OF_SHOP']\n"},
         None),
    ],
)  # fmt: skip
def test_production_does_not_start_without_the_key_that_rails_needs(
    tmp_path: Path, more: dict[str, str], key: str | None
) -> None:
    files = made(tmp_path, SOLID_QUEUE | APPLICATION | more)

    def environment(path: str) -> dict[str, Any]:
        return compose_values(files[path])["services"]["worker"]["environment"]

    assert environment("compose.prod.yaml")["SECRET_KEY_BASE"] == key
    assert environment("compose.yaml")["SECRET_KEY_BASE"] is None
    assert "SECRET_KEY_BASE=\n" in files[".env.example"]


def test_a_file_for_production_that_the_app_is_in_stays_startable(tmp_path: Path) -> None:
    compose = "services:\n  web:\n    build: .\n    command: bin/rails server\n"
    more = {"Dockerfile": "FROM ruby\nENV SECRET_KEY_BASE=x\n", "compose.prod.yaml": compose}
    files = made(tmp_path, SOLID_QUEUE | APPLICATION | more)

    worker = compose_values(files["compose.prod.yaml"])["services"]["worker"]
    assert worker["environment"]["SECRET_KEY_BASE"] is None


def test_a_worker_whose_jobs_have_no_tables_yet_waits_for_the_app(tmp_path: Path) -> None:
    files = made(tmp_path, SOLID_QUEUE)

    command = "docker compose -f compose.prod.yaml run --rm worker bin/rails db:prepare"
    assert f"#   {command}\n" in files["compose.prod.yaml"]
    worker = compose_values(files["compose.yaml"])["services"]["worker"]
    assert worker["restart"] == "on-failure"


def test_one_whose_jobs_are_in_redis_needs_no_tables(tmp_path: Path) -> None:
    files = with_sidekiq(tmp_path, SIDEKIQ.format("REDIS_URL"))

    assert "db:prepare" not in files["compose.prod.yaml"]
    assert "restart" not in compose_values(files["compose.yaml"])["services"]["worker"]


def test_a_host_that_a_compose_file_tells_does_not_take_the_place_of_the_whole_address(
    tmp_path: Path,
) -> None:
    compose = (
        "services:\n  web:\n    build: .\n    environment: {PGHOST: db}\n"
        "  db:\n    image: postgres:17\n    environment: {POSTGRES_USER: shop}\n"
    )
    files = made(
        tmp_path,
        {
            "Gemfile": f"{GEMS}gem 'good_job'\n",
            "Dockerfile": "FROM ruby\n",
            "config/application.rb": "config.active_job.queue_adapter = :good_job\n",
            "Procfile": "worker: bundle exec good_job start\n",
            "compose.yaml": compose,
        },
    )

    found = compose_values(files["compose.prod.yaml"])["services"]["worker"]["environment"]
    asked = "${POSTGRES_PASSWORD:?set it in .env}"
    assert found["PGHOST"] == "db"
    assert found["DATABASE_URL"].startswith(f"postgresql://shop:{asked}@db:5432")
