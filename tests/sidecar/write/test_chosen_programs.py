"""A program of Go or Rust is in the image that was built for it, and is started where it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.plan import Plan
from stoker.sidecar.planning import make_plan
from tests.cli.support import ok
from tests.sidecar.reading import compose_values, yaml_documents

WORKS = """package main

import "github.com/hibiken/asynq"

func main() {
	server := asynq.NewServer(asynq.RedisClientOpt{Addr: "redis:6379"}, asynq.Config{})
	server.Run(asynq.NewServeMux())
}
"""
SCHEDULES = """package main

import "github.com/hibiken/asynq"

func main() {
	scheduler := asynq.NewScheduler(asynq.RedisClientOpt{Addr: "redis:6379"}, nil)
	scheduler.Run()
}
"""
COMPOSE = "services:\n  api:\n    build: {context: ., args: {BIN: api}}\n    ports: ['80:80']\n"
PROGRAMS = {
    "go.mod": "module shop\n\ngo 1.25\n\nrequire github.com/hibiken/asynq v0.25.1\n",
    "cmd/api/main.go": 'package main\n\nimport "net/http"\n\n'
    'func main() { http.ListenAndServe(":80", nil) }\n',
    "cmd/worker/main.go": WORKS,
    "cmd/scheduler/main.go": SCHEDULES,
}


def dockerfile(target: str, start: str = 'ENTRYPOINT ["/app"]') -> dict[str, str]:
    text = f"FROM golang:1.25 AS build\nARG BIN=api\nCOPY . .\nRUN go build -o /out/app {target}\n"
    last = f"FROM gcr.io/distroless/static:nonroot\nCOPY --from=build /out/app /app\n{start}\n"
    return {"Dockerfile": text + last}


def put(root: Path, *files: dict[str, str]) -> None:
    for path, text in {path: text for each in files for path, text in each.items()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def planned(root: Path, *files: dict[str, str]) -> Plan:
    put(root, *files)
    return make_plan(detect(root))


def built(plan: Plan) -> dict[str, Any]:
    """Return for each service what it is built from, by what it is told, and what it starts."""
    images = {image.name: image for image in plan.images}
    return {
        each.name: (images[each.image].dockerfile, images[each.image].args, each.command)
        for each in plan.services
    }


@pytest.mark.parametrize(
    ("target", "start"),
    [
        ("./cmd/${BIN}", 'ENTRYPOINT ["/app"]'),
        ("./cmd/$BIN/", 'CMD ["/app"]'),
        ("./cmd/${BIN:-api}/main.go", "ENTRYPOINT /app"),
        ("./cmd/${BIN} && strip /out/app", 'ENTRYPOINT ["docker-entrypoint.sh"]\nCMD ["/app"]'),
    ],
)
@pytest.mark.parametrize("compose", [{"compose.yaml": COMPOSE}, {}])
def test_an_image_is_built_for_each_program_that_an_argument_chooses(
    target: str, start: str, compose: dict[str, str], tmp_path: Path
) -> None:
    assert built(planned(tmp_path, PROGRAMS, dockerfile(target, start), compose)) == {
        "worker": ("Dockerfile", {"BIN": "worker"}, ("/app",)),
        "scheduler": ("Dockerfile", {"BIN": "scheduler"}, ("/app",)),
    }


@pytest.mark.parametrize(
    ("target", "start"),
    [
        ("./apps/${BIN}", 'ENTRYPOINT ["/app"]'),  # no such program is there
        ("./${DIR}/${BIN}", 'ENTRYPOINT ["/app"]'),
        ("./cmd/${BIN}", 'ENTRYPOINT ["/bin/api"]'),  # called by the argument
        ("./cmd/${BIN}", 'ENTRYPOINT ["sh", "-c", "/bin/$BIN"]'),
        ("./cmd/${BIN}", ""),
    ],
)
def test_a_program_has_a_dockerfile_of_its_own_where_that_is_not_sure(
    target: str, start: str, tmp_path: Path
) -> None:
    files = dockerfile(f"{target}", start)
    text = files["Dockerfile"].replace("ARG BIN=api\n", "ARG BIN=api\nARG DIR=cmd\n")

    compose = {"compose.yaml": COMPOSE}
    assert built(planned(tmp_path, PROGRAMS, {"Dockerfile": text}, compose)) == {
        "worker": ("Dockerfile.worker", {}, ("worker",)),
        "scheduler": ("Dockerfile.scheduler", {}, ("scheduler",)),
    }


def test_an_argument_that_chooses_no_program_is_for_every_program(tmp_path: Path) -> None:
    files = dockerfile("-ldflags -X=main.version=${BIN} ./...")

    plan = planned(tmp_path, PROGRAMS, files, {"compose.yaml": COMPOSE})
    assert built(plan) == {
        name: ("Dockerfile", {"BIN": "api"}, (name,)) for name in ("worker", "scheduler")
    }


@pytest.mark.parametrize(
    ("start", "command"),
    [
        ('ENTRYPOINT ["/opt/shop"]', ["/opt/shop", "worker"]),
        ('ENTRYPOINT ["/opt/shop", "serve"]', ["/opt/shop", "worker"]),
        ('ENTRYPOINT ["tini", "--", "/opt/shop"]', ["tini", "--", "/opt/shop", "worker"]),
        ('CMD ["/opt/shop", "serve"]', ["/opt/shop", "worker"]),
    ],
)
@pytest.mark.parametrize("line", ["go run ./cmd/shop worker", "shop worker", "./shop worker"])
def test_a_program_is_started_where_the_image_has_it(
    start: str, command: list[str], line: str, tmp_path: Path
) -> None:
    put(tmp_path, {"go.mod": PROGRAMS["go.mod"], "cmd/shop/main.go": WORKS})
    put(tmp_path, dockerfile("./cmd/shop", start), {"Procfile": f"worker: {line}\n"})
    ok("sidecar", "generate", str(tmp_path), "--target", "all")

    services = compose_values((tmp_path / "compose.prod.yaml").read_text())["services"]
    key = "entrypoint" if start.startswith("ENTRY") else "command"
    assert services["worker"][key] == command
    [pod] = [
        document["spec"]["template"]["spec"]["containers"][0]
        for document in yaml_documents((tmp_path / "kubernetes/worker.yaml").read_text())
        if document["kind"] == "Deployment"
    ]
    assert pod["command" if key == "entrypoint" else "args"] == command


def test_a_program_that_the_image_does_not_start_is_on_its_path(tmp_path: Path) -> None:
    files = dockerfile("./cmd/...", 'CMD ["/opt/other"]')

    assert built(planned(tmp_path, PROGRAMS, files))["worker"][2] == ("worker",)


def test_so_it_is_with_cargo(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "Cargo.toml": '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n\n'
            '[dependencies]\napalis = "0.6"\n',
            "Procfile": "worker: cargo run --release --bin worker -- --once\n",
            "src/bin/worker.rs": "use apalis::prelude::*;\nfn main() {}\n",
            "Dockerfile": "FROM rust:1.90 AS build\nARG BIN=api\nCOPY . .\n"
            "RUN cargo build --release --bin ${BIN} \\\n  && cp target/release/${BIN} /app\n"
            'FROM debian:bookworm-slim\nCOPY --from=build /app /app\nENTRYPOINT ["/app"]\n',
        },
    )

    assert built(make_plan(detect(tmp_path)))["worker"] == (
        "Dockerfile", {"BIN": "worker"}, ("/app", "--once"),
    )  # fmt: skip
