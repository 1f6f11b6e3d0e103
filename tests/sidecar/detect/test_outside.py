"""A broker that somebody else runs: where the project says so, none is put beside the worker."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.plan import Plan
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from stoker.sidecar.scaffold.layout import look_at
from tests.cli.support import ok
from tests.sidecar.hostile import ATTACKS
from tests.sidecar.projects_expected import PROJECTS
from tests.sidecar.reading import compose_values

OUTSIDE = "rediss://shop:s3cret@queue.example.net:6380/2"
SHOWN = "rediss://shop:app@queue.example.net:6380/2"


def planned(root: Path, files: dict[str, str]) -> Plan:
    """Write a project whose worker reads REDIS_URL, and these files; return its plan."""
    source = 'import os, redis, rq\nrq.Queue(connection=redis.from_url(os.environ["REDIS_URL"]))\n'
    more = {"requirements.txt": "rq\n", "jobs.py": source, "Procfile": "worker: rq worker mail\n"}
    for name, text in (more | files).items():
        (root / name).write_text(text)
    return make_plan(detect(root), "shop")


def environment(plan: Plan, file: str) -> dict[str, Any]:
    """Return the worker's variables in a compose file; it has no broker beside it."""
    services = compose_values(render(plan)[file].text)["services"]
    assert set(services) == {"worker"}
    assert "depends_on" not in services["worker"]
    return services["worker"].get("environment", {})


def compose(*lines: str, more: str = "") -> str:
    given = "".join(f"    {line}\n" for line in lines)
    return f"services:\n  web:\n    build: .\n    command: gunicorn shop:app\n{given}{more}"


@pytest.mark.parametrize(
    ("files", "worker"),
    [
        (
            {"compose.yaml": compose("environment:", f"  REDIS_URL: {OUTSIDE}")},
            {"REDIS_URL": OUTSIDE.replace("s3cret", "${REDIS_PASSWORD:?set it in .env}")},
        ),
        (
            {"compose.yaml": compose("environment: ['REDIS_URL=${REDIS_URL}']"),
             ".env": f"REDIS_URL={OUTSIDE}\n"},
            {"REDIS_URL": "${REDIS_URL}"},
        ),
        (
            {"compose.yaml": compose("environment: [REDIS_URL]"),
             ".env": f"export REDIS_URL='{OUTSIDE}' # ours\n"},
            {"REDIS_URL": None},
        ),
        ({"compose.yaml": compose("env_file: shop.env"), "shop.env": f"REDIS_URL={OUTSIDE}\n"}, {}),
        ({".env": "HOST=queue.example.net\n"
          'REDIS_URL="rediss://shop:s3cret@${HOST}:6380/${DB:-2}"\n'}, {"REDIS_URL": None}),
    ],
    ids=["environment", "filled in", "taken over", "a file of variables", "only .env"],
)  # fmt: skip
def test_the_worker_gets_the_projects_own_address(
    files: dict[str, str], worker: dict[str, str | None], tmp_path: Path
) -> None:
    plan = planned(tmp_path, files)

    [store] = plan.stores
    assert store.outside == SHOWN
    assert environment(plan, "compose.prod.yaml") == worker
    [why] = [each for each in plan.decisions if "redis" in each.what]
    assert why.what == "no container for redis: it is at queue.example.net"
    assert why.evidence[0].note == "says where it is"
    assert "s3cret" not in why.evidence[0].text
    line = (tmp_path / why.evidence[0].path).read_text().splitlines()[why.evidence[0].line - 1]
    assert "queue.example.net" in line


SERVICE = "  jobs:\n    image: redis:7\n    container_name: shop-redis\n"


