"""A diff shows no secret of a person's, and all else as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.sidecar.write import Change, difference
from stoker.sidecar.write.shown import shown_lines

FILE = """\
services:
  # TOKEN=s3cret
  db: &db
    image: postgres:17
    environment:
      POSTGRES_PASSWORD: app
      DATABASE_URL: postgresql://app:app@db:5432/app
      STORE: "postgresql://shop:s3cret@db/shop" # ours
      API_KEY: ${API_KEY:?set it in .env}
      SETTINGS: '{"password": "s3cret"}'
      PEM: |
        -----BEGIN PRIVATE KEY-----
        s3cret

        -----END PRIVATE KEY-----
    command: [redis-server, --requirepass, s3cret, --save, ""]
    healthcheck:
      test: [CMD, redis-cli, -a, "s3cret", ping]
    secrets:
      - db_password
"""
SHOWN = """\
services:
  # TOKEN=***
  db: &db
    image: postgres:17
    environment:
      POSTGRES_PASSWORD: app
      DATABASE_URL: postgresql://app:app@db:5432/app
      STORE: "postgresql://shop:***@db/shop" # ours
      API_KEY: ${API_KEY:?set it in .env}
      SETTINGS: '{"password": "***"}'
      PEM: |
        ***
        ***

        ***
    command: [redis-server, --requirepass, ***, --save, ""]
    healthcheck:
      test: [CMD, redis-cli, -a, "***", ping]
    secrets:
      - db_password
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_is_shown_line_for_line(end: str) -> None:
    lines = shown_lines("compose.yaml", FILE.replace("\n", end))

    assert lines == SHOWN.replace("\n", end).splitlines(keepends=True)


def test_a_diff_shows_no_line_with_a_secret() -> None:
    change = Change("compose.yaml", "update", FILE, f"{FILE}  web:\n    image: shop:1\n")

    shown = difference(change)

    assert "s3cret" not in difference(Change("compose.yaml", "delete", FILE, None))
    assert shown.endswith(
        '       test: [CMD, redis-cli, -a, "***", ping]\n     secrets:\n       - db_password\n'
        "+  web:\n+    image: shop:1\n"
    )


def test_a_change_of_a_secret_alone_is_one() -> None:
    change = Change("compose.yaml", "update", "PASSWORD: a\n", "PASSWORD: b")

    assert difference(change).endswith(
        "@@ -1 +1 @@\n-PASSWORD: ***\n+PASSWORD: ***\n\\ No newline at end of file\n"
    )


@given(st.text(max_size=200), st.text("ab:-|>\"'&*![]{}#\\ \n\r\t\x0b\x85\u2028s3", max_size=200))
def test_whatever_a_file_holds_it_has_as_many_lines(any_text: str, yaml: str) -> None:
    for text in (any_text, yaml, f"a:\n  token: {yaml}"):
        for path in ("compose.yaml", "Dockerfile"):
            assert len(shown_lines(path, text)) == len(text.splitlines())
