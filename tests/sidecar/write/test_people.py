"""What a person wrote stays to the letter, whatever is put beside it and taken out again."""

from __future__ import annotations

import itertools

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from stoker.errors import ConfigError
from stoker.sidecar.plan import Plan
from stoker.sidecar.render import render
from stoker.sidecar.write import Change, decide, decide_removal
from tests.sidecar.plans import CELERY
from tests.sidecar.reading import compose_values

COMPOSE = """\
# The shop. Ask Ada before you change the ports.
version: "3.8"   # old, but it works

x-common: &common
    restart: "no"
    environment: &env
        - A=1          # odd indentation, and quotes
services:
    web:
        <<: *common
        build: .
        command: >-
            gunicorn
            shop.wsgi
        ports: ["8000:8000"]

    # The broker.
    redis:
        image: 'redis:6'
        networks: [back]
    # trailing comment of the services

networks:
    back: {}
# the end
"""

STYLES = {
    "odd": COMPOSE,
    "no last line end": COMPOSE.rstrip("\n"),
    "windows": COMPOSE.replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + COMPOSE,
    "volumes first": "volumes:\n  data: {}\nservices:\n  web:\n    image: a:1\n",
    "volumes without a value": "services:\n  web:\n    image: a:1\nvolumes:\n  data:\n",
    "quoted keys": '"services":\n  "web":\n    image: a:1\n',
    "block text": "services:\n  web:\n    image: a:1\n    command: |\n     services:\n      x: y\n",
    "one space": "services:\n web:\n  image: a:1\n",
    "document start": "---\nservices:\n  web:\n    image: a:1\n",
    "only include": "include:\n  - other.yaml\n",
    "empty": "",
    "comment only": "# nothing yet\n",
}
each_style = pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)


def plan(path: str = "docker-compose.yml", *, existing: bool = False) -> Plan:
    stores = tuple(msgspec.structs.replace(s, existing=existing) for s in CELERY.stores)
    return msgspec.structs.replace(CELERY, compose_files=(path,), stores=stores)


def generate(text: str, of: Plan | None = None, *, force: bool = False) -> Change:
    """What happens to the development compose file, that has this text."""
    of = of or plan()
    [path] = of.compose_files
    files = {path: render(of, modes=["dev"])[path]}
    [change] = decide(files, {path: text}, force=force)
    return change


def after(change: Change) -> str:
    assert change.after is not None
    return change.after


@each_style
def test_the_persons_lines_stay_and_ours_come_between(text: str) -> None:
    made = after(generate(text))

    left = [line for line in made.splitlines() if line in text.splitlines()]
    theirs = text.splitlines()
    rest = iter(made.splitlines())
    assert all(line in rest for line in theirs), "the same lines, in the same order"
    assert len(left) >= len(theirs)
    values = compose_values(made.removeprefix("\ufeff"))
    before = yaml.safe_load(text) or {}
    assert {"worker", "beat"} <= values["services"].keys()
    for name, service in before.get("services", {}).items():
        assert values["services"][name] == service
    assert values.keys() - {"services", "volumes"} == before.keys() - {"services", "volumes"}


@each_style
def test_twice_is_as_once(text: str) -> None:
    once = after(generate(text))

    again = generate(once)

    assert again.after == once
    assert again.action in ("unchanged", "keep")


@each_style
def test_taken_out_again_every_byte_is_as_before(text: str) -> None:
    made = after(generate(text))

    changes = decide_removal({"docker-compose.yml": made}, force=False)

    [change] = changes
    assert (change.after or "") == text


@pytest.mark.parametrize("text", [COMPOSE, STYLES["windows"]], ids=["unix", "windows"])
def test_line_ends_are_the_files_own(text: str) -> None:
    made = after(generate(text))

    assert made.count("\r\n") == (made.count("\n") if "\r\n" in text else 0)


def test_a_worker_joins_the_networks_of_its_broker() -> None:
    made = compose_values(after(generate(COMPOSE, plan(existing=True))))

    assert made["services"]["worker"]["networks"] == ["back"]
    assert made["services"]["worker"]["depends_on"]["redis"]["condition"] == "service_started"
    assert made["services"]["redis"] == {"image": "redis:6", "networks": ["back"]}


def test_our_comments_come_with_our_services() -> None:
    made = after(generate(COMPOSE)).splitlines()

    pairs = [(line.strip(), below.strip()) for line, below in itertools.pairwise(made)]
    assert next(line for line, below in pairs if below == "user: root").startswith("# Docker")
    [below] = [below for line, below in pairs if line == f"# {CELERY.services[0].reason}"]
    assert below.startswith("stop_grace_period:")


def test_a_scheduler_and_a_dashboard_have_their_own_comments_and_not_the_workers() -> None:
    made = [line.strip() for line in after(generate(COMPOSE)).splitlines()]

    assert made[made.index("beat:") + 1] == "# exactly one: a second one would add every job twice"
    assert made[made.index("flower:") + 1] == "# started with --profile dashboard only"


def test_a_persons_service_of_our_name_is_left_alone_and_named_with_its_line() -> None:
    text = "services:\n  web:\n    image: a:1\n  worker:\n    image: mine:1\n"

    change = generate(text)

    assert change.notes == ("line 4: service 'worker' is not Stoker's: left alone",)
    made = compose_values(after(change))
    assert made["services"]["worker"] == {"image": "mine:1"}
    assert "beat" in made["services"]


@pytest.mark.parametrize("key", ["[a]", "{a: b}", "1"])
def test_a_service_with_keys_that_are_no_texts_is_a_persons(key: str) -> None:
    text = f"services:\n  worker:\n    image: mine:1\n    labels: {{a: null, {key}: b}}\n"

    change = generate(text)

    assert change.notes == ("line 2: service 'worker' is not Stoker's: left alone",)
    assert after(change).startswith(text)


