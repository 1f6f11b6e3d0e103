"""A Deployment has the project's own variables, and no manifest a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.ours import may_be_ours
from stoker.sidecar.plan import Plan, Store
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import TARGETS, render
from stoker.sidecar.render.stores import variables
from stoker.sidecar.secrets import is_secret
from stoker.sidecar.values import Given
from stoker.sidecar.write import decide
from tests.sidecar.hostile import ATTACKS
from tests.sidecar.plans import CELERY, PLANS, REDIS
from tests.sidecar.reading import yaml_documents
from tests.sidecar.snapshots import EVERY_PLAN
from tests.sidecar.write.test_chosen_programs import put

GIVEN = Given(
    path="compose.yaml",
    service="web",
    env_file={".env": True, "conf/more.env": False},
    environment={
        "PLAIN": "90",
        "DOLLARS": "a$$b",
        "DEFAULTED": "${MAIL_FROM:-shop@example.org}",
        "FILLED_IN": "${SENDER}",
        "PARTLY": "https://${HOST:?}/x",
        "FROM_THE_SHELL": None,
        "SIGNING_KEY": "s3cret",
        "DATABASE_URL": "postgres://shop:s3cret@db/shop",
        "DEFAULT_TOKEN": "${DEFAULT_TOKEN:-s3cret}",
        "REDIS_URL": "redis://redis:6379/0",
    },
)


def given_to(given: Given, plan: Plan = CELERY) -> Plan:
    services = tuple(msgspec.structs.replace(each, given=(given,)) for each in plan.services)
    return msgspec.structs.replace(plan, services=services, compose_files=(given.path,))


def manifests(plan: Plan) -> dict[str, str]:
    """The files for Kubernetes as they are on disk."""
    changes = decide(render(plan, TARGETS), {}, force=False)
    return {c.path: c.after or "" for c in changes if c.path.startswith("kubernetes/")}


def documents(plan: Plan) -> dict[str, dict[str, Any]]:
    """What is in ``worker.yaml``, by its kind."""
    return {
        each["kind"]: each for each in yaml_documents(manifests(plan)["kubernetes/worker.yaml"])
    }


def container(plan: Plan) -> dict[str, Any]:
    [found] = documents(plan)["Deployment"]["spec"]["template"]["spec"]["containers"]
    return found


def keys(plan: Plan) -> dict[str, bool]:
    """The variables that come from the operator's Secret, and whether each has to be there."""
    found = [each for each in container(plan).get("env", ()) if "valueFrom" in each]
    references = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in found}
    assert all(each["name"] == "celery-env" for each in references.values())
    assert all(each["key"] == name for name, each in references.items())
    return {name: not each.get("optional", False) for name, each in references.items()}


def asked(plan: Plan) -> set[str]:
    """What the operator is asked for: by name, without values."""
    lines = manifests(plan).get("kubernetes/.env.example", "").splitlines()
    said = [line for line in lines if not line.startswith("#")]
    assert all(line.endswith("=") for line in said)
    return {line.removesuffix("=") for line in said}


def test_what_is_plain_is_in_a_config_map() -> None:
    config = documents(given_to(GIVEN))["ConfigMap"]

    assert config["metadata"]["name"] == "worker"
    assert config["data"] == {"PLAIN": "90", "DOLLARS": "a$b", "DEFAULTED": "shop@example.org"}


def test_what_is_secret_or_only_the_operator_knows_is_in_a_secret() -> None:
    plan = given_to(GIVEN)

    assert keys(plan) == {
        "DATABASE_URL": True,
        "DEFAULT_TOKEN": True,
        "FILLED_IN": True,
        "FROM_THE_SHELL": False,
        "PARTLY": True,
        "REDIS_URL": True,
        "SIGNING_KEY": True,
    }
    assert asked(plan) == keys(plan).keys()