@pytest.mark.parametrize(
    "files",
    [
        {".env": "REDIS_URL=redis://localhost:6379/0\n"},
        {".env": "REDIS_URL=redis://127.0.0.1\n"},
        {".env": "REDIS_URL=redis://[::1]:6379\n"},
        {".env": "REDIS_URL=redis://redis:6379\n"},
        {".env": "REDIS_URL=redis://cache:6379\n"},
        {".env": "REDIS_URL=\n"},
        {".env": "REDIS_URL=unix:///run/redis.sock\n"},
        {".env": "REDIS_URL=amqp://queue.example.net\n"},
        {".env": "# REDIS_URL=rediss://queue.example.net\n"},
        {".env.example": f"REDIS_URL={OUTSIDE}\n"},
        {"compose.yaml": compose("environment: ['REDIS_URL=redis://redis:6379']")},
        {"compose.yaml": compose("environment: ['REDIS_URL=${REDIS_URL}']")},
        {"compose.yaml": compose("environment: ['REDIS_URL=redis://jobs']", more=SERVICE)},
        {"compose.yaml": compose("environment: ['REDIS_URL=redis://shop-redis']", more=SERVICE)},
        {"compose.yaml": compose("environment: ['REDIS_URL=redis://ShopRedis:6379']",
                                 more=SERVICE.replace("shop-redis", "ShopRedis"))},
        {"compose.yaml": compose("environment: ['REDIS_URL=redis://cached']",
                                 "links: ['jobs:cached']", more=SERVICE)},
        {".env": "REDIS_URL=redis://host.docker.internal:6379\n"},
        {".env": "REDIS_URL=redis://gateway.docker.internal:6379\n"},
        {".env": "REDIS_URL=redis://host.containers.internal:6379\n"},
        {"compose.yaml": compose("environment: ['REDIS_URL=redis://localhost']"),
         ".env": f"REDIS_URL={OUTSIDE}\n"},
    ],
)  # fmt: skip
def test_one_of_the_projects_own_or_none_that_is_known_is_beside_the_worker(
    files: dict[str, str], tmp_path: Path
) -> None:
    plan = planned(tmp_path, files)

    [store] = plan.stores
    assert not store.outside
    file = "compose.prod.yaml"
    assert store.name in compose_values(render(plan)[file].text)["services"]


def test_development_takes_no_jobs_of_production(tmp_path: Path) -> None:
    """What only its compose file says is not for a developer's worker."""
    url = "redis://:hunter2@redis.prod.example.com"
    text = compose("environment:", f"  REDIS_URL: {url}").replace("web:", "worker:")
    text = text.replace("gunicorn shop:app", "rq worker mail")

    plan = planned(tmp_path, {"docker-compose.prod.yml": text})

    [store] = plan.stores
    assert (store.outside, store.variables) == ("", {"REDIS_URL": "redis://redis:6379/0"})
    written = render(plan)["compose.yaml"].text
    assert "hunter2" not in written
    assert set(compose_values(written)["services"]) == {"worker", "redis"}


def test_a_name_of_another_network_is_outside(tmp_path: Path) -> None:
    """Of containers that a compose file of another project starts."""
    more = "networks:\n  default:\n    name: shared\n    external: true\n"
    text = compose("environment: ['REDIS_URL=redis://shared-redis:6379/1']", more=more)

    plan = planned(tmp_path, {"compose.yaml": text})

    assert plan.stores[0].outside == "redis://shared-redis:6379/1"


def test_a_broker_of_the_projects_own_for_something_else_changes_nothing(tmp_path: Path) -> None:
    more = "  cache:\n    image: redis:7\n"
    text = compose("environment:", f"  REDIS_URL: {OUTSIDE}", more=more)

    plan = planned(tmp_path, {"compose.yaml": text})

    assert plan.stores[0].outside == SHOWN
    assert environment(plan, "compose.prod.yaml")


