"""Dramatiq's actors may be more than decorated functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import commands, seen

BROKER = (
    "import dramatiq\nfrom dramatiq.brokers.redis import RedisBroker\n\n"
    "broker = RedisBroker(url='redis://localhost')\ndramatiq.set_broker(broker)\n"
)
EXTENDS = (
    "from dramatiq import Actor\n\nfrom .base import Base\nfrom .broker import broker\n\n\n"
    "class Mail(Base, Actor):\n    def __init__(self):\n"
    "        super().__init__(fn=self.send, broker=broker, actor_name='mail')\n\n\n"
)
ACTORS = [
    "import dramatiq as dm\n\n@dm.actor(max_retries=1)\ndef mail(n): ...\n",
    "from dramatiq import actor as job\n\n@job\ndef mail(n): ...\n",
    "import dramatiq\n\nmail = dramatiq.actor(print)\n",
    "import dramatiq\n\nmail = dramatiq.Actor(print, broker=None, actor_name='mail')\n",
    f"{EXTENDS}mail = Mail()\n",
    "from dramatiq import GenericActor\n\nclass Mail(GenericActor):\n    def perform(self): ...\n",
]


def project(root: Path, **files: str) -> list[str]:
    manifest = {"requirements.txt": "dramatiq[redis]\n", "app/__init__.py": ""}
    texts = {f"app/{name}.py": text for name, text in files.items()}
    return commands(seen(root, manifest | {"app/broker.py": BROKER} | texts))


@pytest.mark.parametrize("actor", ACTORS)
def test_the_module_that_makes_one_is_loaded(tmp_path: Path, actor: str) -> None:
    assert project(tmp_path, mail=actor, base="class Base: ...\n") == ["dramatiq app.mail"]


def test_a_class_of_actors_is_extended_in_other_files(tmp_path: Path) -> None:
    abstract = (
        "import dramatiq\n\n\nclass Job(dramatiq.GenericActor):\n"
        "    class Meta:\n        abstract = True\n"
    )
    job = "from app.jobs import Job\n\n\nclass Mail(Job):\n    def perform(self): ...\n"

    assert project(tmp_path, jobs=abstract, mail=job) == ["dramatiq app.mail"]


@pytest.mark.parametrize(
    "text", [EXTENDS, "class Actor: ...\n\n\nclass Star(Actor): ...\n\n\nstar = Star()\n"]
)
def test_a_class_alone_is_no_actor(tmp_path: Path, text: str) -> None:
    assert project(tmp_path, film=text, base="class Base: ...\n") == []


ACTOR = "\n@dramatiq.actor\ndef mail(n): ...\n"


def test_modules_that_each_set_a_broker_are_each_a_worker(tmp_path: Path) -> None:
    found = project(tmp_path, mails=BROKER + ACTOR, films=BROKER + ACTOR.replace("mail", "film"))

    assert found == ["dramatiq app.films", "dramatiq app.mails"]


def test_actors_beside_the_module_that_sets_the_broker_are_loaded_with_it(tmp_path: Path) -> None:
    """It loads those that it imports; others come to it."""
    film = f"import dramatiq\n\nfrom app.main import broker\n{ACTOR}"
    shown = f"import app.mail\n{BROKER}{ACTOR}"

    found = project(tmp_path, mail=f"import dramatiq\n{ACTOR}", main=shown, film=film)

    assert found == ["dramatiq app.main app.film"]


def test_a_module_called_a_worker_that_imports_all_actors_is_loaded(tmp_path: Path) -> None:
    actors = {name: f"import dramatiq\n{ACTOR.replace('mail', name)}" for name in ("mail", "film")}
    assert project(tmp_path, **actors) == ["dramatiq app.film app.mail"]

    assert project(tmp_path, worker="from app import film, mail\n") == ["dramatiq app.worker"]
