"""A secret that the project's own file has a default for is no question in that file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import ok
from tests.sidecar.write.test_own_services import generated, services

SHOP = {
    "requirements.txt": "celery[redis]\n",
    "shop.py": "import os\nfrom celery import Celery\n"
    'app = Celery("s", broker=os.environ["REDIS_URL"])\n'
    'key, token = os.environ["SECRET_KEY"], os.environ["API_TOKEN"]\n',
    "Procfile": "worker: celery -A shop worker\n",
    "Dockerfile": "FROM python:3.13\n",
}
FILE = """\
services:
  # not ${API_TOKEN:-this}
  admin: {image: acme/admin, environment: {SECRET_KEY: "${SECRET_KEY:-for-a-desk}"}}
  queue: {image: redis:7, command: 'redis-server --requirepass "%s"'}
"""
KEY = {"SECRET_KEY": "${SECRET_KEY:-for-a-desk}", "API_TOKEN": None}
USUAL = "${PW:?set it in .env}"


@pytest.mark.parametrize(
    ("password", "more", "expected"),
    [
        ("${PW:-localpw}", "", "${PW:-localpw}"),
        ("${PW-localpw}", "", "${PW-localpw}"),
        ("${PW}", "", USUAL),
        ("${PW:?}", "", USUAL),
        ("${PW:-localpw}", "  x: {image: y, environment: {P: '${PW:-other}'}}\n", USUAL),
        ("${PW:-localpw}", "  x: {image: y, environment: {P: $PW}}\n", USUAL),
    ],
)
def test_it_has_the_same_default(password: str, more: str, expected: str, tmp_path: Path) -> None:
    generated(tmp_path, SHOP, {"compose.yaml": FILE % password + more})

    told = services(tmp_path)["worker"]["environment"]
    assert told == {"REDIS_URL": f"redis://:{expected}@queue:6379/0"} | KEY
    production = (tmp_path / "compose.prod.yaml").read_text()
    assert "localpw" not in production
    assert "for-a-desk" not in production
    for what in ("detect", "plan"):
        shown = ok("sidecar", what, str(tmp_path), "--json")
        assert "localpw" not in shown
        assert "for-a-desk" not in shown