def test_a_worker_that_is_still_to_be_written_finds_it_there_as_well(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("redis\n")
    (tmp_path / "compose.yaml").write_text("services:\n  cache:\n    image: redis:7\n")
    (tmp_path / ".env").write_text("STOKER_URL=redis://queue.example.net\n")

    [use] = look_at(tmp_path).seen.uses

    assert (use.kind, use.outside) == ("redis", "redis://queue.example.net")


def test_other_brokers_are_elsewhere_too(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("celery\n")
    (tmp_path / "jobs.py").write_text(
        'import os\nfrom celery import Celery\napp = Celery("j", broker=os.environ["AMQP_URL"])\n'
    )
    (tmp_path / ".env").write_text("AMQP_URL=amqps://a:b@cow.example.net/a\n")

    plan = make_plan(detect(tmp_path), "shop")

    assert [(s.kind, s.outside) for s in plan.stores] == [
        ("rabbitmq", "amqps://a:app@cow.example.net/a")
    ]
    assert environment(plan, "compose.prod.yaml") == {"AMQP_URL": None}
    assert ".env.example" in render(plan)


TASK = "from celery import Celery\n{}\n\n\n@app.task\ndef mail(): ...\n"
WRITTEN: dict[str, dict[str, str]] = {
    "celery": {"jobs.py": TASK.format('app = Celery("jobs", broker="{}")')},
    "celery constant": {"jobs.py": TASK.format('WHERE = "{}"\napp = Celery(broker=WHERE)')},
    "celery setting": {"jobs.py": TASK.format('app = Celery()\napp.conf.broker_url = "{}"')},
    "celery update": {"jobs.py": TASK.format('app = Celery()\napp.conf.update(broker_url="{}")')},
    "celery file": {
        "jobs.py": TASK.format('app = Celery()\napp.config_from_object("celeryconfig")'),
        "celeryconfig.py": 'broker_url = "{}"\n',
    },
    "rq": {"jobs.py": 'import redis\nfrom rq import Queue\nq = Queue("mail",'
           ' connection=redis.from_url("{}"))\n', "Procfile": "worker: rq worker mail\n"},
    "arq": {"jobs.py": "from arq.connections import RedisSettings\n\n\nclass WorkerSettings:\n"
            '    functions = []\n    redis_settings = RedisSettings.from_dsn("{}")\n'},
    "huey": {"jobs.py": 'from huey import RedisHuey\nhuey = RedisHuey("jobs", url="{}")\n'},
    "dramatiq": {"jobs.py": "import dramatiq\nfrom dramatiq.brokers.redis import RedisBroker\n"
                 'dramatiq.set_broker(RedisBroker(url="{}"))\n\n\n'
                 "@dramatiq.actor\ndef mail(): ...\n"},
    "taskiq": {"jobs.py": "from taskiq_redis import ListQueueBroker\n"
               'broker = ListQueueBroker("{}")\n'},
}  # fmt: skip
"""Sources that say themselves where their broker is."""


def written(root: Path, shape: str, url: str, more: dict[str, str] | None = None) -> Plan:
    packages = f"{shape.split()[0]}\nredis\ntaskiq-redis\n"
    for name, text in (WRITTEN[shape] | {"requirements.txt": packages} | (more or {})).items():
        (root / name).write_text(text.replace("{}", url))
    return make_plan(detect(root), "shop")


@pytest.mark.parametrize("shape", WRITTEN)
def test_what_the_source_has_written_in_it_is_elsewhere(shape: str, tmp_path: Path) -> None:
    plan = written(tmp_path, shape, "redis://some-host:6379/0")

    [store] = plan.stores
    assert (store.outside, store.variables) == ("redis://some-host:6379/0", {})
    assert environment(plan, "compose.yaml").keys() <= {"C_FORCE_ROOT"}
    assert environment(plan, "compose.prod.yaml") == {}
    [why] = [each for each in plan.decisions if "redis" in each.what]
    assert why.what == "no container for redis: it is at some-host"
    assert "some-host" in why.evidence[0].text
    line = (tmp_path / why.evidence[0].path).read_text().splitlines()[why.evidence[0].line - 1]
    assert "some-host" in line or "WHERE" in line


@pytest.mark.parametrize("shape", WRITTEN)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "redis", "jobs", "shop-redis"])
def test_what_the_source_says_of_the_projects_own_is_beside_it(
    shape: str, host: str, tmp_path: Path
) -> None:
    more = {"compose.yaml": f"services:\n{SERVICE}"}

    [store] = written(tmp_path, shape, f"redis://{host}:6379/0", more).stores

    assert (store.outside, store.name, store.existing) == ("", "jobs", True)


@pytest.mark.parametrize(
    "line",
    [
        "other = Celery(broker=find())",
        "other = Celery(broker=os.environ['WHERE'])",
        "other = Celery(broker='redis://localhost')",
        "other = Celery(broker=f'redis://{HOST}')",
    ],
)
def test_of_several_that_are_not_all_elsewhere_one_is_beside_it(line: str, tmp_path: Path) -> None:
    text = WRITTEN["celery"]["jobs.py"].replace("\n\n\n@", f"\n{line}\n\n\n@")

    [store] = written(tmp_path, "celery", "redis://some-host", {"jobs.py": text}).stores

    assert not store.outside


@pytest.mark.parametrize(
    ("made", "outside"),
    [
        ("Redis(host='some-host')", "redis://some-host"),
        ("Redis('some-host', port=6380, db=2)", "redis://some-host:6380/2"),
        ("Redis(host='some-host', password=word())", "redis://:app@some-host"),
        ("Redis.from_url(url='redis://:s3cret@some-host')", "redis://:app@some-host"),
        ("Redis(host=find())", ""),
        ("Redis(**find())", ""),
        ("Redis.from_url(find())", ""),
        ("Redis()", ""),
    ],
)
def test_a_connection_in_parts_is_read_as_well(made: str, outside: str, tmp_path: Path) -> None:
    text = f"from redis import Redis\nfrom rq import Queue\nq = Queue(connection={made})\n"

    [store] = written(tmp_path, "rq", "", {"jobs.py": text}).stores

    assert store.outside == outside


