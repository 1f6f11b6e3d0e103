"""The processes of a Rails application, in containers: what each is told, and how it is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stoker.sidecar.planning import make_plan
from stoker.sidecar.render import TARGETS, render
from tests.sidecar.detect.test_programs import seen
from tests.sidecar.reading import compose_values

GEMS = "gem 'rails'\ngem 'pg'\n"
DATABASE = "production:\n  adapter: postgresql\n"
SIDEKIQ = "Sidekiq.configure_server {{ |c| c.redis = {{ url: ENV['{}'] }} }}\n"


def made(root: Path, files: dict[str, str]) -> dict[str, str]:
    plan = make_plan(seen(root, {"config/database.yml": DATABASE} | files), "shop")
    return {path: file.text for path, file in render(plan, TARGETS).items()}


def with_sidekiq(root: Path, source: str) -> dict[str, str]:
    files = {
        "Gemfile": f"{GEMS}gem 'sidekiq'\n",
        "Procfile": "worker: bundle exec sidekiq\n",
        "config/initializers/sidekiq.rb": source,
    }
    return made(root, files)


def checks(files: dict[str, str]) -> tuple[str, str]:
    """Return the worker's in a compose file, and in Kubernetes."""
    service = compose_values(files["compose.yaml"])["services"]["worker"]
    deployment = yaml.safe_load(files["kubernetes/worker.yaml"])
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    probe: dict[str, Any] = container["livenessProbe"]["exec"]
    return service["healthcheck"]["test"][-1].replace("$$", "$"), probe["command"][-1]


@pytest.mark.parametrize(
    ("source", "address"),
    [
        (SIDEKIQ.format("REDIS_URL"), ""),
        (SIDEKIQ.format("JOBS_REDIS_URL"), 'REDIS_URL="$JOBS_REDIS_URL" '),
        (
            SIDEKIQ.format("SIDEKIQ_REDIS_URL") + "CACHE = Redis.new(url: ENV['REDIS_URL'])\n",
            'REDIS_URL="$SIDEKIQ_REDIS_URL" ',
        ),
    ],
)
def test_sidekiqs_check_asks_the_redis_that_the_worker_has(
    tmp_path: Path, source: str, address: str
) -> None:
    for check in checks(with_sidekiq(tmp_path, source)):
        assert check.startswith(f"{address}bundle exec sidekiqmon processes")


def test_of_two_workers_of_one_application_each_has_all_that_it_needs(tmp_path: Path) -> None:
    files = {
        "Gemfile": f"{GEMS}gem 'sidekiq'\ngem 'delayed_job_active_record'\n",
        "Procfile": "mail: bundle exec sidekiq\nslow: bundle exec rake jobs:work\n",
        "config/initializers/sidekiq.rb": SIDEKIQ.format("REDIS_URL"),
    }

    services = compose_values(made(tmp_path, files)["compose.yaml"])["services"]

    for name in ("mail", "slow"):
        assert {"DATABASE_URL", "REDIS_URL"} <= set(services[name]["environment"])
        assert set(services[name]["depends_on"]) == {"postgres", "redis"}
