"""A compiled worker in an image of the project's own: where it lies there, or that it does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values

WORKER = """package main

import "github.com/hibiken/asynq"

func main() {
	srv := asynq.NewServer(asynq.RedisClientOpt{Addr: "redis:6379"}, asynq.Config{})
	srv.Run(asynq.NewServeMux())
}
"""
API = 'package main\n\nimport "net/http"\n\nfunc main() { http.ListenAndServe(":80", nil) }\n'
GO = {
    "go.mod": "module example.com/shop\n\ngo 1.25\n\nrequire github.com/hibiken/asynq v0.25.1\n",
    "cmd/worker/main.go": WORKER,
    "cmd/api/main.go": API,
    "compose.yaml": "services:\n  api: {build: .}\n  redis: {image: 'redis:7'}\n",
}
RUST = {
    "Cargo.toml": '[package]\nname = "shop"\nversion = "0.1.0"\n[dependencies]\napalis = "0.7"\n'
    'apalis-redis = "0.7"\ntokio = "1"\n',
    "src/bin/api.rs": 'fn main() { println!("hello"); }\n',
    "src/bin/worker.rs": "use apalis::prelude::*;\n#[tokio::main]\nasync fn main() {\n"
    "    let storage = apalis_redis::RedisStorage::new(conn);\n"
    '    WorkerBuilder::new("mail").backend(storage).build_fn(send).run().await;\n}\n',
    "compose.yaml": "services:\n  api: {build: .}\n  redis: {image: 'redis:7'}\n",
}
START = "FROM golang:1.25 AS build\nWORKDIR /src\nCOPY . .\n"
RUN = "RUN go build -o /bin/api ./cmd/api"
OWN = "Dockerfile.worker"
"""What is written beside an image that has no worker in it."""


def started(tmp_path: Path, files: dict[str, str]) -> tuple[str, list[str]]:
    """Return which Dockerfile the worker is built from in production, and its command."""
    texts = {path: each.text for path, each in render(make_plan(seen(tmp_path, files))).items()}
    worker: dict[str, Any] = compose_values(texts["compose.prod.yaml"])["services"]["worker"]
    return worker["build"]["dockerfile"], worker.get("entrypoint") or worker["command"]


def of_go(tmp_path: Path, dockerfile: str) -> tuple[str, list[str]]:
    return started(tmp_path, GO | {"Dockerfile": START + dockerfile})


@pytest.mark.parametrize(
    ("dockerfile", "command"),
    [
        # Copied one by one into a directory that no shell looks in.
        (
            f"{RUN} && go build -o /bin/worker ./cmd/worker\nFROM debian:12-slim\n"
            'COPY --from=build /bin/api /bin/worker /app/\nCMD ["/app/api"]\n',
            "/app/worker",
        ),
        # Where it is called something else, in a directory copied as a whole.
        (
            "RUN go build -ldflags '-s -w' -o /out/api ./cmd/api\n"
            "RUN go build -trimpath -o=/out/jobs cmd/worker/main.go\n"
            'FROM scratch\nCOPY --from=build /out /srv\nENTRYPOINT ["/srv/api"]\n',
            "/srv/jobs",
        ),
        # All into one directory, and from there to where every image has its programs.
        (
            "RUN go build -o /out/ ./cmd/api ./cmd/worker\n"
            'FROM debian:12-slim\nCOPY --from=build /out/* /opt/\n'
            "COPY --from=build /out/worker /usr/local/bin/shop-worker\n"
            'CMD ["/opt/api"]\n',
            "shop-worker",
        ),
        # In the stage itself.
        (f"{RUN}\nRUN go build -o bin/worker ./cmd/worker\nCMD /bin/api\n", "/src/bin/worker"),
        # Nothing shows what is made, so that it may be there under its name.
        ('RUN make build\nFROM debian:12-slim\nCOPY --from=build /src/bin /app\nCMD ["/app/api"]\n',
         "worker"),
    ],
)  # fmt: skip
def test_a_program_is_started_where_its_image_has_it(
    tmp_path: Path, dockerfile: str, command: str
) -> None:
    assert of_go(tmp_path, dockerfile) == ("Dockerfile", [command])


@pytest.mark.parametrize(
    "dockerfile",
    [
        f'{RUN}\nFROM debian:12-slim\nCOPY --from=build /bin/api /app/\nCMD ["/app/api"]\n',
        f'{RUN}\nFROM scratch\nCOPY --from=build /bin/api /\nENTRYPOINT ["/api"]\n',
        # It is made there, and left behind.
        f"{RUN} && go build -o /bin/worker ./cmd/worker\nFROM debian:12-slim\n"
        'COPY --from=build /bin/api /usr/local/bin/api\nCMD ["api"]\n',
    ],
)
def test_an_image_without_the_program_is_not_its(tmp_path: Path, dockerfile: str) -> None:
    assert of_go(tmp_path, dockerfile)[0] == OWN


def test_a_program_of_rust_is_known_by_its_file(tmp_path: Path) -> None:
    build = "FROM rust:1.90 AS build\nWORKDIR /src\nCOPY . .\nRUN cargo build --release\n"
    build += "FROM debian:12-slim\nCOPY --from=build /src/target/release/api /srv/api\n"
    both = "COPY --from=build /src/target/release/worker /srv/jobs\n"
    start = 'CMD ["/srv/api"]\n'

    assert started(tmp_path, RUST | {"Dockerfile": build + both + start}) == (
        "Dockerfile", ["/srv/jobs"],
    )  # fmt: skip
    assert started(tmp_path, RUST | {"Dockerfile": build + start})[0] == OWN
