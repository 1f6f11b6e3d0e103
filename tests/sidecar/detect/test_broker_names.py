"""Where a broker is only the deployment knows; what its setting is called says which it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import seen

BOTH = """\
services:
  redis: {image: 'redis:8'}
  rabbitmq: {image: 'rabbitmq:4'}
  db: {image: 'postgres:18'}
"""
APP = "from celery import Celery\n\napp = Celery('shop')\n\n\n@app.task\ndef mail(n): ...\n\n\n"
FILES = {"requirements.txt": "celery\nredis\npika\n", "compose.yaml": BOTH}


@pytest.mark.parametrize(
    "line",
    [
        "app.conf.broker_url = settings.{name}_URL",
        "ADDRESS = settings.{name}_URL\napp.conf.broker_url = ADDRESS",
        "app.conf.update(broker_url=config['{name}_DSN'])",
        "app.conf['broker_url'] = get_{name}_url()",
        "other = Celery('x', broker=settings().{name}.address)",
        "class Told:\n    def broker_url(self) -> str:\n        return self.{name}_dsn",
    ],
)
@pytest.mark.parametrize(("name", "broker"), [("REDIS", "redis"), ("rabbitmq", "rabbitmq")])
def test_it_says_which_one_celery_has(tmp_path: Path, line: str, name: str, broker: str) -> None:
    noise = f"broker = '{'redis' if broker == 'rabbitmq' else 'amqp'}://elsewhere'\n" * 9
    files = {"tasks.py": APP + line.format(name=name) + "\n", "listener.py": noise}

    assert seen(tmp_path, FILES | files).brokers == (broker,)


@pytest.mark.parametrize(
    ("queue", "broker"),
    [
        ("Queue.from_url(settings.redis_url)", "redis"),
        ("Queue(redis)", "redis"),
        ("Queue.from_url(settings.postgres_dsn)", "postgres"),
        ("Queue.from_url(settings.database_url)", "postgres"),
    ],
)
def test_it_says_which_one_saq_has(tmp_path: Path, queue: str, broker: str) -> None:
    source = (
        "from saq import Queue\n\nfrom shop import redis, settings\n\n"
        f"queue = {queue}\nconfig = {{'queue': queue, 'functions': []}}\n"
    )
    other = "redis" if broker == "postgres" else "pgvector/pgvector:pg18"
    files = {"requirements.txt": "saq\n", "work.py": source}
    compose = f"services:\n  one: {{image: '{other}'}}\n  two: {{image: '{other}'}}\n"

    assert seen(tmp_path, files | {"compose.yaml": compose}).brokers == (broker,)


@pytest.mark.parametrize(
    ("more", "broker"),
    [
        ("", "redis"),
        ("app.conf.broker_url = None\n", "redis"),
        ("app.conf.broker_url = settings.BROKER\n", "rabbitmq"),
    ],
)
def test_a_written_address_says_it_if_there_is_no_other(
    tmp_path: Path, more: str, broker: str
) -> None:
    written = "app.conf.broker_url = 'redis://localhost'\n"
    noise = "broker = 'amqp://elsewhere'\n" * 9
    files = {"tasks.py": APP + written, "production.py": more and APP + more, "listener.py": noise}

    assert seen(tmp_path, FILES | files).brokers == (broker,)
