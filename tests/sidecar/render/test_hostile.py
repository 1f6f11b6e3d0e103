"""Whatever a name or a command holds, it stays a value: read back, it is what was meant."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stoker.errors import ConfigError
from stoker.sidecar.detection import Language
from stoker.sidecar.plan import Health, Image, Plan, Service, Store, checked
from stoker.sidecar.render import TARGETS, File, render
from stoker.sidecar.render.places import NAMES
from stoker.sidecar.secrets import is_secret, secrets_in
from stoker.sidecar.write import decide
from tests.sidecar.hostile import ATTACKS, places, texts
from tests.sidecar.reading import (
    compose_values,
    instructions,
    uninterpolated,
    unpatterned,
    yaml_documents,
)

MANAGERS: dict[Language, tuple[str, ...]] = {
    "python": ("pip", "uv", "poetry", "pdm", "pipenv"),
    "node": ("npm", "pnpm", "yarn", "bun"),
    "ruby": ("bundler",),
    "go": ("go",),
    "rust": ("cargo",),
}
MADE: list[tuple[Language, str]] = [(name, m) for name, many in MANAGERS.items() for m in many]
images = st.sampled_from(MADE)
words = (
    st.lists(texts, min_size=1, max_size=4)
    .map(tuple)
    .filter(lambda every: not any(secrets_in(every)))  # what is secret is no value of a file's
)
plain = texts.filter(lambda text: not is_secret("NO", text))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    language, manager = draw(images)
    image = Image(
        name="shop",
        context=draw(st.one_of(st.just("."), places)),
        language=language,
        manager=manager,
        version="1.2",
        manifests=tuple(draw(st.lists(places, max_size=3, unique=True))),
        build=draw(st.one_of(st.just(()), words)),
        package=draw(texts),
        package_dir=draw(places),
        dockerfile="Dockerfile.worker",
        binary=draw(texts),
    )
    service = Service(
        name="worker",
        role="worker",
        framework=draw(st.sampled_from(("celery", "bullmq", "asynq", None))),
        image="shop",
        command=draw(words),
        dir=draw(st.one_of(st.just("."), places)),
        queues=draw(words),
        environment=draw(st.dictionaries(st.sampled_from(("NO", "A_B", "y")), plain)),
        needs=("redis",),
        health=draw(st.one_of(st.none(), st.builds(Health, command=words))),
        dev_command=draw(st.one_of(st.just(()), words)),
        watch=tuple(draw(st.lists(places, max_size=2, unique=True))),
        reason=draw(texts),
    )
    store = Store(
        name="redis",
        kind="redis",
        image="redis:7-alpine",
        variables={"URL": draw(texts), "REDIS_URL": "redis://redis:6379/0"},
    )
    return Plan(
        name="shop", images=(image,), services=(service,), stores=(store,), secrets=("TOKEN",)
    )


def text_of(files: dict[str, File], end: str) -> str:
    """A file as it is on disk."""
    [path] = [path for path in files if path.endswith(end)]
    [change] = decide({path: files[path]}, {}, force=False)
    return change.after or ""


many = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@many
@given(plans())
def test_a_compose_file_says_what_was_planned(plan: Plan) -> None:
    [service] = plan.services
    [image] = plan.images

    for mode, file in NAMES.items():
        values = compose_values(text_of(render(plan, modes=[mode]), file))

        assert set(values["services"]) == {"worker", "redis"}
        worker = uninterpolated(values["services"]["worker"])
        dev = mode == "dev" and service.dev_command
        assert tuple(worker["command"]) == (service.dev_command if dev else service.command)
        own = {"TOKEN": None, **service.environment, **plan.stores[0].variables}
        forced = {"C_FORCE_ROOT": "true"} if mode == "dev" and service.framework == "celery" else {}
        variables = forced | own
        assert worker["environment"] == variables
        assert worker["build"]["dockerfile"] == "Dockerfile.worker"
        assert worker["build"]["context"].removeprefix("./") == image.context
        if service.health:
            assert tuple(worker["healthcheck"]["test"]) == ("CMD", *service.health.command)
        if service.dir != ".":
            assert worker["working_dir"] == f"/app/{service.dir}"


@many
@given(plans())
def test_a_dockerfile_has_no_instruction_but_ours(plan: Plan) -> None:
    [service] = plan.services
    [image] = plan.images

    text = text_of(render(plan), "Dockerfile.worker")
    found = instructions(text)

    assert {i.name for i in found} <= {
        "FROM",
        "ENV",
        "WORKDIR",
        "RUN",
        "COPY",
        "USER",
        "HEALTHCHECK",
        "CMD",
        "STOPSIGNAL",
    }
    assert [i.rest for i in found if i.name == "USER"][-1] == "10001:10001"
    assert tuple(found[-1].words) == service.command
    if service.health:
        [check] = [i for i in found if i.name == "HEALTHCHECK"]
        assert tuple(json.loads(check.rest.removeprefix("CMD "))) == service.health.command
    for copied in (i for i in found if i.name == "COPY" and "--from" not in " ".join(i.flags)):
        if copied.rest.startswith("["):
            *sources, _to = copied.words
            assert set(map(unpatterned, sources)) <= {".", *image.manifests}
    for run in (i for i in found if i.name == "RUN" and i.rest.startswith("[")):
        assert all(isinstance(word, str) for word in run.words)
    for shell in (i for i in found if i.name == "RUN" and not i.rest.startswith("[")):
        assert shell.rest.isascii()
        assert not set(shell.rest) & set("`$;|<>'\"")


@many
@given(plans())
def test_manifests_for_kubernetes_say_what_was_planned(plan: Plan) -> None:
    [service] = plan.services

    files = render(plan, TARGETS)

    [deployment] = yaml_documents(text_of(files, "kubernetes/worker.yaml"))
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert [word.replace("$$(", "$(") for word in container["args"]] == list(service.command)
    values = {v["name"]: v["value"] for v in container["env"] if "value" in v}
    expected = {k: v for k, v in service.environment.items() if k not in ("TOKEN", "REDIS_URL")}
    assert {k: v.replace("$$(", "$(") for k, v in values.items()} == expected
    if service.health:
        assert container["livenessProbe"]["exec"]["command"] == list(service.health.command)


NO_NAMES = [attack for attack in ATTACKS if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", attack)]


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"small letters.* at `\$.name`"):
        checked(Plan(name=name))


@pytest.mark.parametrize("name", ["no", "y", "null", "0777", "1e3"])
def test_a_name_that_looks_like_something_else_stays_a_name(name: str) -> None:
    image = Image(name=name, context=".", language="go", manager="go", version="1", manifests=())
    service = Service(name=name, role="worker", framework=None, image=name, command=("x",))
    plan = Plan(name=name, images=(image,), services=(service,))

    values = compose_values(text_of(render(plan), "compose.prod.yaml"))

    assert values["name"] == name
    assert list(values["services"]) == [name]


@pytest.mark.parametrize(
    "place", ["../x", "/etc/passwd", "a/../../b", "..", "a\nb", "a\\b", "", "a\0b", "\ud800"]
)
def test_a_path_out_of_the_project_is_refused(place: str) -> None:
    image = Image(name="a", context=place, language="go", manager="go", version="1", manifests=())

    with pytest.raises(ConfigError) as caught:
        render(Plan(name="a", images=(image,)))

    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"image": "other"}, "there is no image 'other'"),
        ({"needs": ("redis",)}, "it needs 'redis', and there is no such store"),
        ({"environment": {"A=B": "c"}}, "the name of an environment variable"),
        ({"stop_grace": 0}, "Expected `int` >= 1"),
    ],
)
def test_a_plan_that_cannot_be_says_where(change: dict[str, object], problem: str) -> None:
    image = Image(name="a", context=".", language="go", manager="go", version="1", manifests=())
    service = Service(name="w", role="worker", framework=None, image="a", command=("x",))
    plan = Plan(name="a", images=(image,), services=(msgspec.structs.replace(service, **change),))

    with pytest.raises(ConfigError) as caught:
        checked(plan, "plan.json")

    assert caught.value.message.startswith("plan.json: ")
    assert problem in caught.value.message