def test_files_of_variables_are_secrets_of_their_own_which_environment_is_stronger_than() -> None:
    plan = given_to(GIVEN)

    assert container(plan)["envFrom"] == [
        {"secretRef": {"name": "celery-file-env"}},
        {"secretRef": {"name": "celery-file-conf-more-env", "optional": True}},
        {"configMapRef": {"name": "worker"}},
    ]
    head = manifests(plan)["kubernetes/kustomization.yaml"]
    for name, file in (
        ("celery-env", "kubernetes/.env"),
        ("celery-file-env", ".env"),
        ("celery-file-conf-more-env", "conf/more.env"),
    ):
        assert f"# kubectl create secret generic {name} --from-env-file={file}\n" in head


def test_without_anything_given_a_worker_has_what_its_source_asks_for() -> None:
    assert "ConfigMap" not in documents(CELERY)
    assert "envFrom" not in container(CELERY)
    assert keys(CELERY) == {"REDIS_URL": True, "SENTRY_DSN": True}


@pytest.mark.parametrize("name", EVERY_PLAN)
def test_no_manifest_has_a_secret(name: str) -> None:
    plan = EVERY_PLAN[name]
    texts = manifests(plan).values()

    for service in plan.services:
        for given in service.given:
            for variable, value in given.environment.items():
                if value and "$" not in value and is_secret(variable, value):
                    assert not [text for text in texts if value in text]
    assert not [text for text in texts if "s3cret" in text]


def test_a_secret_that_a_command_was_written_down_with_is_the_operators() -> None:
    [worker, *others] = CELERY.services
    changed = msgspec.structs.replace(worker, environment={"SMTP_PASS": "s3cret", "MODE": "$(x)"})
    plan = msgspec.structs.replace(CELERY, services=(changed, *others))

    values = {each["name"]: each.get("value") for each in container(plan)["env"]}
    assert values == {"MODE": "$$(x)", "REDIS_URL": None, "SENTRY_DSN": None, "SMTP_PASS": None}
    production = render(plan)["compose.prod.yaml"].text
    assert "s3cret" not in production
    assert "SMTP_PASS: '${SMTP_PASS:?set it in .env}'" in production
    assert "SMTP_PASS=" in render(plan)[".env.example"].text


@pytest.mark.parametrize("attack", ATTACKS)
def test_whatever_is_given_it_stays_a_value(attack: str) -> None:
    given = Given(
        path="compose.yaml", service=attack, env_file={attack: True}, environment={"A": attack}
    )
    plan = given_to(given)

    config = documents(plan).get("ConfigMap")
    settled = attack.replace("$$", "$")
    assert keys(plan).keys() >= {"A"} if config is None else config["data"] == {"A": settled}
    head, *rest = yaml_documents(manifests(plan)["kubernetes/kustomization.yaml"])
    assert not rest
    assert set(head) == {"apiVersion", "kind", "resources", "images"}


def scaling(store: Store, **more: Any) -> tuple[dict[str, Any], dict[str, str], set[str]]:
    """What KEDA is told of a Redis, where its account is, and what the operator is asked for."""
    [service] = PLANS["node-npm"].services
    changed = msgspec.structs.replace(service, **more)
    plan = msgspec.structs.replace(PLANS["node-npm"], services=(changed,), stores=(store,))
    texts = manifests(plan)
    found = {each["kind"]: each for each in yaml_documents(texts["kubernetes/worker-scaling.yaml"])}
    [trigger] = found["ScaledObject"]["spec"]["triggers"]
    authentication = found.get("TriggerAuthentication")
    named = {"name": authentication["metadata"]["name"]} if authentication else None
    assert trigger.get("authenticationRef") == named
    references = authentication["spec"]["secretTargetRef"] if authentication else []
    assert all(each["name"] == "node-npm-env" for each in references)
    where = {each["parameter"]: each["key"] for each in references}
    return trigger["metadata"], where, asked(plan)


def redis(outside: str = "", **variables: str) -> Store:
    return msgspec.structs.replace(REDIS, variables=variables, outside=outside)


PASSWORD = {"password": "REDIS_PASSWORD"}


