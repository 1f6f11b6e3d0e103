"""What ``import stoker`` offers, and what it costs: names to use, and nothing else happens."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

import stoker

MOST_NAMES = 30

NOT_FOR_EVERYONE = {"apsw", "click", "multiprocessing", "pydantic", "rich", "sqlite3", "watchfiles"}
"""What an application that only enqueues should not have to load."""


def test_all_is_sorted() -> None:
    assert stoker.__all__ == sorted(stoker.__all__)


def test_all_is_every_public_name_and_no_other() -> None:
    imported = [getattr(stoker, name) for name in stoker.__all__]
    public = [
        name
        for name, value in vars(stoker).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    ]

    assert len(imported) == len(public)
    assert sorted(public) == stoker.__all__
    assert set(public) < set(dir(stoker))


def test_what_is_no_public_name_is_missing_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'stoker' has no attribute 'Workers'"):
        getattr(stoker, "Workers")  # noqa: B009


def test_there_are_no_more_names_than_one_can_know() -> None:
    assert len(stoker.__all__) <= MOST_NAMES


@pytest.mark.parametrize("name", stoker.__all__)
def test_a_public_name_is_explained_by_itself(name: str) -> None:
    value = getattr(stoker, name)
    parent = inspect.getmro(value)[1] if isinstance(value, type) else None

    text = inspect.getdoc(value)

    assert text
    assert parent is None or text != inspect.getdoc(parent)
    assert text.splitlines()[0].endswith((".", ":"))


# What an import does


def imported(code: str) -> dict[str, Any]:
    """Run ``code`` in a Python of its own; return what it loaded, opened and started."""
    watched = f"""
        import json, sys, threading

        done = []

        def watch(event, arguments):
            if event == "open" and not str(arguments[0]).endswith((".py", ".pyc", ".sql")):
                done.append(f"opened {{arguments[0]}}")
            if event.startswith(("socket.", "subprocess.", "os.fork", "os.posix_spawn", "sqlite")):
                done.append(event)

        before = set(sys.modules)
        sys.addaudithook(watch)
{code}
        loaded = sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})
        threads = [thread.name for thread in threading.enumerate()]
        print(json.dumps({{"done": done, "loaded": loaded, "threads": threads}}))
    """
    result = subprocess.run(
        [sys.executable, "-B", "-c", dedent(watched)], capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_the_import_alone_loads_nothing_else() -> None:
    loaded = set(imported("        import stoker")["loaded"])

    assert "stoker" in loaded
    assert not {"asyncio", "msgspec", "inspect", "uuid"} & loaded


def test_the_names_load_little_and_do_nothing() -> None:
    result = imported("        import stoker; [getattr(stoker, name) for name in stoker.__all__]")

    assert {"asyncio", "msgspec", "stoker"} <= set(result["loaded"])
    assert NOT_FOR_EVERYONE.isdisjoint(result["loaded"])
    assert result["done"] == []
    assert result["threads"] == ["MainThread"]


def test_an_app_with_a_task_does_nothing_before_it_is_used() -> None:
    result = imported("""
        import stoker

        app = stoker.Stoker("sqlite:////nowhere/jobs.db")

        @app.task(queue="mail", dedup=lambda to: to)
        async def send(to: str) -> int: ...

        @app.processor
        class Thumbnails(stoker.Processor[dict[str, int]]):
            def process(self, job: stoker.JobContext[dict[str, int]]) -> None: ...
    """)

    assert NOT_FOR_EVERYONE.isdisjoint(result["loaded"])
    assert result["done"] == []
    assert result["threads"] == ["MainThread"]


def test_importing_any_module_does_nothing() -> None:
    result = imported("""
        import importlib, pkgutil, stoker

        for module in pkgutil.walk_packages(stoker.__path__, "stoker."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    """)

    assert {"apsw", "click"} <= set(result["loaded"])
    assert result["done"] == []
    assert result["threads"] == ["MainThread"]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("        open('/dev/null')", "opened /dev/null"),
        ("        import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("        import socket; socket.socket().close()", "socket.__new__"),
    ],
)
def test_a_side_effect_would_be_noticed(code: str, what: str) -> None:
    assert what in imported(code)["done"]
