"""The applications whose workers run in containers, each with its plan."""

from __future__ import annotations

from pathlib import Path

from stoker.sidecar.detection import Language
from stoker.sidecar.plan import Health, Image, Plan, Service, Store

SOURCES = Path(__file__).parent / "projects"


def _python(name: str) -> Image:
    return Image(
        name=name,
        context=".",
        language="python",
        manager="pip",
        version="3.13",
        manifests=("requirements.txt",),
    )


def _redis() -> Store:
    return Store(
        name="redis",
        kind="redis",
        image="redis:7-alpine",
        variables={"REDIS_URL": "redis://redis:6379/0"},
    )


CELERY = Plan(
    name="celery",
    images=(_python("celery"),),
    services=(
        Service(
            name="worker",
            role="worker",
            framework="celery",
            image="celery",
            command=("celery", "-A", "tasks", "worker", "--loglevel=INFO", "--concurrency=1"),
            needs=("redis",),
            stop_grace=30,
            health=Health(
                command=(
                    "sh",
                    "-c",
                    "celery -A tasks inspect ping -d celery@$HOSTNAME -t 10",
                ),
                interval=4,
                timeout=15,
                start_period=2,
            ),
        ),
    ),
    stores=(_redis(),),
)


def _binary(language: Language, manager: str, version: str, binary: str, *manifests: str) -> Plan:
    """Return a plan for a worker without a framework, of a language that makes a binary."""
    return Plan(
        name=language,
        images=(
            Image(
                name="worker",
                context=".",
                language=language,
                manager=manager,
                version=version,
                manifests=manifests,
                binary=binary,
            ),
        ),
        services=(
            Service(
                name="worker",
                role="worker",
                framework=None,
                image="worker",
                command=("worker",),
                needs=("redis",),
            ),
        ),
        stores=(_redis(),),
    )


GO = _binary("go", "go", "1.24", "./cmd/worker", "go.mod", "go.sum")
RUST = _binary("rust", "cargo", "1.85", "worker", "Cargo.toml")
