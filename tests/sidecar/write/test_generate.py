"""``stoker sidecar generate`` and ``remove``, as a person types them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.detection import Evidence
from stoker.sidecar.plan import Decision, Health, Image, Plan, Service, Store
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import MODES, TARGETS, render
from stoker.sidecar.values import Given
from stoker.sidecar.write import Folder, decide
from tests.cli.support import ok, stoker
from tests.sidecar.plans import CELERY, PLANS
from tests.sidecar.projects_expected import NAMES, PROJECTS
from tests.sidecar.reading import compose_values


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    return root


def saved(plan: Plan, project: Path) -> str:
    file = project.parent / "plan.json"
    file.write_bytes(msgspec.json.encode(plan))
    return str(file)


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def generate(project: Path, *words: str, plan: Plan = CELERY) -> str:
    return ok("sidecar", "generate", str(project), "--plan", saved(plan, project), *words)


def test_a_plan_that_is_kept_with_the_project_is_taken(project: Path) -> None:
    (project / "sidecar.json").write_bytes(msgspec.json.encode(CELERY))

    ok("sidecar", "generate", str(project))

    kept = contents(project)
    generate(project, "--check")
    assert "compose.yaml" in kept


@pytest.mark.parametrize(
    ("lines", "missing"),
    [
        ({"": ".env*\n"}, ".env.example, kubernetes/.env.example"),
        ({"": ".env*\n!.env.example\n"}, ""),
        ({"": ".env\n"}, ""),
        ({"": "", "kubernetes": ".env*\n"}, "kubernetes/.env.example"),
    ],
)
def test_a_note_says_what_a_clone_will_not_have(
    lines: dict[str, str], missing: str, project: Path
) -> None:
    for folder, text in lines.items():
        (project / folder).mkdir(exist_ok=True)
        (project / folder / ".gitignore").write_text(text)

    told = stoker("sidecar", "generate", str(project), "--plan", saved(CELERY, project), "--target",
                  "all")  # fmt: skip

    note = f"note: .gitignore leaves out {missing}: a clone has none of it, and --check fails there"
    assert (note in told.stderr) == bool(missing)
    assert ("leaves out" in told.stderr) == bool(missing)


def test_a_plan_from_before_plans_said_more_is_taken_by_its_defaults(project: Path) -> None:
    """Whatever a plan says since: where it was not said, it is as if it were not so."""
    now = make_plan(detect(PROJECTS / "stoker-told"), "shop")
    plan = json.loads(msgspec.json.encode(now))
    assert plan["services"][0].pop("alone")
    (project / "sidecar.json").write_text(json.dumps(plan))

    ok("sidecar", "generate", str(project), "--target", "all")

    plain = msgspec.structs.replace(now.services[0], alone=False)
    generate(
        project, "--target", "all", "--check", plan=msgspec.structs.replace(now, services=(plain,))
    )


def test_no_plan_has_to_say_more_than_the_first_ones_did() -> None:
    types = (Plan, Image, Service, Store, Health, Decision, Evidence, Given)
    needed = {each: {f.name for f in msgspec.structs.fields(each) if f.required} for each in types}

    assert needed == {
        Plan: {"name"},
        Image: {"name", "context", "language", "manager", "version", "manifests"},
        Service: {"name", "role", "framework", "image", "command"},
        Store: {"name", "kind", "image"},
        Health: {"command"},
        Decision: {"what", "why"},
        Evidence: {"path", "line"},
        Given: {"path", "service"},
    }


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_generated_twice_nothing_changes_and_removed_nothing_is_left(
    project: Path, plan: Plan
) -> None:
    generate(project, "--target", "all", plan=plan)
    once = contents(project)

    shown = generate(project, "--target", "all", "--check", plan=plan)
    generate(project, "--target", "all", plan=plan)
    assert contents(project) == once
    assert {line.split()[0] for line in shown.splitlines()[1:]} == {"unchanged"}

    ok("sidecar", "remove", str(project))
    assert contents(project) == {}


@pytest.mark.parametrize("how", ["--dry-run", "--diff", "--check"])
def test_what_only_shows_writes_nothing(project: Path, how: str) -> None:
    result = stoker("sidecar", "generate", str(project), "--plan", saved(CELERY, project), how)

    assert result.exit_code == (1 if how == "--check" else 0)
    assert "compose.yaml" in result.stdout
    assert contents(project) == {}


def test_the_diff_is_what_git_applies(project: Path) -> None:
    (project / ".dockerignore").write_text("node_modules")
    shutil.copytree(project, project.parent / "copy")
    diff = generate(project, "--target", "all", "--diff")
    generate(project, "--target", "all")

    copy = project.parent / "copy"
    subprocess.run(["git", "apply", "-"], cwd=copy, input=diff, text=True, check=True)

    assert contents(copy) == contents(project)


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (("--dev",), {"compose.yaml"}),
        (("--prod",), {"compose.prod.yaml"}),
        ((), {"compose.yaml", "compose.prod.yaml"}),
    ],
)
def test_for_development_or_production(
    project: Path, words: tuple[str, ...], files: set[str]
) -> None:
    generate(project, *words)

    assert contents(project).keys() - {"Dockerfile", ".dockerignore", ".env.example"} == files


def test_a_persons_file_is_named_and_kept(project: Path) -> None:
    (project / "Dockerfile").write_text("FROM scratch\n")

    result = stoker("sidecar", "generate", str(project), "--plan", saved(CELERY, project))

    assert result.exit_code == 0
    assert "note: Dockerfile: it is not Stoker's: left alone; --force replaces it" in result.stderr
    assert (project / "Dockerfile").read_text() == "FROM scratch\n"
    generate(project, "--force")
    assert "celery" in (project / "Dockerfile").read_text()


@pytest.mark.parametrize("path", ["Dockerfile", "kubernetes/worker.yaml"])
def test_removal_leaves_what_a_person_changed(project: Path, path: str) -> None:
    generate(project, "--target", "all")
    with (project / path).open("a") as file:
        file.write("# mine\n")

    result = stoker("sidecar", "remove", str(project))

    note = f"note: {path}: it was changed since Stoker wrote it: left alone; --force takes it out"
    assert note in result.stderr
    assert contents(project).keys() == {path}
    ok("sidecar", "remove", str(project), "--force")
    assert contents(project) == {}


@pytest.mark.parametrize("how", ["--dry-run", "--diff", "--check"])
def test_what_writes_nothing_says_so(project: Path, how: str) -> None:
    words = ("sidecar", "generate", str(project), "--plan", saved(CELERY, project))

    result = stoker(*words, how)

    assert f"Nothing was written: {how} only says what would be." in result.stderr
    assert contents(project) == {}
    ok(*words)
    assert "Nothing was written" not in stoker(*words, how).stderr


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not readable as JSON: Input data was truncated"),
        ('{"name": "A B"}', "Expected a name of small letters, digits, '-' and '_' - at `$.name`"),
        ('{"name": "a", "nonsense": 1}', "unknown field `nonsense`"),
        ('{"name": "a", "version": 2}', "Invalid enum value 2 - at `$.version`"),
    ],
)
def test_a_broken_plan_says_where(project: Path, text: str, problem: str) -> None:
    file = project.parent / "plan.json"
    file.write_text(text)

    result = stoker("sidecar", "generate", str(project), "--plan", str(file))

    assert result.exit_code == 1
    assert f"error: {file}: " in result.stderr
    assert problem in result.stderr
    assert "hint: stoker sidecar plan PATH --json" in result.stderr
    assert contents(project) == {}


def test_nothing_is_written_if_one_file_cannot_be_read(project: Path) -> None:
    plan = msgspec.structs.replace(CELERY, compose_files=("docker-compose.yml",))
    (project / "docker-compose.yml").write_text("services:\n  a: [\n")

    result = stoker("sidecar", "generate", str(project), "--plan", saved(plan, project))

    assert result.exit_code == 1
    assert "docker-compose.yml, line 3: not YAML" in result.stderr
    assert contents(project).keys() == {"docker-compose.yml"}


def test_a_script_for_development_is_offered_and_added_when_asked(project: Path) -> None:
    package = '{\n    "name": "shop",\n    "scripts": {\n        "dev": "vite"\n    }\n}\n'
    (project / "package.json").write_text(package)
    plan = saved(PLANS["node-npm"], project)

    offered = stoker("sidecar", "generate", str(project), "--plan", plan)
    assert '+        "dev:worker": "npx tsx watch src/worker.ts"' in offered.stderr
    assert (project / "package.json").read_text() == package

    ok("sidecar", "generate", str(project), "--plan", plan, "--scripts")
    scripts = json.loads((project / "package.json").read_text())["scripts"]
    assert scripts == {"dev": "vite", "dev:worker": "npx tsx watch src/worker.ts"}
    again = stoker("sidecar", "generate", str(project), "--plan", plan)
    assert "dev:worker" not in again.stderr


def test_what_comes_next_is_said(project: Path) -> None:
    shown = generate(project)

    assert "settings:    cp .env.example .env" in shown
    assert "development: docker compose up --build --watch" in shown
    assert "production:  docker compose -f compose.prod.yaml up --build --detach --scale" in shown
    assert "Next" not in generate(project), "nothing has changed"


def test_what_the_source_has_to_do_is_said(project: Path) -> None:
    (project / "requirements.txt").write_text("arq\n")
    (project / "Procfile").write_text("worker: arq jobs.Settings\n")

    result = stoker("sidecar", "generate", str(project))

    assert (
        "note: requirements.txt:1: the source reads no variable for the address of redis"
        in result.stderr
    )


BROKER_ONLY = "services:\n  redis:\n    image: redis:7 # the team's\n"


@pytest.fixture
def people(project: Path) -> Path:
    """A project whose own compose file has a broker, and whose app is started by hand."""
    (project / "docker-compose.yml").write_text(BROKER_ONLY)
    (project / "requirements.txt").write_text("rq\ngunicorn\n")
    (project / "Procfile").write_text("web: gunicorn shop:app\nworker: rq worker mail\n")
    return project


def services(project: Path) -> set[str]:
    return set(compose_values((project / "docker-compose.yml").read_text())["services"])


def test_the_app_is_offered_for_a_persons_compose_file_and_put_in_when_asked(people: Path) -> None:
    offered = stoker("sidecar", "generate", str(people))
    assert "(--app adds it)" in offered.stderr
    assert "+    command: [gunicorn, shop:app" in offered.stderr
    assert services(people) == {"redis", "worker"}

    asked = stoker("sidecar", "generate", str(people), "--app")
    assert "--app" not in asked.stderr
    assert services(people) == {"redis", "worker", "app"}
    once = contents(people)

    again = stoker("sidecar", "generate", str(people))
    assert "--app" not in again.stderr
    assert contents(people) == once, "it stays, also if nobody asks again"

    ok("sidecar", "remove", str(people))
    assert (people / "docker-compose.yml").read_text() == BROKER_ONLY


def test_no_app_is_offered_where_a_person_has_a_service_of_its_name(people: Path) -> None:
    file = people / "docker-compose.yml"
    file.write_text(BROKER_ONLY + "  app:\n    image: shop:1\n")

    result = stoker("sidecar", "generate", str(people))

    assert "--app" not in result.stderr
    assert "image: shop:1" in file.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_what_stoker_wrote_is_no_evidence_for_the_next_plan(name: str, tmp_path: Path) -> None:
    root = tmp_path / name
    shutil.copytree(PROJECTS / name, root)
    seen = detect(root)
    files = render(make_plan(seen, name), TARGETS, MODES)
    folder = Folder(root)
    folder.apply(decide(files, folder.read(files), force=False))

    assert msgspec.structs.replace(detect(root), name=seen.name) == seen  # nothing but its name
    again = render(make_plan(detect(root), name), TARGETS, MODES)
    changes = decide(again, folder.read(again), force=False)
    assert [change.path for change in changes if change.before != change.after] == []


@pytest.fixture
def edited(project: Path) -> Path:
    """A compose file that Stoker wrote; since then a person changed its app, and nothing else."""
    shutil.copytree(PROJECTS / "bullmq-script", project, dirs_exist_ok=True)
    ok("sidecar", "generate", str(project))
    file = project / "compose.yaml"
    made = file.read_text()
    file.write_text(made.replace("127.0.0.1:3000", "127.0.0.1:4000"))
    assert file.read_text() != made
    return project


def test_a_changed_service_changes_no_other_and_is_named(edited: Path) -> None:
    before = contents(edited)

    result = stoker("sidecar", "generate", str(edited))

    assert contents(edited) == before
    assert "service 'app' was changed since Stoker wrote it: left alone" in result.stderr


def test_forced_a_changed_service_is_as_it_was(edited: Path) -> None:
    ok("sidecar", "generate", str(edited), "--force")

    services = compose_values((edited / "compose.yaml").read_text())["services"]
    assert services["app"]["ports"] == ["127.0.0.1:3000:3000"]
    assert set(services) == {"app", "redis", "worker"}


def test_workers_still_wait_for_the_health_of_a_broker_that_was_changed(edited: Path) -> None:
    ok("sidecar", "generate", str(edited), "--force")
    file = edited / "compose.yaml"
    file.write_text(file.read_text().replace("redis:7-alpine", "redis:8-alpine"))
    changed = file.read_text()

    result = stoker("sidecar", "generate", str(edited))

    assert file.read_text() == changed
    assert "service 'redis' was changed since Stoker wrote it: left alone" in result.stderr


THEIRS = {
    ".dockerignore": "# ours\nnode_modules\n.git",
    ".env.example": "SENTRY_DSN=\r\nREDIS_URL=redis://localhost\r\n",
    "kubernetes/kustomization.yaml": "resources: [app.yaml]\n",
    "kubernetes/app.yaml": "kind: Deployment\n",
    ".devcontainer/devcontainer.json": '{\n  // ours\n  "image": "ubuntu:24.04",\n}\n',
}


@pytest.mark.parametrize("theirs", [{}, THEIRS], ids=["alone", "beside a person's files"])
@pytest.mark.parametrize("name", NAMES)
def test_removal_leaves_a_project_as_it_was_to_the_byte(
    name: str, theirs: dict[str, str], tmp_path: Path
) -> None:
    root = tmp_path / name
    shutil.copytree(PROJECTS / name, root)
    for file, text in theirs.items():
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_bytes(text.encode())
    before = contents(root)

    result = stoker("sidecar", "generate", str(root), "--target", "all")
    refused = name == "broken"  # it has a compose file that is no YAML
    assert result.exit_code == (1 if refused else 0), result.stderr
    once = contents(root)
    assert not refused or once == before
    again = stoker("sidecar", "generate", str(root), "--target", "all")
    assert again.exit_code == result.exit_code
    assert contents(root) == once

    ok("sidecar", "remove", str(root))
    assert contents(root) == before


@pytest.mark.parametrize("how", ["dry-run", "diff", "check", "write"])
def test_machines_are_told_of_each_file_what_is_done_to_it(project: Path, how: str) -> None:
    own = "FROM mine\n"
    generate(project)
    (project / "Dockerfile").write_text(own)
    (project / "compose.prod.yaml").unlink()
    (project / ".dockerignore").write_text("mine\n")
    before = contents(project)
    options = [] if how == "write" else [f"--{how}"]

    result = stoker(
        "sidecar", "generate", str(project), "--plan", saved(CELERY, project), "--json", *options
    )

    assert (result.exit_code, result.stderr) == (1 if how == "check" else 0, "")
    [line] = result.stdout.splitlines()
    told = json.loads(line)
    assert (told["how"], told["changed"], told["notes"], told["offers"]) == (how, 2, [], [])
    files = {each["path"]: each for each in told["files"]}
    assert {path: each["action"] for path, each in files.items()} == {
        ".dockerignore": "update",
        ".env.example": "unchanged",
        "Dockerfile": "keep",
        "compose.prod.yaml": "create",
        "compose.yaml": "unchanged",
    }
    assert files["Dockerfile"]["notes"] == ["it is not Stoker's: left alone"]
    assert ("+++ b/.dockerignore" in files[".dockerignore"].get("diff", "")) == (how == "diff")
    assert (contents(project) == before) == (how != "write")


def test_machines_hear_what_people_are_warned_of_and_offered(people: Path) -> None:
    told = json.loads(ok("sidecar", "generate", str(people), "--json", "--dry-run"))

    [offer] = told["offers"]
    assert (offer["option"], offer["path"]) == ("--app", "docker-compose.yml")
    assert "+  app:" in offer["diff"]


def test_machines_hear_that_there_is_nothing_to_do(project: Path) -> None:
    told = json.loads(ok("sidecar", "generate", str(project), "--json", "--app"))

    assert told["files"] == []
    assert [note.partition(":")[0] for note in told["notes"]] == [
        "No worker needs a container here",
        "--app adds nothing",
    ]


def test_machines_are_told_what_is_taken_out(project: Path) -> None:
    generate(project)

    told = json.loads(ok("sidecar", "remove", str(project), "--json"))

    assert {each["action"] for each in told["files"]} == {"delete"}
    assert told["changed"] == len(told["files"]) == 5
    assert contents(project) == {}
