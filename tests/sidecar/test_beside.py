"""What workers reach in their containers: broker, database, cache, by the project's own variables.

Each as a user would look at it: the ``environment`` and ``depends_on`` of the compose file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import TARGETS, render
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values

CELERY = "import os\nfrom celery import Celery\n\napp = Celery('shop', broker={})\n"
REDIS = CELERY.format("os.environ['REDIS_URL']")
DATABASE = "import os\n\nURL = os.environ['DATABASE_URL']\n"
BULLMQ = '{"dependencies": {"bullmq": "5", "pg": "8"}, "scripts": {"worker": "node worker.js"}}'
WORKER = (
    "import { Worker } from 'bullmq';\n"
    "new Worker('mail', async () => {}, { connection: { url: process.env.REDIS_URL } });\n"
)


def services(root: Path, files: dict[str, str], path: str = "compose.yaml") -> dict[str, Any]:
    plan = make_plan(seen(root, files), "shop")
    return compose_values(render(plan)[path].text)["services"]


def told(root: Path, files: dict[str, str]) -> dict[str, str]:
    return services(root, files)["worker"]["environment"]


@pytest.mark.parametrize("requirements", ["celery[redis]\nasyncpg\n", "celery[redis]\npsycopg2\n"])
def test_a_database_that_no_compose_file_has_is_beside_the_worker(
    tmp_path: Path, requirements: str
) -> None:
    files = {"requirements.txt": requirements, "tasks.py": REDIS, "models.py": DATABASE}

    found = services(tmp_path, files)

    assert (
        found["worker"]["environment"]["DATABASE_URL"] == "postgresql://app:app@postgres:5432/app"
    )
    assert set(found["worker"]["depends_on"]) == {"postgres", "redis"}
    assert found["postgres"]["image"] == "postgres:17-alpine"


def test_one_that_the_compose_file_has_is_taken_without_an_app_there(tmp_path: Path) -> None:
    compose = (
        "services:\n  db:\n    image: postgres:16\n    environment:\n"
        "      POSTGRES_USER: shop\n      POSTGRES_PASSWORD: ${DB_PASSWORD}\n"
    )
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "models.py": DATABASE}
    plan = make_plan(seen(tmp_path, files | {"docker-compose.yml": compose}), "shop")

    worker = compose_values(render(plan)["docker-compose.yml"].text)["services"]["worker"]

    assert worker["environment"]["DATABASE_URL"] == "postgresql://shop:${DB_PASSWORD}@db:5432/shop"
    assert "db" in worker["depends_on"]


def test_its_parts_are_told_by_the_names_that_the_source_reads(tmp_path: Path) -> None:
    models = "import os\n" + "".join(
        f"{part} = os.getenv('POSTGRES_{part}')\n"
        for part in ("HOST", "PORT", "USER", "PASSWORD", "DB")
    )
    files = {
        "requirements.txt": "celery[redis]\npsycopg2\n",
        "tasks.py": REDIS,
        "models.py": models,
    }

    found = told(tmp_path, files)

    parts = {name: value for name, value in found.items() if name.startswith("POSTGRES")}
    assert parts == {
        "POSTGRES_HOST": "postgres", "POSTGRES_PORT": "5432", "POSTGRES_USER": "app",
        "POSTGRES_PASSWORD": "app", "POSTGRES_DB": "app",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["INIT_DB", "KEEP_DATABASE", "TEST_DATABASE_URL", "LOG_DB_QUERIES"]
)
def test_what_only_speaks_of_it_is_none_of_them(tmp_path: Path, name: str) -> None:
    models = f"{DATABASE}OTHER = os.environ.get('{name}')\n"
    files = {"requirements.txt": "celery[redis]\npsycopg2\n", "tasks.py": REDIS, "m.py": models}

    assert name not in told(tmp_path, files)


def test_a_schema_of_prisma_reads_it_too(tmp_path: Path) -> None:
    schema = (
        'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n'
        '  directUrl = env("DIRECT_URL")\n}\n'
    )
    files = {"package.json": BULLMQ, "worker.js": WORKER, "prisma/schema.prisma": schema}

    found = told(tmp_path, files)

    assert found["DATABASE_URL"] == found["DIRECT_URL"] == "postgresql://app:app@postgres:5432/app"


def test_rails_reads_it_whatever_the_source_says(tmp_path: Path) -> None:
    files = {
        "Gemfile": "gem 'rails'\ngem 'pg'\ngem 'sidekiq'\n",
        "Procfile": "worker: bundle exec sidekiq\n",
    }

    assert told(tmp_path, files)["DATABASE_URL"] == "postgresql://app:app@postgres:5432/app"


def test_a_second_database_of_rails_is_told_too(tmp_path: Path) -> None:
    files = {
        "Gemfile": "gem 'rails'\ngem 'pg'\ngem 'resque'\n",
        "Procfile": "worker: QUEUE=* bundle exec rake resque:work\n",
        "app/models/report.rb": "establish_connection(ENV['REPORTS_DATABASE_URL'])\n",
    }

    found = told(tmp_path, files)

    assert found["REPORTS_DATABASE_URL"] == found["DATABASE_URL"]


@pytest.mark.parametrize(
    ("file", "name"),
    [("config/credentials.yml.enc", "RAILS_MASTER_KEY"), ("config/puma.rb", "SECRET_KEY_BASE")],
)
def test_rails_is_given_what_it_does_not_start_without(
    tmp_path: Path, file: str, name: str
) -> None:
    files = {
        "Gemfile": "gem 'rails'\ngem 'pg'\ngem 'sidekiq'\n",
        "Procfile": "worker: bundle exec sidekiq\n",
        "config/application.rb": "module Shop\nend\n",
        file: "",
    }

    assert name in told(tmp_path, files)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "mysql://root@localhost/shop"),
        ("DATABASE_URL", "mongodb://localhost:27017/shop"),
        ("MONGODB_URI", ""),
        ("SHOP_MYSQL_HOST", "localhost"),
    ],
)
def test_another_database_is_the_operators_to_say(tmp_path: Path, name: str, url: str) -> None:
    models = f"import os\n\nURL = os.environ.get('{name}', '{url}')\n"
    plan = make_plan(
        seen(tmp_path, {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "m.py": models})
    )
    files = render(plan)

    assert "postgres" not in compose_values(files["compose.yaml"].text)["services"]
    assert name in files[".env.example"].text


def test_a_file_by_default_is_left_alone(tmp_path: Path) -> None:
    models = "import os\n\nURL = os.environ.get('DATABASE_URL', 'sqlite:///shop.db')\n"
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "models.py": models}

    assert "DATABASE_URL" not in told(tmp_path, files)


def test_a_variable_that_only_another_package_reads_is_none_of_the_workers(tmp_path: Path) -> None:
    files = {
        "api/requirements.txt": "fastapi\nasyncpg\n", "api/main.py": DATABASE,
        "jobs/requirements.txt": "celery[redis]\n", "jobs/tasks.py": REDIS,
    }  # fmt: skip

    assert "DATABASE_URL" not in told(tmp_path, files)


@pytest.mark.parametrize(
    "line",
    [
        "os.environ.get('JOBS_AT', 'redis://localhost:6379/3')",
        'os.getenv(\n    "JOBS_AT",\n    "redis://127.0.0.1:6379/3",\n)',
        "os.environ.get('JOBS_AT') or 'redis://localhost/3'",
    ],
)
def test_a_default_in_python_is_told_where_the_broker_is(tmp_path: Path, line: str) -> None:
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": CELERY.format(line)}

    assert told(tmp_path, files)["JOBS_AT"] == "redis://redis:6379/3"


@pytest.mark.parametrize(
    ("manifest", "name", "source"),
    [
        ("package.json", "worker.js", "process.env.JOBS_AT || 'redis://localhost:6379/0'"),
        ("package.json", "worker.js", "process.env['JOBS_AT'] ?? `redis://localhost:6379`"),
        (
            "package.json",
            "worker.js",
            "zod.object({\n  JOBS_AT: z.string().default('redis://redis'),\n})",
        ),
    ],
)
def test_a_default_in_node_is_told_too(
    tmp_path: Path, manifest: str, name: str, source: str
) -> None:
    files = {manifest: BULLMQ, name: f"const at = {source};\n{WORKER}"}

    assert told(tmp_path, files)["JOBS_AT"] == "redis://redis:6379/0"


def test_a_default_in_ruby_is_told_too(tmp_path: Path) -> None:
    files = {
        "Gemfile": "gem 'sidekiq'\n",
        "Procfile": "worker: bundle exec sidekiq -r ./app.rb\n",
        "app.rb": "Sidekiq.configure_server { |c| c.redis = "
        '{ url: ENV.fetch("JOBS_AT", "redis://localhost:6379/5") } }\n',
    }

    assert told(tmp_path, files)["JOBS_AT"] == "redis://redis:6379/5"


def test_fields_of_settings_are_variables(tmp_path: Path) -> None:
    settings = (
        "from pydantic_settings import BaseSettings\n\n\nclass Settings(BaseSettings):\n"
        '    model_config = SettingsConfigDict(env_prefix="SHOP_")\n'
        '    jobs_at: str = "redis://localhost:6379/1"\n'
    )
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "settings.py": settings}

    assert told(tmp_path, files)["SHOP_JOBS_AT"] == "redis://redis:6379/1"


def test_results_in_redis_are_beside_jobs_in_rabbitmq(tmp_path: Path) -> None:
    results = "backend=os.environ.get('RESULTS_AT', 'redis://localhost:6379/1')"
    app = CELERY.format(f"os.environ['AMQP_URL'], {results}")
    files = {"requirements.txt": "celery\npika\nredis\n", "tasks.py": app}

    found = services(tmp_path, files)

    assert found["worker"]["environment"]["RESULTS_AT"] == "redis://redis:6379/1"
    assert set(found["worker"]["depends_on"]) == {"rabbitmq", "redis"}


def test_a_cache_is_beside_them_whatever_it_is_called_by(tmp_path: Path) -> None:
    app = CELERY.format("os.environ['AMQP_URL']") + "CACHE = os.environ['CACHE_REDIS_HOST']\n"
    files = {"requirements.txt": "celery\npika\nredis\n", "tasks.py": app}

    assert told(tmp_path, files)["CACHE_REDIS_HOST"] == "redis"


def test_a_default_elsewhere_is_no_address_of_ours(tmp_path: Path) -> None:
    line = "os.environ.get('CACHE_AT', 'redis://cache.example.com:6379/0')"
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "cache.py": f"AT = {line}\n"}

    assert "CACHE_AT" not in told(tmp_path, files)


@pytest.mark.parametrize(
    "scheme", ["postgresql+asyncpg", "postgres", "postgres+psycopg", "postgresql+psycopg2"]
)
@pytest.mark.parametrize("where", [".env.example", "models.py"])
def test_the_scheme_is_the_projects_own(tmp_path: Path, scheme: str, where: str) -> None:
    url = f"{scheme}://shop:shop@localhost:5432/shop"
    files = {
        "requirements.txt": "celery[redis]\nasyncpg\n",
        "tasks.py": REDIS,
        "models.py": DATABASE,
    }
    files[where] = f"DATABASE_URL={url}\n" if "env" in where else DATABASE.replace(
        "environ['DATABASE_URL']", f"environ.get('DATABASE_URL', '{url}')"
    )  # fmt: skip

    assert told(tmp_path, files)["DATABASE_URL"] == f"{scheme}://app:app@postgres:5432/app"


@pytest.mark.parametrize(
    ("requirements", "scheme"),
    [
        ("sqlalchemy\nasyncpg\n", "postgresql+asyncpg"),
        ("sqlmodel\npsycopg[binary]\n", "postgresql+psycopg"),
        ("sqlalchemy\nasyncpg\npsycopg2-binary\n", "postgresql"),
        ("asyncpg\n", "postgresql"),
    ],
)
def test_without_one_it_is_that_of_the_only_driver(
    tmp_path: Path, requirements: str, scheme: str
) -> None:
    files = {"requirements.txt": f"celery[redis]\n{requirements}", "tasks.py": REDIS}

    found = told(tmp_path, files | {"models.py": DATABASE})

    assert found["DATABASE_URL"] == f"{scheme}://app:app@postgres:5432/app"


def test_pq_of_go_does_not_want_encryption_that_no_container_has(tmp_path: Path) -> None:
    files = {
        "go.mod": "module example.com/x\n\nrequire github.com/hibiken/asynq v0.25.0\n"
        "require github.com/lib/pq v1.10.9\n",
        "Procfile": "worker: go run ./cmd/worker\n",
        "cmd/worker/main.go": 'package main\n\nimport "github.com/hibiken/asynq"\n\n'
        'func main() {\n\topen(os.Getenv("DATABASE_URL"))\n'
        "\tasynq.NewServer(asynq.RedisClientOpt{}, asynq.Config{}).Run(mux)\n}\n",
    }

    found = told(tmp_path, files)

    assert found["DATABASE_URL"] == "postgres://app:app@postgres:5432/app?sslmode=disable"


def test_who_does_not_read_it_is_not_given_it(tmp_path: Path) -> None:
    files = {f"{dir}/requirements.txt": "celery[redis]\npsycopg2\n" for dir in "ab"}
    files |= {f"{dir}/tasks.py": REDIS for dir in "ab"}
    files["a/models.py"] = DATABASE

    found = services(tmp_path, files)
    by_dir = {each["build"]["context"]: each for each in found.values() if "build" in each}

    assert "DATABASE_URL" in by_dir["./a"]["environment"]
    assert "DATABASE_URL" not in by_dir["./b"]["environment"]
    assert set(by_dir["./b"]["depends_on"]) == {"redis"}


@pytest.mark.parametrize("stated", ["sqlite:///./dev.db", "mysql://a@localhost/shop"])
def test_an_address_of_another_kind_says_nothing_of_its_own(tmp_path: Path, stated: str) -> None:
    app = f"import os, procrastinate\n\nURL = os.getenv('DATABASE_URL', '{stated}')\n"
    app += "app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL))\n"
    files = {"requirements.txt": "procrastinate\n", "tasks.py": app}

    found = told(tmp_path, files)

    assert found["DATABASE_URL"] == "postgresql://app:app@postgres:5432/app"


def test_nor_does_a_file_of_a_service_that_is_there(tmp_path: Path) -> None:
    compose = "services:\n  db:\n    image: postgres:16\n    environment: {POSTGRES_USER: shop}\n"
    models = "import os\n\nURL = os.environ.get('DATABASE_URL', 'sqlite:///./dev.db')\n"
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "models.py": models}
    plan = make_plan(seen(tmp_path, files | {"docker-compose.yml": compose}), "shop")

    worker = compose_values(render(plan)["docker-compose.yml"].text)["services"]["worker"]

    assert worker["environment"]["DATABASE_URL"] == "postgresql://shop@db:5432/shop"


def test_what_is_written_is_the_same_whatever_a_developers_own_file_says(tmp_path: Path) -> None:
    files = {"requirements.txt": "celery[redis]\npsycopg2\n", "tasks.py": REDIS, "m.py": DATABASE}
    own = "DATABASE_URL=postgres+asyncpg://me:pw@localhost/x?schema=me\nREDIS_URL=redis://a/7\n"

    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    found = told(tmp_path / "with", files | {".env": own, ".env.local": own})

    assert found == told(tmp_path / "without", files)


@pytest.mark.parametrize(
    "query", ["host=/run/x&user=alice", "sv=ghp_abcdefghijklmnopqrst", "schema=a%20b", "token=x"]
)
def test_nothing_else_that_it_is_told_is_copied(tmp_path: Path, query: str) -> None:
    example = f"DATABASE_URL=postgres://localhost/shop?{query}\n"
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "models.py": DATABASE}

    found = told(tmp_path, files | {".env.example": example})

    assert found["DATABASE_URL"] == "postgres://app:app@postgres:5432/app"


def test_an_address_whose_password_is_not_in_its_place_is_not_read(tmp_path: Path) -> None:
    example = (
        "REDIS_URL=redis://default:12?x=hunter2@localhost:6379/3\n"
        "DATABASE_URL=postgres://me:54?schema=hunter2@localhost/db\n"
    )
    files = {"requirements.txt": "celery[redis]\npsycopg2\n", "tasks.py": REDIS, "m.py": DATABASE}
    detection = seen(tmp_path, files | {".env.example": example})

    assert not any(use.written for use in (*detection.uses, *detection.beside))
    assert "hunter2" not in str(detection)


def test_a_long_line_is_shown_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://app:hunter2thatgoesoverwhatisshown@localhost/db"
    line = f"engine = {'x' * 110}(echo=False, url=os.environ.get('DATABASE_URL', '{url}'))\n"
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "models.py": line}

    for at in range(0, 60, 3):
        longer = files | {"models.py": f"{'y' * at}{line}"}
        [use] = seen(tmp_path, longer).beside
        assert "hunter2" not in use.evidence[0].text


def test_the_line_is_that_of_the_variable_itself(tmp_path: Path) -> None:
    example = (
        "TEST_DATABASE_URL=postgres://localhost/test\n# DATABASE_URL is the app's\n"
        "DATABASE_URL=postgres://localhost/db\n"
    )
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "models.py": DATABASE}

    [use] = seen(tmp_path, files | {".env.example": example}).beside

    assert (use.evidence[0].path, use.evidence[0].line) == (".env.example", 3)


def test_what_a_driver_is_told_stays_but_for_what_no_container_can(tmp_path: Path) -> None:
    example = (
        "DATABASE_URL=postgres://a:b@localhost/shop?sslmode=disable&schema=public\n"
        "REPORTS_DATABASE_URL=postgres://a:b@localhost/shop?sslmode=require\n"
    )
    models = DATABASE + "REPORTS = os.environ['REPORTS_DATABASE_URL']\n"
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "models.py": models}

    found = told(tmp_path, files | {".env.example": example})

    url = "postgres://app:app@postgres:5432/app"
    assert found["DATABASE_URL"] == f"{url}?sslmode=disable&schema=public"
    assert found["REPORTS_DATABASE_URL"] == url


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("redis-server --requirepass ${CACHE_PASSWORD}", "CACHE_PASSWORD"),
        ("redis-server --requirepass ${CACHE_PASSWORD:-hunter2}", "CACHE_PASSWORD"),
        ("['redis-server', '--requirepass', '$CACHE_PASSWORD', '--appendonly', 'yes']",
         "CACHE_PASSWORD"),
        ("sh -c 'exec redis-server --requirepass \"$$OWN\"'", "CACHE_PASSWORD"),
        ("redis-server --appendonly yes --requirepass hunter2", "REDIS_PASSWORD"),
    ],
)  # fmt: skip
def test_a_redis_with_a_password_is_reached_with_it(
    tmp_path: Path, command: str, name: str
) -> None:
    compose = (
        f"services:\n  cache:\n    image: redis:7\n    command: {command}\n"
        "    environment:\n      OWN: ${CACHE_PASSWORD}\n"
    )
    source = f"{REDIS}WORD = os.environ['REDIS_PASSWORD']\n"
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": source, "compose.yaml": compose}
    plan = make_plan(seen(tmp_path, files), "shop")
    made = render(plan, TARGETS)

    found = compose_values(made["compose.yaml"].text)["services"]["worker"]["environment"]

    word = f"${{{name}:?set it in .env}}"
    assert found["REDIS_URL"] == f"redis://:{word}@cache:6379/0"
    assert found["REDIS_PASSWORD"] == word
    assert f"{name}=\n" in made[".env.example"].text
    assert "hunter2" not in "".join(file.text for file in made.values())
    assert any(name in note for note in plan.notes) == command.endswith(" hunter2")


@pytest.mark.parametrize(
    "command",
    [
        "redis-server --requirepass '' --appendonly yes",
        """["redis-server", "--requirepass", "", "--appendonly", "yes"]""",
        """sh -c 'redis-server --requirepass "" --appendonly yes'""",
        """redis-server --save "" --requirepass """,
    ],
)
def test_an_empty_password_is_none(tmp_path: Path, command: str) -> None:
    compose = f"services:\n  cache:\n    image: redis:7\n    command: {command}\n"
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "compose.yaml": compose}

    assert told(tmp_path, files)["REDIS_URL"] == "redis://cache:6379/0"


def test_what_only_the_shell_of_a_command_asks_for_is_asked_of_the_operator(tmp_path: Path) -> None:
    line = (
        "worker: COUNT=1 celery -A tasks worker -c $COUNT -n ${NAME} -Q $QUEUES -P ${POOL:-solo}\n"
    )
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "Procfile": line}
    made = render(make_plan(seen(tmp_path, files), "shop"))

    found = compose_values(made["compose.yaml"].text)["services"]["worker"]["environment"]

    assert (found["NAME"], found["QUEUES"]) == (None, None)
    assert not {"COUNT", "POOL"} & {name for name, value in found.items() if value is None}
    assert made[".env.example"].text == "NAME=\nQUEUES=\n"


@pytest.mark.parametrize(
    "path",
    [
        "Dockerfile.worker", "worker.Dockerfile", "docker/worker.Dockerfile",
        "docker/Dockerfile.worker", "docker/worker/Dockerfile", "Dockerfile.celery",
        "deploy/docker/shop-worker.dockerfile",
    ],
)  # fmt: skip
def test_the_workers_own_dockerfile_is_used(tmp_path: Path, path: str) -> None:
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS, "Dockerfile": "FROM web:1\n"}
    made = render(make_plan(seen(tmp_path, files | {path: "FROM python:3.13\n"}), "shop"))

    build = compose_values(made["compose.yaml"].text)["services"]["worker"]["build"]

    assert build == {"context": ".", "dockerfile": path}
    assert not any("ockerfile" in each for each in made)


MEMBER = {
    "package.json": '{"name": "shop", "workspaces": ["apps/*"]}',
    "package-lock.json": "{}",
    "apps/worker/package.json": '{"name": "worker", "dependencies": {"bullmq": "5"}}',
    "apps/worker/worker.js": WORKER,
    "apps/worker/Dockerfile": 'FROM node:22\nCMD ["node", "apps/worker/worker.js"]\n',
}


def test_that_of_a_member_of_a_workspace_is_its_own(tmp_path: Path) -> None:
    [image] = make_plan(seen(tmp_path, MEMBER), "shop").images

    assert (image.context, image.dockerfile) == (".", "apps/worker/Dockerfile")
    assert image.existing


def test_an_image_may_be_built_elsewhere_than_its_source_is(tmp_path: Path) -> None:
    compose = (
        "services:\n  worker:\n    build: ./images/worker\n    working_dir: /app\n"
        "    volumes: ['./shop:/app']\n    command: celery -A tasks worker\n"
    )
    files = {
        "shop/requirements.txt": "celery[redis]\n", "shop/tasks.py": REDIS,
        "images/worker/Dockerfile": "FROM python:3.13\n", "docker-compose.yml": compose,
    }  # fmt: skip

    [image] = make_plan(seen(tmp_path, files), "shop").images

    assert (image.context, image.dockerfile, image.manifests) == ("images/worker", "Dockerfile", ())


@pytest.mark.parametrize(
    "others", [("Dockerfile.api",), ("Dockerfile.mail-worker", "Dockerfile.sms-worker")]
)
def test_one_that_may_be_anothers_is_not(tmp_path: Path, others: tuple[str, ...]) -> None:
    files = {"requirements.txt": "celery[redis]\n", "tasks.py": REDIS}
    made = render(make_plan(seen(tmp_path, files | dict.fromkeys(others, "FROM x:1\n")), "shop"))

    build = compose_values(made["compose.yaml"].text)["services"]["worker"]["build"]

    assert build["dockerfile"] == "Dockerfile"
    assert "Dockerfile" in made


def test_go_without_a_module_is_said_not_to_build(tmp_path: Path) -> None:
    main = "package main\n\nfunc main() {}\n"
    files = {"Godeps/Godeps.json": "{}", "cmd/worker/main.go": main}
    files["Procfile"] = "worker: go run ./cmd/worker\n"

    notes = make_plan(seen(tmp_path, files), "shop").notes

    assert any("go mod init" in note for note in notes)
    with_module = files | {"go.mod": "module example.com/shop\n\ngo 1.25\n"}
    assert not make_plan(seen(tmp_path, with_module), "shop").notes
