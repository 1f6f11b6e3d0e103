"""What can be set from outside, by the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote


@dataclass(frozen=True)
class Settings:
    """Where things are kept: by default all of them in one folder."""

    database_url: str
    """``DEPOT_DATABASE_URL``: any that SQLAlchemy has a driver for."""
    store_url: str
    """``DEPOT_STORE_URL``: a folder, or an object store such as ``s3://bucket/depot``."""
    broker_url: str
    """``STOKER_URL``."""

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Self:
        """Read the environment; ``DEPOT_HOME`` is the folder for whatever it leaves open."""
        home = Path(env.get("DEPOT_HOME", "depot-data"))
        return cls(
            database_url=env.get("DEPOT_DATABASE_URL", f"sqlite:///{home}/depot.db"),
            store_url=env.get("DEPOT_STORE_URL", f"{home}/store"),
            broker_url=env.get("STOKER_URL", f"sqlite:///{quote(str(home))}/jobs.db"),
        )


settings = Settings.of(os.environ)
