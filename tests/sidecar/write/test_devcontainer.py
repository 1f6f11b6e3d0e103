"""A person's ``devcontainer.json`` is extended, with its comments, and never replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.errors import ConfigError
from stoker.sidecar.render import render
from stoker.sidecar.write import Change, decide, decide_removal, jsonc
from tests.sidecar.plans import CELERY
from tests.sidecar.reading import compose_values
from tests.sidecar.write.test_chosen_programs import PROGRAMS
from tests.sidecar.write.test_chosen_programs import dockerfile as dockerfile_of
from tests.sidecar.write.test_own_services import CELERY as SHOP
from tests.sidecar.write.test_own_services import generated

FILE = ".devcontainer/devcontainer.json"
COMPOSED = """\
// Ask Ada before you change the ports.
{
  "name": "shop", /* not "Shop" */
  "dockerComposeFile": "../docker-compose.yml",
  "service": "web",
  %s
  "features": {"ghcr.io/x/y:1": {}},
}
"""
LISTS = {
    "one": '"runServices": ["web"],',
    "some, and ours": '"runServices": ["web", "redis"], // ours',
    "over lines": '"runServices": [\n    "web", // the editor\n    "db"\n  ],',
    "with a last comma": '"runServices": [\n    "web", // the editor\n    "db",\n  ],',
    "empty": '"runServices": [ ],',
    "a name in a comment": '/* "runServices": [] */ "runServices": ["web" /* ] */],',
}
SHOP_FILES = SHOP | {
    "Procfile": "worker: celery -A shop worker\n",
    "Dockerfile": "FROM python:3.13\n",
}
PLAN = msgspec.structs.replace(CELERY, compose_files=("docker-compose.yml",), app=None)


def generate(text: str, *, force: bool = False) -> tuple[Change, list[str]]:
    files = {path: file for path, file in render(PLAN, ["devcontainer"], ["dev"]).items()
             if path.startswith(".devcontainer")}  # fmt: skip
    changes = decide(files, {FILE: text}, force=force)
    [change] = [change for change in changes if change.path == FILE]
    return change, [change.path for change in changes]


def after(change: Change) -> str:
    assert change.after is not None
    return change.after


@pytest.mark.parametrize("text", [COMPOSED % text for text in LISTS.values()], ids=LISTS)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["unix", "windows"])
def test_the_workers_start_beside_the_editor(text: str, ends: str) -> None:
    text = text.replace("\n", ends)
    before = jsonc.read(FILE, text)

    change, paths = generate(text)

    made = jsonc.read(FILE, after(change))
    services = made.pop("runServices")
    assert services[: len(before["runServices"])] == before.pop("runServices")
    assert {"redis", "worker", "beat"} <= set(services)
    assert len(services) == len(set(services))
    assert made == before
    assert paths == [FILE], "the mount is for an editor of ours"
    assert generate(after(change))[0].action == "unchanged"
    [gone] = decide_removal({FILE: after(change)}, force=False)
    assert gone.after == text


def test_a_service_that_is_no_longer_planned_is_not_started() -> None:
    made = after(generate(COMPOSED % LISTS["one"])[0]).replace('"beat"', '"clock"')

    services = jsonc.read(FILE, after(generate(made)[0]))["runServices"]

    assert services == ["web", "worker", "redis", "beat"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('{\n  // ours\n  "image": "ubuntu:24.04",\n}\n', "line 1: it uses no Compose"),
        (
            '{\n  "dockerComposeFile": ["compose.yml"], "service": "web", "runServices": []\n}\n',
            "line 2: it does not use ../docker-compose.yml, where the workers are",
        ),
    ],
)
def test_one_that_starts_nothing_of_ours_is_left_alone(text: str, note: str) -> None:
    change, paths = generate(text)

    assert (change.action, change.after) == ("keep", text)
    assert change.notes == (f"{note}: left alone",)
    assert paths == [FILE]


def test_without_a_list_all_are_started() -> None:
    assert generate(COMPOSED % "")[0].action == "unchanged"


def test_force_replaces_it() -> None:
    change, paths = generate('{"image": "a:1"}', force=True)

    assert after(change).startswith("// Written by `stoker sidecar`")
    assert ".devcontainer/compose.yaml" in paths


@pytest.mark.parametrize(
    "text", ["{", '{\n  "a": 1,\n  "b" 2\n}', "{,}", '{"a": "b\n"}', "nonsense"]
)
def test_what_is_no_json_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ConfigError, match=rf"{FILE}, line \d: not JSON") as caught:
        generate(text)

    assert caught.value.hint


names = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=4)
gaps = st.sampled_from(["", " ", "\n", ' // a "b" ]\n', "/* ] , */"])


@given(names, names, gaps, gaps, st.booleans())
def test_whatever_the_names_they_are_put_and_taken(
    own: list[str], ours: list[str], before: str, behind: str, last: bool
) -> None:
    items = f"{before},{behind}".join(msgspec.json.encode(name).decode() for name in own)
    comma = "," if last and own else ""
    text = f'{{"x": ["runServices"], "runServices":{before}[{behind}{items}{comma}{behind}]}}'

    made = jsonc.put(text, "runServices", ours)

    assert jsonc.read(FILE, made) == {"x": ["runServices"], "runServices": own + ours}
    assert jsonc.take(made) == text


def _opened(root: Path, **more: str) -> dict[str, Any]:
    generated(root, SHOP_FILES, {path.replace("_", "."): text for path, text in more.items()})
    return jsonc.read(FILE, (root / FILE).read_text())


def test_an_editor_opens_the_app_of_the_projects_own_compose_file(tmp_path: Path) -> None:
    app = "services:\n  shop_web:\n    build: .\n    command: gunicorn shop:app\n"
    made = _opened(tmp_path, compose_yaml=app)

    assert made["service"] == "shop_web"
    assert made["runServices"] == ["shop_web", "redis", "worker"]
    mount = compose_values((tmp_path / ".devcontainer/compose.yaml").read_text())["services"]
    assert mount.keys() == {"shop_web"}


def test_it_opens_the_worker_where_there_is_no_app(tmp_path: Path) -> None:
    made = _opened(tmp_path)

    assert made["service"] == "worker"
    assert made["runServices"] == ["worker", "redis"]


@pytest.mark.parametrize(("image", "stage"), [
    ("gcr.io/distroless/static:nonroot", "build"), ("scratch", "build"), ("alpine:3.22", None),
])  # fmt: skip
def test_an_editor_opens_a_stage_that_has_a_shell(
    tmp_path: Path, image: str, stage: str | None
) -> None:
    dockerfile = dockerfile_of("./cmd/api", 'CMD ["/app"]')["Dockerfile"]
    dockerfile = dockerfile.replace("gcr.io/distroless/static:nonroot", image)
    compose = "services:\n  api:\n    build: .\n    ports: ['80:80']\n  redis: {image: 'redis:7'}\n"
    generated(tmp_path, PROGRAMS, {"Dockerfile": dockerfile, "compose.yaml": compose})

    mount = compose_values((tmp_path / ".devcontainer/compose.yaml").read_text())["services"]
    assert mount["api"].get("build") == (stage and {"target": stage})
