"""A project's containers, from ``stoker sidecar generate`` to ``docker compose down``."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from stoker.sidecar.plan import Plan, decode
from tests.cli.support import ok
from tests.sidecar.containers.engine import Engine, wait

FILE = "compose.prod.yaml"
OVERRIDE = "test.yaml"


class Project(NamedTuple):
    """A small application with a worker."""

    name: str
    source: Path
    add: tuple[str, ...]
    """What adds a job in the worker's image; the job's key and its seconds follow."""
    plan: Plan | None = None
    """``None``: what Stoker sees."""


class Stack:
    """Its containers. Jobs note in Redis that they have begun, and that they are done."""

    def __init__(self, engine: Engine, project: Project, folder: Path, file: str = FILE) -> None:
        self.engine = engine
        self.project = project
        self.folder = folder / project.name
        self.plan = Plan(name=project.name)
        self.file = file

    def generate(self) -> None:
        shutil.copytree(self.project.source, self.folder)
        seen = ok("sidecar", "plan", str(self.folder), "--json").encode()
        text = msgspec.json.encode(self.project.plan) if self.project.plan else seen
        plan = self.folder.parent / f"{self.project.name}.json"
        plan.write_bytes(text)
        self.plan = decode(text, plan.name)
        ok("sidecar", "generate", str(self.folder), "--plan", str(plan))
        made = [*self.folder.rglob("Dockerfile*"), *self.folder.rglob("compose*.yaml")]
        self.engine.need("\n".join(file.read_text("utf-8") for file in made))
        # The registries are reached by the host's network, and only while building.
        names = [service.name for service in self.plan.services]
        services = {name: {"build": {"network": "host"}} for name in names}
        (self.folder / OVERRIDE).write_text(yaml.safe_dump({"services": services}), "utf-8")

    def compose(self, *words: str, seconds: float = 300.0) -> str:
        return self.engine.docker(
            "compose", *self._files(), *words, seconds=seconds, cwd=self.folder
        )

    def _files(self) -> tuple[str, ...]:
        return ("--file", self.file, "--file", OVERRIDE)

    @contextmanager
    def watched(self) -> Generator[None]:
        """Have it up for development, for as long as this lasts."""
        up = ("up", "--build", "--watch")
        with (self.folder.parent / "up.log").open("wb") as log:
            process = subprocess.Popen(
                ["/usr/bin/docker", "compose", *self._files(), *up],
                env=self.engine.env,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield
        finally:
            # It waits for a container that it has replaced itself; and Compose, a plug-in, is a
            # child of what was started here, which would outlive it.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def add(self, keys: Sequence[str], seconds: float) -> None:
        for key in keys:
            self.compose("exec", "-T", "worker", *self.project.add, key, str(seconds))

    def members(self, name: str) -> set[str]:
        """Return the keys of the jobs that have begun, or are done."""
        return set(self.compose("exec", "-T", "redis", "redis-cli", "smembers", name).split())

    def containers(self, service: str = "worker") -> list[dict[str, Any]]:
        """Return what the engine knows of a service's containers, ended ones included."""
        ids = self.compose("ps", "--all", "--quiet", service).split()
        return json.loads(self.engine.docker("inspect", *ids)) if ids else []

    def wait_for_workers(self, count: int) -> None:
        """Wait until so many work: healthy by their own check, where they have one."""
        wait(
            lambda: sum(_works(container) for container in self.containers()) == count,
            f"{count} workers work",
            150,
        )

    def wait_until(self, name: str, keys: Sequence[str]) -> None:
        wait(lambda: set(keys) <= self.members(name), f"{keys} in {name}", 90)

    def kill_one(self) -> str:
        """Kill a worker as the kernel would, out of memory; return the container's id."""
        container = self.containers()[0]
        os.kill(container["State"]["Pid"], signal.SIGKILL)
        id: str = container["Id"]
        wait(lambda: self._restarts(id) > 0, "the engine starts it again", 60)
        return id

    def _restarts(self, id: str) -> int:
        return json.loads(self.engine.docker("inspect", id))[0]["RestartCount"]

    def down(self) -> None:
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")


def _works(container: dict[str, Any]) -> bool:
    state = container["State"]
    health = state.get("Health")
    return state["Running"] and (health is None or health["Status"] == "healthy")
