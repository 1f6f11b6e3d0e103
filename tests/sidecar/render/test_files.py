"""Each file of each plan: as expected, and good in the eyes of those who judge its kind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from stoker.sidecar.plan import Plan, Store
from stoker.sidecar.render import TARGETS, render
from stoker.sidecar.write import decide
from tests.sidecar.plans import PLANS, POSTGRES, REDIS
from tests.sidecar.reading import (
    compose_values,
    hadolint,
    instructions,
    yaml_documents,
    yaml_values,
)
from tests.sidecar.snapshots import EVERY_PLAN, drawn, place

each_plan = pytest.mark.parametrize("plan", EVERY_PLAN.values(), ids=EVERY_PLAN)


def written(plan: Plan) -> dict[str, str]:
    """The files as they are on disk, marks included."""
    changes = decide(render(plan, TARGETS), {}, force=False)
    return {change.path: change.after or "" for change in changes}


def composes(plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, text in written(plan).items():
        if "compose" in path or path == "production.yml":
            yield path, compose_values(text)


def manifests(plan: Plan, kind: str) -> Iterator[dict[str, Any]]:
    for path, text in written(plan).items():
        if path.startswith("kubernetes/") and path.endswith(".yaml"):
            yield from (d for d in yaml_documents(text) if d["kind"] == kind)


def deployments(plan: Plan) -> Iterator[dict[str, Any]]:
    return manifests(plan, "Deployment")


@pytest.mark.parametrize("name", EVERY_PLAN)
def test_the_files_are_as_expected(name: str) -> None:
    expected = place(name).read_text("utf-8")

    assert drawn(EVERY_PLAN[name]) == expected, "if it is meant: python -m tests.sidecar.snapshots"


@each_plan
def test_hadolint_has_nothing_to_say(plan: Plan) -> None:
    for path, text in written(plan).items():
        if "Dockerfile" in path:
            hadolint(text)


def test_dclint_has_nothing_to_say(tmp_path: Path, dclint: Callable[[Path], None]) -> None:
    for name, plan in EVERY_PLAN.items():
        for path, text in written(plan).items():
            if path.startswith("compose"):
                file = tmp_path / name / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, "utf-8")

    dclint(tmp_path)


def test_kubernetes_takes_the_manifests(tmp_path: Path) -> None:
    names: list[Path] = []
    for name, plan in EVERY_PLAN.items():
        for each in [*deployments(plan), *manifests(plan, "ConfigMap")]:
            file = tmp_path / f"{name}-{each['kind']}-{each['metadata']['name']}.json"
            file.write_text(json.dumps(each), "utf-8")
            names.append(file)

    tool = Path(sys.executable).with_name("kubernetes-validate")
    done = subprocess.run([tool, "--strict", *names], capture_output=True, text=True, timeout=100)

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(names) > len(EVERY_PLAN)  # one for each worker, and for schedulers


@each_plan
def test_a_compose_file_follows_the_specification_and_good_practice(plan: Plan) -> None:
    for path, values in composes(plan):
        assert "version" not in values
        for name, service in values["services"].items():
            if path.startswith(".devcontainer"):
                continue
            assert "container_name" not in service, "or it cannot be scaled"
            assert "healthcheck" in service
            assert service["stop_grace_period"]
            for need, how in service.get("depends_on", {}).items():
                theirs = need not in values["services"]  # it is in the project's own file
                asked = [given.depends_on.get(need) for s in plan.services for given in s.given]
                usual = "service_started" if theirs else "service_healthy"
                assert how["condition"] in (usual, *(asked if theirs else ()))
                assert theirs or "test" in values["services"][need]["healthcheck"], (name, need)
            if "prod" in path:
                assert service["restart"] == "unless-stopped"
                assert "develop" not in service
            for port in service.get("ports", ()):
                assert port.startswith("127.0.0.1:")


@each_plan
def test_in_production_a_worker_has_limits_and_no_rights(plan: Plan) -> None:
    values = compose_values(written(plan)["compose.prod.yaml"])

    for planned in plan.services:
        service = values["services"][planned.name]
        assert service["init"] is True
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
        assert service["deploy"]["replicas"] == planned.replicas
        assert service["cap_drop"] == ["ALL"]
        assert service["stop_signal"] == planned.stop_signal
        assert service["stop_grace_period"] == f"{planned.stop_grace}s"
        named = [volume.partition(":")[0] for volume in service.get("volumes", ())]
        assert set(named) <= values.get("volumes", {}).keys(), "nothing of the host"


@each_plan
def test_a_redis_for_jobs_forgets_none(plan: Plan) -> None:
    for path, values in composes(plan):
        redis = values["services"].get("redis")
        if redis is not None:
            line = " ".join(redis["command"])
            assert "--appendonly yes --appendfsync everysec" in line, path
            assert "--maxmemory-policy noeviction" in line
            assert redis["volumes"] == ["redis-data:/data"]
            assert "ports" not in redis


@each_plan
def test_a_password_is_in_no_file_for_production(plan: Plan) -> None:
    text = written(plan)["compose.prod.yaml"]

    assert ":app@" not in text
    assert ":dev@" not in text


@each_plan
def test_an_image_runs_as_nobody_starts_without_a_shell_and_keeps_no_secret(plan: Plan) -> None:
    """The rules of trivy and checkov for Dockerfiles."""
    for path, text in written(plan).items():
        if "Dockerfile" not in path:
            continue
        found = instructions(text)
        names = [instruction.name for instruction in found]
        users = [instruction.rest for instruction in found if instruction.name == "USER"]
        assert users[-1] == "10001:10001"
        assert names.count("CMD") == 1
        assert found[-1].words
        assert names.count("HEALTHCHECK") == 1
        assert "ADD" not in names
        assert "EXPOSE" not in names
        stages = {i.rest.split(" AS ")[1] for i in found if i.name == "FROM"}
        for instruction in found:
            if instruction.name == "FROM":
                image = instruction.rest.split(" AS ")[0]
                assert image in stages or ":" in image, "a tag, and not latest"
                assert not image.endswith(":latest")
            for secret in plan.secrets:
                assert secret not in instruction.rest


@each_plan
def test_a_pod_has_no_rights_and_limits(plan: Plan) -> None:
    """The rules of trivy and checkov for Kubernetes."""
    for deployment in deployments(plan):
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        service = next(s for s in plan.services if s.name == container["name"])
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] >= 10000
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["terminationGracePeriodSeconds"] == service.stop_grace
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": not service.alone,
        }
        for kind in ("limits", "requests"):
            assert set(container["resources"][kind]) == {"cpu", "memory"}
        assert not container["image"].endswith(":latest")
        assert ":" in container["image"]
        assert ("livenessProbe" in container) == (service.health is not None)
        assert ("lifecycle" in container) == (service.stop_signal != "SIGTERM")


def test_one_scheduler_never_two() -> None:
    beat = next(d for d in deployments(PLANS["celery"]) if d["metadata"]["name"] == "beat")

    assert beat["spec"]["replicas"] == 1
    assert beat["spec"]["strategy"] == {"type": "Recreate"}
    assert "kubernetes/beat-scaling.yaml" not in written(PLANS["celery"])


@pytest.mark.parametrize(
    ("plan", "type", "metadata"),
    [
        ("celery", "redis", {"address": "redis:6379", "databaseIndex": "0", "listName": "celery"}),
        ("sidekiq", "redis", {"listName": "queue:critical"}),
        ("asynq", "redis", {"listName": "asynq:{critical}:pending"}),
        ("node-npm", "redis", {"listName": "bull:mail:wait"}),
        ("python-uv", "redis", {"listName": "rq:queue:default"}),
        ("python-pdm", "rabbitmq", {"queueName": "default", "mode": "QueueLength"}),
        (
            "procrastinate",
            "postgresql",
            {
                "query": "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' "
                "AND (scheduled_at IS NULL OR scheduled_at <= now()) "
                "AND queue_name IN ('it''s mail')"
            },
        ),
        ("python-pipenv", "redis", {"listName": "default"}),
        ("faktory", "metrics-api", {"valueLocation": "faktory.total_enqueued"}),
    ],
)
def test_keda_counts_the_queue(plan: str, type: str, metadata: dict[str, str]) -> None:
    documents = yaml_documents(written(PLANS[plan])["kubernetes/worker-scaling.yaml"])

    scaled = next(d for d in documents if d["kind"] == "ScaledObject")
    trigger = scaled["spec"]["triggers"][0]
    assert trigger["type"] == type
    assert metadata.items() <= trigger["metadata"].items()
    assert all(isinstance(value, str) for value in trigger["metadata"].values()), "KEDA's rule"
    if "authenticationRef" in trigger:
        [authentication] = [d for d in documents if d["kind"] == "TriggerAuthentication"]
        assert authentication["metadata"]["name"] == trigger["authenticationRef"]["name"]


def test_a_bind_mount_and_a_watch_do_not_meet() -> None:
    """Compose watches nothing that lies below a bind mount."""
    for plan in EVERY_PLAN.values():
        _, values = next(composes(plan))
        for service in values["services"].values():
            bound = [v["source"] for v in service.get("volumes", ()) if isinstance(v, dict)]
            watched = [w["path"] for w in service.get("develop", {}).get("watch", ())]
            assert not [w for w in watched for b in bound if f"{w}/".startswith(f"{b}/")]


def test_the_dev_container_is_in_the_apps_service() -> None:
    files = written(PLANS["celery"])

    settings = json.loads(files[".devcontainer/devcontainer.json"].partition("\n")[2])
    added = yaml_values(files[".devcontainer/compose.yaml"])
    assert settings["service"] == "app"
    assert settings["runServices"] == ["app", "redis", "worker", "beat"]
    assert settings["dockerComposeFile"] == ["../compose.yaml", "./compose.yaml"]
    assert list(added["services"]) == ["app"]
    [volume] = added["services"]["app"]["volumes"]
    assert volume["target"] == settings["workspaceFolder"]


@pytest.mark.parametrize(
    ("queues", "query"),
    [
        ((), "SELECT count(*) FROM solid_queue_ready_executions"),
        (("*",), "SELECT count(*) FROM solid_queue_ready_executions"),
        (
            ("mail",),
            "SELECT count(*) FROM solid_queue_ready_executions WHERE queue_name IN ('mail')",
        ),
    ],
)
def test_keda_counts_all_queues_of_a_worker_that_names_none(
    queues: tuple[str, ...], query: str
) -> None:
    plan = on_framework("solid_queue", queues=queues)

    assert trigger_of(plan)["metadata"]["query"] == query


@pytest.mark.parametrize(
    ("waiting", "type", "counted"),
    [
        ("", "redis", {"listName": "taskiq"}),
        (
            "stream",
            "redis-streams",
            {"stream": "taskiq", "consumerGroup": "taskiq", "activationLagCount": "0"},
        ),
    ],
)
def test_keda_counts_where_taskiqs_jobs_wait(
    waiting: Literal["", "stream"], type: str, counted: dict[str, str]
) -> None:
    plan = on_framework("taskiq", waiting=waiting, store=REDIS)

    trigger = trigger_of(plan)

    assert trigger["type"] == type
    assert counted.items() <= trigger["metadata"].items()


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (PLANS["sqlite"], "its jobs are in a file, which KEDA cannot count"),
        (PLANS["monorepo"], "the name of its queue is not known"),
        (PLANS["taskiq"], "the name of its queue is not known"),
        (EVERY_PLAN["project taskiq-nats"], "its jobs wait nowhere"),
        (EVERY_PLAN["project celery-django"], "two of it at once would do things twice"),
        (EVERY_PLAN["project custom-loop"], "where its jobs wait is not known"),
    ],
)
def test_what_keda_cannot_count_says_why(plan: Plan, why: str) -> None:
    files = written(plan)

    assert f"# No ScaledObject: {why}" in files["kubernetes/worker.yaml"]
    assert "kubernetes/worker-scaling.yaml" not in files


def on_framework(framework: str, *, store: Store = POSTGRES, **more: Any) -> Plan:
    [service] = PLANS["procrastinate"].services
    changes = {"framework": framework, "queues": (), "needs": (store.name,)} | more
    changed = msgspec.structs.replace(service, **changes)
    return msgspec.structs.replace(PLANS["procrastinate"], services=(changed,), stores=(store,))


def trigger_of(plan: Plan) -> dict[str, Any]:
    documents = yaml_documents(written(plan)["kubernetes/worker-scaling.yaml"])
    [scaled] = [d for d in documents if d["kind"] == "ScaledObject"]
    [trigger] = scaled["spec"]["triggers"]
    return trigger


@pytest.mark.parametrize(
    ("own", "dev", "prod"),
    [
        ((), "compose.yaml", "compose.prod.yaml"),
        (
            ("docker-compose.override.yml", "docker-compose.yml"),
            "docker-compose.yml",
            "compose.prod.yaml",
        ),
        (("compose.ci.yaml", "compose.yml"), "compose.yml", "compose.prod.yaml"),
        (("docker-compose.test.yml",), "compose.yaml", "compose.prod.yaml"),
        (("deploy/compose.yaml", "local.yml", "production.yml"), "deploy/compose.yaml",
         "production.yml"),
        (("docker-compose-prod.yml", "web/docker-compose.yml"), "web/docker-compose.yml",
         "docker-compose-prod.yml"),
    ],
)  # fmt: skip
def test_services_go_into_the_file_that_people_start(
    own: tuple[str, ...], dev: str, prod: str
) -> None:
    plan = msgspec.structs.replace(PLANS["node-npm"], compose_files=own)

    assert {path for path, _ in composes(plan) if not path.startswith(".")} == {dev, prod}


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("postgres:17-alpine", "/var/lib/postgresql/data"),
        ("postgres:18-alpine", "/var/lib/postgresql"),
        (f"postgres:18-alpine@sha256:{64 * '0'}", "/var/lib/postgresql"),
    ],
)
def test_a_volume_is_where_this_postgresql_keeps_its_data(image: str, place: str) -> None:
    store = msgspec.structs.replace(POSTGRES, image=image)
    plan = msgspec.structs.replace(PLANS["celery"], stores=(REDIS, store))

    [values] = [values for path, values in composes(plan) if path == "compose.yaml"]
    assert values["services"]["postgres"]["volumes"] == [f"postgres-data:{place}"]
