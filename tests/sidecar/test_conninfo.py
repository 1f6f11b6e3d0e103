"""A database's address as libpq's keywords: it is read like a URL, and its password is none's."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.conninfo import as_url
from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import render
from stoker.sidecar.secrets import masked, masked_value
from stoker.sidecar.shown import shown_detection, shown_plan
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values

GO = {
    "go.mod": "module example.com/shop\n\ngo 1.25\n\nrequire (\n"
    "\tgithub.com/hibiken/asynq v0.25.1\n\tgorm.io/driver/postgres v1.6.0\n)\n",
    "cmd/api/main.go": "package main\n\nfunc main() {}\n",
    "cmd/worker/main.go": 'package main\n\nimport (\n\t"os"\n\n\t"github.com/hibiken/asynq"\n'
    '\t"gorm.io/driver/postgres"\n)\n\nfunc main() {\n'
    '\tpostgres.Open(os.Getenv("PG_DSN"))\n'
    '\tsrv := asynq.NewServer(asynq.RedisClientOpt{Addr: os.Getenv("REDIS_ADDR")}, '
    "asynq.Config{})\n\tsrv.Run(asynq.NewServeMux())\n}\n",
}
DOCKERFILE = """FROM golang:1.25
WORKDIR /src
COPY . .
RUN go build -o /bin/ ./cmd/api ./cmd/worker
CMD ["api"]
"""
DSN = "host={host} port=5432 user=shop password=s3cr3t-pw dbname=shop sslmode=disable"
COMPOSE = """services:
  api:
    build: .
    environment:
      PG_DSN: {dsn}
      REDIS_ADDR: redis:6379
  db:
    image: postgres:17
    environment: {{POSTGRES_USER: shop, POSTGRES_PASSWORD: s3cr3t-pw, POSTGRES_DB: shop}}
  redis:
    image: redis:7