@pytest.mark.parametrize(
    ("store", "told", "account"),
    [
        (REDIS, {"address": "redis:6379", "databaseIndex": "0"}, {}),
        (redis(REDIS_URL="redis://:pw@redis:6379/3"),
         {"address": "redis:6379", "databaseIndex": "3"}, PASSWORD),
        (redis(REDIS_URL="redis://default:pw@redis?db=4"),
         {"address": "redis:6379", "databaseIndex": "4"}, PASSWORD),
        (redis(REDIS_HOST="redis", CACHE_PASS="pw"),
         {"address": "redis:6379", "databaseIndex": "0"}, {"password": "CACHE_PASS"}),
        (redis("rediss://shop:app@q.example.net:6380/2"),
         {"address": "q.example.net:6380", "databaseIndex": "2", "enableTLS": "true"},
         {"username": "REDIS_USERNAME", **PASSWORD}),
        (redis("rediss://q.example.net?ssl_cert_reqs=CERT_NONE"),
         {"address": "q.example.net:6379", "databaseIndex": "0", "enableTLS": "true",
          "unsafeSsl": "true"}, {}),
        (redis("redis://[fd00::1]:6380"),
         {"address": "[fd00::1]:6380", "databaseIndex": "0"}, {}),
        (redis("redis://:app@q.example.net", REDIS_URL="redis://:pw@q.example.net"),
         {"address": "q.example.net:6379", "databaseIndex": "0"}, PASSWORD),
    ],
)  # fmt: skip
@pytest.mark.parametrize("waiting", ["", "stream"])
def test_keda_is_told_how_a_redis_is_reached(
    store: Store, told: dict[str, str], account: dict[str, str], waiting: str
) -> None:
    more = {"framework": "taskiq", "waiting": waiting} if waiting else {}

    metadata, where, names = scaling(store, **more)

    counted = {"listName", "listLength", "stream", "consumerGroup", "lagCount",
               "activationLagCount"}  # fmt: skip
    assert {key: value for key, value in metadata.items() if key not in counted} == told
    assert where == account
    assert names >= set(account.values())


@pytest.mark.parametrize("outside", ["", "postgres://app:app@db.example.net/app"])
def test_only_what_is_called_a_password_is_one(outside: str) -> None:
    """A user or a database may be called like the word that stands for it."""
    names = {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "app", "POSTGRES_DB": "app"}
    store = Store("postgres", "postgres", "postgres:17", variables=names, outside=outside)

    given = variables(store, "prod")

    assert (given["POSTGRES_USER"], given["POSTGRES_DB"]) == ("app", "app")
    assert "${POSTGRES_PASSWORD" in given["POSTGRES_PASSWORD"]


def test_an_address_elsewhere_is_put_together_in_the_pod() -> None:
    url = "rediss://shop:pw@q.example.net:6380/2"
    [worker, *others] = CELERY.services
    store = redis(url.replace("pw", "app"), REDIS_URL=url)
    plan = msgspec.structs.replace(CELERY, services=(worker, *others), stores=(store,), secrets=())

    first, second = container(plan)["env"]

    assert first["name"] == "REDIS_PASSWORD"
    assert first["valueFrom"]["secretKeyRef"] == {"name": "celery-env", "key": "REDIS_PASSWORD"}
    assert second == {"name": "REDIS_URL", "value": url.replace("pw", "$(REDIS_PASSWORD)")}


def test_what_is_removed_goes_with_the_rest() -> None:
    assert all(map(may_be_ours, manifests(given_to(GIVEN))))
    assert not may_be_ours("kubernetes/.env"), "the operator's"