BULLMQ = 'import {{ Worker }} from "bullmq";\n{}\nnew Worker("mail", async () => {{}}{});\n'
HOST = 'host: "some-host", port: 6380'


def bullmq(root: Path, before: str, options: str) -> Plan:
    (root / "package.json").write_text('{"dependencies": {"bullmq": "^5"}}')
    (root / "worker.js").write_text(BULLMQ.format(before, options))
    return make_plan(detect(root), "shop")


@pytest.mark.parametrize(
    ("before", "options"),
    [
        ("", f", {{ connection: {{ {HOST} }} }}"),
        ("", ', { concurrency: 2, connection: { url: "redis://some-host:6380" } }'),
        ("", ', { connection: new IORedis("redis://some-host:6380", { family: 4 }) }'),
        ("", f", {{ connection: new Redis({{ {HOST} }}) }}"),
        (f"const connection = {{ {HOST} }};", ", { connection }"),
        (f"const redis = new IORedis({{\n  {HOST},\n}});", ", { connection: redis, x: 1 }"),
    ],
)
def test_a_connection_of_bullmq_is_read_as_well(before: str, options: str, tmp_path: Path) -> None:
    plan = bullmq(tmp_path, before, options)

    [store] = plan.stores
    assert store.outside == "redis://some-host:6380"
    assert environment(plan, "compose.prod.yaml") == {}
    [why] = [each for each in plan.decisions if "redis" in each.what]
    line = (tmp_path / "worker.js").read_text().splitlines()[why.evidence[0].line - 1]
    assert "some-host" in line


@pytest.mark.parametrize(
    ("before", "options"),
    [
        ("", ""),
        ("", ", { concurrency: 2 }"),
        ("", ", options"),
        ("", ', { ...options, connection: { ...redis, host: "some-host" } }'),
        ("", ', { connection: { host: process.env.HOST || "some-host" } }'),
        ("", ', { connection: { host: "localhost" } }'),
        ("", ', { connection: new IORedis(process.env.REDIS_URL ?? "redis://some-host") }'),
        ("", ", { connection: redis }"),
        ("const redis = find('some-host');", ", { connection: redis }"),
        (f'new Worker("a", b, {{ connection: {{ {HOST} }} }});', ", { connection: find() }"),
    ],
)
def test_one_of_bullmq_that_is_not_known_is_beside_it(
    before: str, options: str, tmp_path: Path
) -> None:
    [store] = bullmq(tmp_path, before, options).stores

    assert not store.outside


def test_what_the_environment_says_comes_before_the_source(tmp_path: Path) -> None:
    """As Celery does it: ``CELERY_BROKER_URL`` is read first."""
    given = compose("environment: ['CELERY_BROKER_URL=redis://redis']")
    more = {"Procfile": "web: gunicorn shop:app\n", "compose.yaml": given}

    [store] = written(tmp_path, "celery", "redis://some-host", more).stores

    assert not store.outside


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_a_file_of_variables_holds_a_plan_can_be_written(
    attack: str, tmp_path: Path
) -> None:
    text = attack.encode("utf-8", "replace").decode()
    url = f"REDIS_URL=rediss://{text}:{text}@queue.example.net/{text}?a={text}\n"
    plan = planned(tmp_path, {".env": f"{text}={text}\n{url}"})

    for file in render(plan, ("compose", "kubernetes")).values():
        assert "s3cret" not in file.text


@pytest.mark.parametrize("name", ["rq-managed-redis", "bullmq-dotenv-redis"])
def test_generated_twice_is_as_once_and_says_why(name: str, tmp_path: Path) -> None:
    project = tmp_path / "shop"
    shutil.copytree(PROJECTS / name, project)
    ok("sidecar", "generate", str(project), "--target", "all")

    ok("sidecar", "generate", str(project), "--target", "all", "--check")

    assert "no container for redis: it is at queue.example.net" in ok(
        "sidecar", "explain", str(project)
    )
    written = [path for path in project.rglob("*") if path.is_file()]
    production = [p for p in written if "kubernetes" in p.parts or "prod" in p.name]
    assert len(production) >= 5
    assert not [p for p in production if "s3cret" in p.read_text()]
