"""A database of ours for production: whether it goes on with the data of development's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sidecar.reading import compose_values
from tests.sidecar.write.test_included import SHOP, WEB
from tests.sidecar.write.test_own_services import generated

PLACE = "/var/lib/postgresql/data"
ACCOUNT = "environment: {POSTGRES_USER: shop, POSTGRES_PASSWORD: a}"


def production(
    root: Path, database: str, top: str = "volumes:\n  pg:\n", jobs: str = "jobs"
) -> tuple[str, Any]:
    """Return the file for production, and its values; the one for development has these lines."""
    own = f"services:\n{WEB}  queue:\n    image: redis:7\n    volumes: [{jobs}:/data]\n"
    own += f"  db:\n    {database}\n{top}  {jobs}:\n"
    generated(root, SHOP, {"compose.yaml": own})
    text = (root / "compose.prod.yaml").read_text()
    return text, compose_values(text)


@pytest.mark.parametrize("given", [ACCOUNT, "environment: ['POSTGRES_USER=${WHO:-shop}']"])
def test_a_database_goes_on_with_its_volume(tmp_path: Path, given: str) -> None:
    own = f"image: postgres:16\n    {given}\n    volumes: ['./i:/init', 'pg:{PLACE}']"

    text, made = production(tmp_path, own)

    assert made["services"]["db"]["volumes"] == [f"pg:{PLACE}"]
    assert "pg" in made["volumes"]
    assert "# db keeps its data on the volume pg" in text


@pytest.mark.parametrize(
    ("database", "top"),
    {
        "another image": (f"image: acme/postgres:16\n    {ACCOUNT}", ""),
        "another account": ("image: postgres:16\n    environment: {POSTGRES_PASSWORD: a}", ""),
        "its files are elsewhere": (
            "image: postgres:16\n    environment: {POSTGRES_USER: a, PGDATA: /x}", ""
        ),
        "nobody knows": (f"image: postgres:16\n    {ACCOUNT}\n    env_file: db.env", ""),
        "another volume": (f"image: postgres:16\n    {ACCOUNT}", "{external: true}"),
    }.values(),
)  # fmt: skip
def test_one_that_cannot_begins_anew_and_says_so(tmp_path: Path, database: str, top: str) -> None:
    own = f"{database}\n    volumes: ['pg:{PLACE}']"

    text, made = production(tmp_path, own, f"volumes:\n  pg: {top}\n")

    assert made["services"]["db"]["volumes"] == [f"db-data:{PLACE}"]
    assert "# db begins without data, on the volume db-data" in text


@pytest.mark.parametrize(
    ("jobs", "volume"), [("jobs", "queue-data"), ("queue-data", "queue-production")]
)
def test_a_redis_that_would_not_read_it_begins_anew(tmp_path: Path, jobs: str, volume: str) -> None:
    """It writes a log, and where that is asked for no snapshot is read."""
    text, made = production(tmp_path, f"image: postgres:16\n    {ACCOUNT}", jobs=jobs)

    assert made["services"]["queue"]["volumes"] == [f"{volume}:/data"]
    assert volume in made["volumes"]
    assert f"# queue begins without data, on the volume {volume}" in text
    assert "# db" not in text, "it kept nothing"
