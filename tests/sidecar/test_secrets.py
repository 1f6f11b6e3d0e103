"""No secret of a project reaches what is written for it, or shown of it.

The project's own compose file has what it has: a worker that is put in there has it, too.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from pathlib import Path

import msgspec
import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.plan import decode
from stoker.sidecar.planning import make_plan
from stoker.sidecar.project import Project
from stoker.sidecar.render import TARGETS, render
from stoker.sidecar.secrets import MASK
from stoker.sidecar.shown import shown_plan
from stoker.sidecar.write import offers
from tests.cli.support import stoker
from tests.sidecar.plans import PLANS
from tests.sidecar.reading import yaml_values

WORD = "hunter2Zq9"
"""What must not be seen."""
BASIC = b64encode(f"shop:{WORD}".encode()).decode()
TOKEN = "sk_live_" + "4eC39HqLyjWD"
KEY = "-----BEGIN RSA PRIVATE KEY-----"

SOURCE = """\
import os
from celery import Celery
app = Celery("shop", broker=os.environ["CELERY_BROKER_URL"])

@app.task
def mail(): ...
"""
STARTED = "celery -A shop worker -Q mail"

LOOP = "import time\nwhile True:\n    time.sleep(1)\n"

GIVEN = {
    "options": ("CELERY_OPTS", f"--broker=redis://:{WORD}@h -l info"),
    "option's value": ("CELERY_OPTS", f"-l info --redis-password {WORD}"),
    "address": ("STORE", f"amqp://shop:{WORD}@h//"),
    "user only": ("BUS", f"nats://{WORD}@h:4222"),
    "user and colon": ("BUS", f"nats://{WORD}:@h:4222"),
    "jdbc": ("DB", f"jdbc:postgresql://h/shop?user=shop&password={WORD}"),
    "jdbc login": ("DB", f"jdbc:mysql://shop:{WORD}@h/shop"),
    "two addresses": ("SERVERS", f"redis://a:6379,redis://:{WORD}@b:6379"),
    "json": ("SETTINGS", json.dumps({"user": "shop", "password": WORD})),
    "json of names": ("SETTINGS", json.dumps({"accessToken": WORD})),
    "connection": ("STORE", f"Server=db;User Id=sa;Password={WORD};Encrypt=true"),
    "azure": ("STORE", f"DefaultEndpointsProtocol=https;AccountKey={WORD}==;"),
    "libpq": ("STORE", f"host=db user=shop password='{WORD}'"),
    "slash in it": ("STORE", f"postgres://shop:x/{WORD}@h/shop"),
    "at in it": ("STORE", f"postgres://shop:x@{WORD}@h/shop"),
    "quote in it": ("STORE", f'postgres://shop:"{WORD}@h/shop'),
    "escaped dollar": ("SECRET_KEY", f"$${WORD}"),
    "default": ("SECRET_KEY", f"${{SECRET_KEY:-{WORD}}}"),
    "default of another": ("DJANGO_SECRET", f"${{APP_KEY-{WORD}}}"),
    "default in an address": ("STORE", f"redis://:${{STORE_WORD:-{WORD}}}@h"),
    "default is an address": ("STORE", f"${{STORE:-redis://:{WORD}@h}}"),
    "default of what is called so": ("STORE", f"${{STORE_TOKEN:-{WORD}}}"),
    "default in braces": ("SETTINGS", f'${{CONF:-{{"password": "{WORD}"}}}}'),
    "default in a default": ("STORE", f"${{STORE:-redis://:${{STORE_WORD:-{WORD}}}@h}}"),
    "beside a reference": ("STORE", f"postgres://${{WHO}}:{WORD}@h/${{DB:-shop}}"),
    "header": ("HEADERS", f"Authorization: Bearer {WORD}abc1"),
    "basic": ("HEADERS", f"Authorization: Basic {BASIC}"),
    "encoded": ("REGISTRY", BASIC),
    "known token": ("PAYMENTS", TOKEN),
    "hexadecimal": ("PAYMENTS", "0123456789abcdef" * 2),
    "key": ("SIGNING", f"{KEY}\\n{WORD}\\n"),
    "token of a forge": ("PIP_EXTRA_INDEX_URL", f"https://{WORD}@pypi.example.org/simple"),
    "password": ("SMTP_PASS", WORD),
    "password of the file's": ("MAIL_PASSWORD_FILE", WORD),
    "camel": ("apiKey", WORD),
    "dsn": ("SENTRY_DSN", f"https://{WORD}@o1.ingest.example.io/1"),
    "webhook": ("SLACK_WEBHOOK_URL", f"https://hooks.example.com/T0/{WORD}"),
    "program": ("CHECK", f"redis-cli -a {WORD} ping"),
    "curl": ("CHECK", f"curl -u shop:{WORD} http://h"),
}
"""Variables that a compose file gives the app."""

STARTS = {
    "option": f"{STARTED} --broker=redis://:{WORD}@q.example.net/0",
    "option and word": f"celery -A shop --broker amqp://shop:{WORD}@q//  worker",
    "variable": f"REDIS_PASSWORD={WORD} {STARTED}",
    "variable of any name": f"CELERY_BROKER_URL=redis://:{WORD}@q.example.net/0 {STARTED}",
    "several": f"{STARTED} --broker=redis://:{WORD}@q --result-backend=redis://:{WORD}@r",
    "shell": f"sh -c 'export A=$B; exec {STARTED} --broker=redis://:{WORD}@$HOST/0'",
    "password": f"python worker.py --password {WORD} --queue mail",
    "quoted": f'python worker.py --password "{WORD} x" --queue mail',
    "flower": f"celery -A shop flower --basic-auth=shop:{WORD}",
}
"""Lines of a Procfile."""

ASIDE = {
    "evidence": {"shop.py": SOURCE.replace(
        'os.environ["CELERY_BROKER_URL"]', f'"redis://:{WORD}@localhost/0"')},
    "long line": {"shop.py": SOURCE.replace(
        'os.environ["CELERY_BROKER_URL"]', f'{"x" * 160!r} and "redis://:{WORD}{"y" * 60}@h/0"')},
    "configuration": {"celeryconfig.py": f'broker_password = "{WORD}"\nbroker = "redis://h"\n'},
    ".env": {".env": f"CELERY_BROKER_URL=redis://:{WORD}@q.example.net\nSECRET_KEY={WORD}\n"},
    "nats": {".env": f"NATS_URL=nats://{WORD}@q.example.net\n",
             "requirements.txt": "taskiq\ntaskiq-nats\n",
             "shop.py": 'import os\nfrom taskiq_nats import NatsBroker\n'
                        'broker = NatsBroker(os.environ["NATS_URL"])\n',
             "Procfile": "worker: taskiq worker shop:broker\n"},
    "redis by the user": {".env": f"CELERY_BROKER_URL=redis://{WORD}@q.example.net\n"},
    "build": {"Dockerfile": f"FROM python:3.13\nARG PIP_TOKEN={WORD}\nENV DB_PASSWORD {WORD}\n"
                            f"CMD celery -A shop worker --broker=redis://:{WORD}@q\n"},
    "labels and check": {"compose.yaml":
        "services:\n  web:\n    build:\n      context: .\n      args:\n"
        f"        TOKEN: {WORD}\n    labels:\n      auth: {WORD}\n"
        f"    healthcheck:\n      test: [CMD, curl, -u, 'shop:{WORD}', 'http://h']\n"
        "    command: gunicorn shop:app\n"},
    "pinned": {"requirements.txt": f"celery @ git+https://{WORD}@git.example.org/celery.git\n"},
    "README": {"README.md": f"Run it:\n\n    {STARTED} --broker redis://:{WORD}@q\n",
               "Procfile": "web: gunicorn shop:app\n"},
    "Makefile": {"Makefile": f"PASSWORD = {WORD}\nworker:\n\t{STARTED} "
                             "--broker redis://:$(PASSWORD)@q\n", "Procfile": "x: y\n"},
    "another compose file": {
        "docker-compose.yml": "services:\n  web:\n    build: .\n    command: gunicorn shop:app\n",
        "docker-compose.local.yml": "services:\n  web:\n    build: .\n    command: gunicorn x\n"
        f"    environment:\n      CELERY_BROKER_URL: redis://:{WORD}@redis:6379\n"
        "  redis:\n    image: redis:7\n"},
    "words of a list": {"compose.yaml":
        f"services:\n  redis:\n    image: redis:7\n    command:\n      - redis-server\n"
        f"      - --requirepass\n      - {WORD}\n"},
    "a program's option": {"compose.yaml":
        "services:\n  redis:\n    image: redis:7\n"
        f"    healthcheck: {{test: [CMD, redis-cli, -a, {WORD}, ping]}}\n"},
    "a worker's words": {"compose.yaml":
        "services:\n  worker:\n    build: .\n"
        f'    command: ["celery", "-A", "shop", "worker", "--redis-password", "{WORD}"]\n'},
    "a worker's plain words": {"compose.yaml":
        "services:\n  worker:\n    build: .\n"
        f"    command: [celery, -A, shop, worker, --redis-password, {WORD}, -c, '2']\n"},
    "several lines": {"compose.yaml":
        f"services:\n  redis:\n    image: redis:7\n    labels:\n      token: >-\n        {WORD}\n"
        f"        {WORD}\n      key: |\n        {KEY}\n        {WORD}\n"
        f"      secret: a\n        {WORD}\n      pw: 'a\n        {WORD}'\n"},
    "a comment": {"compose.yaml":
        f"services:\n  redis:\n    image: redis:7 # redis://:{WORD}@h\n    # TOKEN={WORD}\n"},
    "lines of others": {".dockerignore": f"# TOKEN={WORD}\n", ".env.example": f"TOKEN={WORD}\n"
                        f'PEM="{KEY}\n{WORD}\n-----END RSA PRIVATE KEY-----"\n'},
    "broken": {"compose.yaml": f"services:\n  web: 'redis://:{WORD}@h\n"},
    "an alias": {"compose.yaml": f"services:\n  web:\n    environment:\n      PW: *{WORD}\n"},
    "a tag": {"compose.yaml": f"services:\n  web:\n    environment:\n      PW: !{WORD}!x a\n"},
}  # fmt: skip


def written(root: Path, files: dict[str, str]) -> None:
    base = {"requirements.txt": "celery\nredis\n", "shop.py": SOURCE,
            "Procfile": f"worker: {STARTED}\n"}  # fmt: skip
    for name, text in (base | files).items():
        (root / name).write_text(text)


def with_given(root: Path, name: str, value: str) -> None:
    given = f"    environment:\n      {name}: {json.dumps(value)}\n"
    app = "services:\n  web:\n    build: .\n    command: gunicorn shop:app\n"
    written(root, {"compose.yaml": app + given})


def started(root: Path, shape: str) -> None:
    own = {"requirements.txt": "redis\n", "shop.py": "", "worker.py": LOOP}
    more = own if "worker.py" in STARTS[shape] else {}
    written(root, {"Procfile": f"worker: {STARTS[shape]}\n", **more})


def everything(root: Path) -> dict[str, str]:
    """All that is shown of a project, and all lines of its files that were not there."""
    before = {path: path.read_text() for path in root.rglob("*") if path.is_file()}
    found: dict[str, str] = {}
    for words in (["detect"], ["plan"], ["explain"]):
        for more in ([], ["--json"]):
            result = stoker("sidecar", *words, str(root), *more).output
            found[" ".join((*words, *more))] = result
    for words in (["--diff"], ["--diff", "--json"], ["--diff", "--force"]):
        result = stoker("sidecar", "generate", str(root), "--target", "all", *words).output
        found[" ".join(("generate", *words))] = result
    found["generate"] = stoker("sidecar", "generate", str(root), "--target", "all").output
    for path in root.rglob("*"):
        if path.is_file():
            own = before.get(path, "").splitlines()
            made = [line for line in path.read_text().splitlines() if line not in own]
            found |= {path.relative_to(root).as_posix(): "\n".join(made)} if made else {}
    found["remove --diff"] = stoker("sidecar", "remove", str(root), "--diff").output
    return found


def seen_in(found: dict[str, str]) -> set[str]:
    words = (WORD, BASIC, TOKEN, "0123456789abcdef" * 2)
    return {name for name, text in found.items() if any(word in text for word in words)}


@pytest.mark.parametrize("shape", GIVEN)
def test_what_an_app_is_given_stays_in_the_file_that_gives_it(shape: str, tmp_path: Path) -> None:
    with_given(tmp_path, *GIVEN[shape])

    found = everything(tmp_path)

    assert {"kubernetes/worker.yaml", "compose.prod.yaml", "compose.yaml"} <= found.keys()
    assert seen_in(found) <= {"compose.yaml"}


@pytest.mark.parametrize("shape", STARTS)
def test_what_a_command_was_written_down_with_is_nowhere_else(shape: str, tmp_path: Path) -> None:
    started(tmp_path, shape)

    found = everything(tmp_path)

    assert "kubernetes/kustomization.yaml" in found
    assert not seen_in(found)


@pytest.mark.parametrize("shape", ASIDE)
def test_what_is_seen_beside_is_not_shown(shape: str, tmp_path: Path) -> None:
    written(tmp_path, ASIDE[shape])

    found = everything(tmp_path)

    assert not seen_in(found)


def test_the_account_of_a_database_beside_is_not_shown(tmp_path: Path) -> None:
    database = f"  db:\n    image: postgres:16\n    environment: {{POSTGRES_PASSWORD: {WORD}}}\n"
    written(tmp_path, {
        "requirements.txt": "celery\nredis\npsycopg\n",
        "shop.py": f"{SOURCE}\nbase = os.environ['DATABASE_URL']\n",
        "compose.yaml": f"services:\n  redis:\n    image: redis:7\n{database}",
    })  # fmt: skip
    assert detect(tmp_path).beside, "else there is nothing to show"

    assert seen_in(everything(tmp_path)) <= {"compose.yaml"}


PLAIN = {
    "REDIS_KEY_PREFIX": "shop",
    "TOKENIZERS_PARALLELISM": "false",
    "KEYSPACE": "shop",
    "MAX_TOKENS": "4096",
    "POSTGRES_PASSWORD_FILE": "/run/secrets/password",
    "STORE": "postgres://shop@h/shop",
}


@pytest.mark.parametrize("name", PLAIN)
def test_what_is_only_called_alike_stays_visible(name: str, tmp_path: Path) -> None:
    with_given(tmp_path, name, PLAIN[name])
    reading = f"{SOURCE}\nos.environ[{name!r}]\n"
    (tmp_path / "shop.py").write_text(reading)

    found = everything(tmp_path)

    for file in ("kubernetes/worker.yaml", "compose.prod.yaml", "plan --json"):
        assert PLAIN[name] in found[file]
    assert f"{name}=" not in found.get(".env.example", "")


@pytest.mark.parametrize("shape", [name for name in STARTS if not name.startswith("variable")])
def test_a_command_asks_the_operator_for_its_secrets(shape: str, tmp_path: Path) -> None:
    started(tmp_path, shape)
    plan = make_plan(detect(tmp_path), "shop")
    files = {path: file.text for path, file in render(plan, TARGETS).items()}

    [service] = [each for each in plan.services if WORD in str(each.command)]
    asked = re.findall(r"^(\w+)=$", files[".env.example"], re.MULTILINE)
    words = yaml_values(files["compose.prod.yaml"])["services"][service.name]["command"]
    line = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda it: dict.fromkeys(asked, WORD)[it[1]], str(words))
    assert line.replace("$$", "$").count(WORD) == str(service.command).count(WORD)
    if service.role == "worker":  # a dashboard is not deployed
        deployed = yaml_values(files[f"kubernetes/{service.name}.yaml"])
        [container] = deployed["spec"]["template"]["spec"]["containers"]
        known = {each["name"] for each in container["env"] if "valueFrom" in each}
        used = re.findall(r"(?<!\$)\$\((\w+)\)", " ".join(container["args"]))
        assert len(used) == str(service.command).count(WORD)
        assert known >= set(used)


def test_what_only_development_asks_for_is_asked_for(tmp_path: Path) -> None:
    [worker, *others] = PLANS["celery"].services
    words = ("watchfiles", f"celery -A x worker --broker=redis://:{WORD}@h")
    changed = msgspec.structs.replace(worker, dev_command=words)
    plan = msgspec.structs.replace(PLANS["celery"], services=(changed, *others))

    files = {path: file.text for path, file in render(plan, TARGETS).items()}

    assert "${WORKER_BROKER:?set it in .env}" in files["compose.yaml"]
    assert "WORKER_BROKER=\n" in files[".env.example"]
    assert not seen_in(files)


def test_a_variable_of_a_command_is_the_operators(tmp_path: Path) -> None:
    written(tmp_path, {"Procfile": f"worker: {STARTS['variable']}\n"})

    files = render(make_plan(detect(tmp_path), "shop"))

    for file in ("compose.yaml", "compose.prod.yaml"):
        worker = yaml_values(files[file].text)["services"]["worker"]
        assert worker["environment"]["REDIS_PASSWORD"] == "${REDIS_PASSWORD:?set it in .env}"
    assert "REDIS_PASSWORD=\n" in files[".env.example"].text


@pytest.mark.parametrize("shape", GIVEN)
def test_a_plan_that_was_shown_can_be_written(shape: str, tmp_path: Path) -> None:
    """Where a secret was, the operator is asked, by the example, too; all else is the same."""
    with_given(tmp_path, *GIVEN[shape])
    plan = make_plan(detect(tmp_path), "shop")
    again = decode(msgspec.json.encode(shown_plan(plan)), "shown")

    files, from_shown = render(plan, TARGETS), render(again, TARGETS)

    changed = {path for path, file in files.items() if file.text != from_shown[path].text}
    assert changed <= {"compose.yaml", ".env.example"}
    assert not seen_in({path: file.text for path, file in from_shown.items()})
    assert MASK not in "".join(file.text for file in from_shown.values())


def test_a_shown_plan_without_secrets_is_the_plan() -> None:
    assert all(shown_plan(plan) == plan for name, plan in PLANS.items() if name != "own")


def test_a_token_in_the_users_place_is_no_placeholder(tmp_path: Path) -> None:
    written(tmp_path, ASIDE["nats"])

    [store] = make_plan(detect(tmp_path), "shop").stores

    assert store.outside == "nats://app@q.example.net"


def test_files_of_one_name_are_secrets_of_their_own(tmp_path: Path) -> None:
    compose = (
        "services:\n  web:\n    build: .\n    command: gunicorn shop:app\n    env_file:\n"
        "      - conf/app.env\n      - conf-app.env\n      - path: '${MORE:-local}/app.env'\n"
        "        required: False\n      - '${WHERE}/$NAME.env'\n      - $(touch owned).env\n"
    )
    written(tmp_path, {"compose.yaml": compose})

    files = render(make_plan(detect(tmp_path), "shop"), TARGETS)

    [container] = yaml_values(files["kubernetes/worker.yaml"].text)["spec"]["template"]["spec"][
        "containers"
    ]
    names = [each["secretRef"]["name"] for each in container["envFrom"]]
    optional = [each["secretRef"].get("optional", False) for each in container["envFrom"]]
    head = files["kubernetes/kustomization.yaml"].text
    assert len(set(names)) == 5
    assert optional == [False, False, True, False, False]
    for name, file in zip(
        names,
        ("conf/app.env", "conf-app.env", "local/app.env", '"${WHERE}/$NAME.env"',
         "'$(touch owned).env'"),
        strict=True,
    ):  # fmt: skip
        assert f"# kubectl create secret generic {name} --from-env-file={file}\n" in head
    assert "local/app.env\n#   (only if there is such a file)\n" in head


@pytest.mark.parametrize("scheme", ["amqps", "postgres"])
def test_keda_is_told_by_the_operator_what_only_a_file_of_variables_says(
    scheme: str, tmp_path: Path
) -> None:
    name = {"amqps": "AMQP_URL", "postgres": "DATABASE_URL"}[scheme]
    source = SOURCE.replace("CELERY_BROKER_URL", name)
    if scheme == "postgres":
        source = (
            "import os, procrastinate\napp = procrastinate.App(connector="
            'procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"]))\n'
        )
    compose = "services:\n  web:\n    build: .\n    command: gunicorn x\n"
    started = STARTED if scheme == "amqps" else "procrastinate --app=shop.app worker -q mail"
    package = "celery" if scheme == "amqps" else "procrastinate"
    written(tmp_path, {
        "app.env": f"{name}={scheme}://shop:{WORD}@q.example.net/shop\n", "shop.py": source,
        "compose.yaml": f"{compose}    env_file: '${{FILE:-app.env}}'\n",
        "Procfile": f"worker: {started}\n",
        "requirements.txt": f"{package}\n",
    })  # fmt: skip

    plan = make_plan(detect(tmp_path), "shop")
    files = render(plan, TARGETS)

    assert plan.stores[0].outside.endswith("@q.example.net/shop")
    assert "No ScaledObject" not in files["kubernetes/worker.yaml"].text
    scaling = files["kubernetes/worker-scaling.yaml"].text
    assert f"name: shop-env\n      key: {name}\n" in scaling
    assert f"{name}=\n" in files["kubernetes/.env.example"].text
    assert not seen_in({path: file.text for path, file in files.items()})


def test_a_script_with_a_secret_is_not_offered(tmp_path: Path) -> None:
    script = f"tsx watch worker.ts --password {WORD}"
    plan = PLANS["node-npm"]
    [worker] = plan.services
    changed = msgspec.structs.replace(worker, dev_command=tuple(script.split()))
    plan = msgspec.structs.replace(plan, services=(changed,))

    assert not list(offers(plan, {"package.json": '{"scripts": {}}'}))


def test_a_note_has_no_secret(tmp_path: Path) -> None:
    project = Project(tmp_path)

    project.note("a.yaml", f"what is redis://:{WORD}@h", "correct it", 3)

    assert list(project.notes) == ["a.yaml:3: what is redis://:***@h; correct it"]


def ignored(root: Path) -> list[str]:
    return (root / ".dockerignore").read_text().splitlines()


def test_no_file_of_variables_goes_into_an_image_from_any_folder(tmp_path: Path) -> None:
    written(tmp_path, {})
    assert stoker("sidecar", "generate", str(tmp_path)).exit_code == 0

    wanted = ["**/.env", "**/.env.*", "!**/.env.example"]
    assert [line for line in ignored(tmp_path) if ".env" in line] == wanted


def test_what_a_person_keeps_in_an_image_stays_in_it(tmp_path: Path) -> None:
    own = "# ours\n.env\n!.env.production\n!conf/ca.pem\n!src\nnode_modules\n"
    written(tmp_path, {".dockerignore": own})
    assert stoker("sidecar", "generate", str(tmp_path)).exit_code == 0

    once = (tmp_path / ".dockerignore").read_text()
    lines = once.splitlines()

    assert once.startswith(own)
    for kept in ("!.env.production", "!conf/ca.pem"):
        last = len(lines) - 1 - lines[::-1].index(kept)
        assert last > lines.index("**/.env.*")
    assert lines.count("!src") == 1
    assert stoker("sidecar", "generate", str(tmp_path), "--check").exit_code == 0
    assert stoker("sidecar", "remove", str(tmp_path)).exit_code == 0
    assert (tmp_path / ".dockerignore").read_text() == own


def test_what_a_dockerfile_copies_by_name_stays_in_the_image(tmp_path: Path) -> None:
    lines = (
        "FROM python:3.13 AS base", "COPY --chown=1:1 .env.docker conf/.env ./",
        'ADD [".env.${STAGE}", "/app/"]', "COPY --from=base /x/.env.other .", "COPY . .",
        "COPY ../.env.above .", "CMD gunicorn shop:app",
    )  # fmt: skip
    written(tmp_path, {"Dockerfile": "\n".join(lines) + "\n"})
    assert stoker("sidecar", "generate", str(tmp_path)).exit_code == 0

    kept = [line for line in ignored(tmp_path) if line.startswith("!")]

    assert kept == ["!**/.env.example", "!.env.*", "!.env.docker", "!conf/.env"]