@pytest.mark.parametrize(
    ("outside", "given"),
    [
        ("redis://:app@q.example.net", {"REDIS_HOST": "q.example.net", "REDIS_PASSWORD": "s3cret"}),
        ("nats://bob:app@q.example.net", {"NATS_URL": "nats://bob:s3cret@q.example.net"}),
        ("redis://:app@q.example.net", {"A_URL": "redis://:pw@q.example.net",
                                        "B_URL": "redis://:s3cret@q.example.net"}),
        ("redis://:app@q.example.net", {"A_URL": "redis://:app@q.example.net?password=s3cret"}),
        ("redis://:app@q.example.net", {"A_URLS": "redis://:app@q,redis://:s3cret@r"}),
    ],
)  # fmt: skip
def test_no_password_for_an_outside_broker_is_written(outside: str, given: dict[str, str]) -> None:
    store = redis(outside, **given)
    if outside.startswith("nats"):
        store = msgspec.structs.replace(store, kind="nats")
    plan = msgspec.structs.replace(CELERY, stores=(store,))

    assert not [file.path for file in render(plan, TARGETS).values()
                if file.path != "compose.yaml" and "s3cret" in file.text]  # fmt: skip


def test_no_variable_of_an_outside_broker_is_set_to_itself() -> None:
    url = "redis://:app@q.example.net"
    plan = msgspec.structs.replace(
        CELERY, stores=(redis(url, REDIS_URL=url, REDIS_PASSWORD="app"),)
    )

    env = {each["name"]: each.get("value") for each in container(plan)["env"]}
    assert env["REDIS_PASSWORD"] is None
    assert env["REDIS_URL"] == "redis://:$(REDIS_PASSWORD)@q.example.net"
    assert keys(plan)["REDIS_PASSWORD"]


def test_a_volume_that_the_app_has_in_production_is_claimed(tmp_path: Path) -> None:
    web = (
        "build: .\n    command: gunicorn shop:app\n    volumes: ['.:/srv', 'Media_1:/srv/media:rw']"
    )
    put(tmp_path, {
        "requirements.txt": "celery[redis]\n",
        "shop.py": "from celery import Celery\napp = Celery('shop')\n",
        "Procfile": "worker: celery -A shop worker\n",
        "Dockerfile": "FROM python:3.13\nCOPY . /srv\n",
        "compose.yaml": f"services:\n  web:\n    {web}\nvolumes:\n  Media_1:\n",
    })  # fmt: skip
    files = render(make_plan(detect(tmp_path)), ["kubernetes"])

    [worker] = yaml_documents(files["kubernetes/worker.yaml"].text)[-1:]
    pod = worker["spec"]["template"]["spec"]
    [claim] = yaml_documents(files["kubernetes/media-1-volume.yaml"].text)
    mounts = {each["name"]: each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    assert mounts == {"tmp": "/tmp", "media-1-volume": "/srv/media"}
    [_, volume] = pod["volumes"]
    assert volume["persistentVolumeClaim"] == {"claimName": claim["metadata"]["name"]}
    assert "media-1-volume.yaml" in files["kubernetes/kustomization.yaml"].text


def test_an_image_that_is_pulled_has_the_name_that_it_has_there(tmp_path: Path) -> None:
    put(tmp_path, {
        "requirements.txt": "celery[redis]\n",
        "shop.py": "from celery import Celery\napp = Celery('shop')\n",
        "Procfile": "worker: celery -A shop worker\n",
        "Dockerfile": "FROM python:3.13\nCOPY . /srv\n",
        "compose.yaml": "services:\n  web:\n    build: .\n    command: gunicorn shop:app\n"
        "    env_file: [conf/plain.conf, conf/keys.conf]\n",
        "conf/plain.conf": "A=b\n",
        "compose.prod.yaml": "services:\n  web:\n"
        "    image: 'r.example.com:5000/shop/web:${TAG:?}'\n"
        "    command: gunicorn shop:app\n",
    })  # fmt: skip
    files = render(make_plan(detect(tmp_path)), ["kubernetes"])

    [made] = yaml_documents(files["kubernetes/kustomization.yaml"].text)
    assert [each.get("newName") for each in made["images"]] == ["r.example.com:5000/shop/web"]
    ignored = files[".dockerignore"].text.splitlines()
    assert "conf/keys.conf" in ignored, "which git has not"
    assert "conf/plain.conf" not in ignored