def test_force_replaces_it_in_its_place() -> None:
    text = "services:\n  worker:\n    image: mine:1\n  web:\n    image: a:1\n"

    made = after(generate(text, force=True))

    services = compose_values(made)["services"]
    assert services["worker"]["command"][0] == "celery"
    assert list(services)[:2] == ["worker", "web"]


def test_what_stoker_wrote_is_renewed_and_what_was_changed_since_is_not() -> None:
    made = after(generate(COMPOSE)).replace("stop_grace_period: 60s", "stop_grace_period: 99s")
    [worker, beat, flower] = CELERY.services
    quicker = (
        msgspec.structs.replace(worker, stop_grace=61),
        msgspec.structs.replace(beat, stop_grace=31),
        flower,
    )

    change = generate(made, msgspec.structs.replace(plan(), services=quicker))

    services = compose_values(after(change))["services"]
    assert services["beat"]["stop_grace_period"] == "31s"
    assert services["worker"]["stop_grace_period"] == "99s"
    [note] = [note for note in change.notes if "worker" in note]
    assert "was changed since Stoker wrote it" in note


def test_a_service_that_is_no_longer_planned_goes() -> None:
    made = after(generate(COMPOSE))
    fewer = msgspec.structs.replace(plan(), services=CELERY.services[:1])

    services = compose_values(after(generate(made, fewer)))["services"]

    assert "beat" not in services
    assert "worker" in services


def test_what_a_remaining_service_needs_is_not_taken_out() -> None:
    made = after(generate(STYLES["volumes first"]))
    changed = made.replace("stop_grace_period: 60s", "stop_grace_period: 99s")

    [change] = decide_removal({"docker-compose.yml": changed}, force=False)

    values = compose_values(after(change))
    assert set(values["services"]) == {"web", "worker", "redis"}
    assert "redis-data" in values["volumes"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("services:\n  a: [\n", "docker-compose.yml, line 3: not YAML"),
        ("services:\n  a: 1\n  a: 2\n", 'docker-compose.yml, line 3: the key "a" is there twice'),
        ("services:\n\ta: 1\n", "docker-compose.yml, line 2: not YAML"),
        ("- a\n", "docker-compose.yml, line 1: no compose file"),
        ("a\n---\nb\n", "docker-compose.yml"),
        ("services: {web: {image: 'a:1'}}\n", "nothing can be added here"),
    ],
)
def test_what_cannot_be_extended_is_refused_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        generate(text)

    assert caught.value.hint


def test_aliases_that_grow_without_end_cost_nothing() -> None:
    bomb = "x-0: &a0 [lol]\n" + "".join(
        f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )

    made = after(generate(bomb + "services:\n  web:\n    image: a:1\n"))

    assert bomb in made


def test_lines_are_added_once_and_taken_out_again() -> None:
    files = {".dockerignore": render(CELERY)[".dockerignore"]}
    text = "node_modules\n.git\n"

    [once] = decide(files, {".dockerignore": text}, force=False)
    [twice] = decide(files, {".dockerignore": after(once)}, force=False)
    [gone] = decide_removal({".dockerignore": after(once)}, force=False)

    assert after(once).startswith(text)
    assert after(once).splitlines().count(".git") == 1
    assert twice.action == "unchanged"
    assert after(gone) == text


@pytest.mark.parametrize(
    ("theirs", "taken_back"),
    [
        ("node_modules\n", True),
        (".env\n", True),
        ("secrets/*\n", True),
        (".env*\n!.env.example\n", True),
        (".env*\n", False),
        ("**/.env.*\n", False),
        ("*\n!src\n", False),
        ("!.env.example\n.env*\n", False),
    ],
)
def test_what_a_person_leaves_out_is_not_taken_back(theirs: str, taken_back: bool) -> None:
    files = {".dockerignore": render(CELERY)[".dockerignore"]}

    [once] = decide(files, {".dockerignore": theirs}, force=False)
    [twice] = decide(files, {".dockerignore": after(once)}, force=False)

    assert ("!**/.env.example" in after(once).splitlines()) == taken_back
    assert twice.action == "unchanged"


@given(st.lists(st.sampled_from(["", " ", ".git", "# a", "x\r", "dist"]), max_size=6))
def test_whatever_the_lines_they_stay_and_come_back(own: list[str]) -> None:
    text = "\n".join(own).removesuffix("\r")
    files = {".dockerignore": render(CELERY)[".dockerignore"]}

    [once] = decide(files, {".dockerignore": text}, force=False)
    [twice] = decide(files, {".dockerignore": after(once)}, force=False)
    [gone] = decide_removal({".dockerignore": after(once)}, force=False)

    assert after(once).startswith(text)
    assert twice.action == "unchanged"
    assert (gone.after or "") == text


def test_a_persons_value_in_env_example_counts_as_there() -> None:
    files = {".env.example": render(CELERY)[".env.example"]}

    [change] = decide(files, {".env.example": "SENTRY_DSN=https://example.org\n"}, force=False)

    assert change.action == "unchanged"


def test_a_persons_dockerfile_stays_unless_forced() -> None:
    files = {"Dockerfile": render(CELERY)["Dockerfile"]}

    [kept] = decide(files, {"Dockerfile": "FROM scratch\n"}, force=False)
    [forced] = decide(files, {"Dockerfile": "FROM scratch\n"}, force=True)

    assert (kept.action, kept.after) == ("keep", "FROM scratch\n")
    assert kept.notes == ("it is not Stoker's: left alone",)
    assert after(forced).startswith("# Written by `stoker sidecar`")