"""


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (
            "host=db port=5432 user=shop password=pw dbname=shop TimeZone=Asia/Shanghai",
            "postgresql://shop:pw@db:5432/shop?TimeZone=Asia%2FShanghai",
        ),
        (
            r"host = db user='a shop' password='it\'s \\ 5' dbname=''",
            "postgresql://a%20shop:it%27s%20%5C%205@db",
        ),
        ("host=db dbname=shop", "postgresql://db/shop"),
        # What Compose puts in is put into the URL, spaces and all.
        (
            "host=${HOST:-db} user=shop password=${PW:?say it} dbname=a$$b",
            "postgresql://shop:${PW:?say it}@${HOST:-db}/a$$b",
        ),
        # These are no such text, or have no URL that every driver reads.
        ("host=/var/run/postgresql user=shop", "host=/var/run/postgresql user=shop"),
        ("host=one,two user=shop", "host=one,two user=shop"),
        ("host=db", "host=db"),
        ("the host= of shop", "the host= of shop"),
        ("host=db user='shop", "host=db user='shop"),
        ("postgresql://db/shop?host=x", "postgresql://db/shop?host=x"),
        # A URL may have its account behind the question mark.
        (
            "postgres://db:5432/shop?user=shop&sslmode=disable&password=p%40ss/w",
            "postgres://shop:p%40ss%2Fw@db:5432/shop?sslmode=disable",
        ),
        ("postgresql+psycopg://a:b@db/shop?password=pw", "postgresql+psycopg://a:pw@db/shop"),
        (
            "postgresql://db/shop?user=shop&password=${PW:?a & b}",
            "postgresql://shop:${PW:?a & b}@db/shop",
        ),
        # What stands before it, nobody could tell apart; of others these are something else.
        (
            "postgresql://${HOST:?say it}/shop?user=shop&password=pw",
            "postgresql://${HOST:?say it}/shop?user=shop&password=pw",
        ),
        ("amqp://rabbit/?user=shop&password=pw", "amqp://rabbit/?user=shop&password=pw"),
    ],
)
def test_keywords_are_the_url_that_means_the_same(text: str, url: str) -> None:
    assert as_url(text) == url


def test_many_pairs_take_no_time() -> None:
    assert as_url("host=db " + "a='" * 500) == "host=db " + "a='" * 500


@pytest.mark.parametrize(
    "dsn",
    [
        DSN.format(host="db"),
        f"'{DSN.format(host='db')}'",
        "postgresql://db:5432/shop?user=shop&password=s3cr3t-pw&sslmode=disable",
    ],
)
def test_a_password_in_keywords_is_in_no_file_for_production(tmp_path: Path, dsn: str) -> None:
    found = seen(tmp_path, GO | {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE.format(dsn=dsn)})
    plan = make_plan(found)
    texts = {path: each.text for path, each in render(plan).items()}
    services = compose_values(texts["compose.prod.yaml"])["services"]
    asked = "${POSTGRES_PASSWORD:?set it in .env}"

    assert "s3cr3t" not in texts["compose.prod.yaml"] + texts[".env.example"]
    assert "s3cr3t" not in str(shown_plan(plan)) + str(shown_detection(found))
    assert services["worker"]["environment"]["PG_DSN"] == (
        f"postgresql://shop:{asked}@db:5432/shop?sslmode=disable"
    )
    assert services["db"]["environment"] == {
        "POSTGRES_USER": "shop", "POSTGRES_PASSWORD": asked, "POSTGRES_DB": "shop",
    }  # fmt: skip


def test_a_host_in_keywords_may_be_elsewhere(tmp_path: Path) -> None:
    dsn = DSN.format(host="shop.db.example.com")
    compose = COMPOSE.format(dsn=dsn).replace(
        "  db:\n    image: postgres:17\n", "  other:\n    image: x\n"
    )
    found = seen(tmp_path, GO | {"Dockerfile": DOCKERFILE, "compose.yaml": compose})

    (database,) = [use for use in found.beside if use.kind == "postgres"]
    assert database.outside == "postgresql://shop:app@shop.db.example.com:5432/shop"


def test_a_socket_in_keywords_is_the_operators_to_say(tmp_path: Path) -> None:
    dsn = DSN.format(host="/run/postgresql")
    files = GO | {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE.format(dsn=dsn)}
    texts = {path: each.text for path, each in render(make_plan(seen(tmp_path, files))).items()}

    assert "s3cr3t" not in texts["compose.prod.yaml"] + texts[".env.example"]


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://shop:s3cr3t-pw@db:5432/shop?sslpassword=s3cr3t-too",
        "postgresql://${HOST:-db}/shop?user=shop&password=s3cr3t-pw",
    ],
)
def test_an_address_with_a_secret_in_another_place_is_asked_for_as_a_whole(
    tmp_path: Path, dsn: str
) -> None:
    files = GO | {"Dockerfile": DOCKERFILE, "compose.yaml": COMPOSE.format(dsn=dsn)}
    text = render(make_plan(seen(tmp_path, files)))["compose.prod.yaml"].text

    assert "s3cr3t" not in text
    environment = compose_values(text)["services"]["worker"]["environment"]
    assert environment["PG_DSN"] == "${PG_DSN:?set it in .env}"


@pytest.mark.parametrize("before", ["", "jdbc:oracle:thin:"])
def test_a_login_of_oracle_is_not_shown(before: str) -> None:
    login = f"{before}shop/s3cr3t-pw@//db:1521/shop"

    assert masked_value("DB_URL", login) == f"{before}shop/***@//db:1521/shop"
    assert "s3cr3t" not in masked(f'connect("{login}")')
    assert masked("src/shop/x@//y and https://a/b@//c") == "src/shop/x@//y and https://a/b@//c"


def test_a_login_of_go_is_not_shown() -> None:
    login = "shop:s3cr3t-pw@tcp(db:3306)/shop?parseTime=true"

    assert masked_value("DB_URL", login) == "shop:***@tcp(db:3306)/shop?parseTime=true"
    assert "s3cr3t" not in masked(f'db, err := sql.Open("mysql", "{login}")')
