"""A worker is not killed before it has waited for its jobs as long as it is told to."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.planning import make_plan
from tests.sidecar.detect.test_programs import seen

RAILS = {"Gemfile": 'gem "rails"\ngem "sidekiq"\n', "config/application.rb": "module Shop\nend\n"}


@pytest.mark.parametrize(
    ("command", "settings", "grace"),
    [
        ("bundle exec sidekiq", {}, 30),
        ("bundle exec sidekiq", {"config/sidekiq.yml": ":concurrency: 5\n:timeout: 55\n"}, 60),
        ("bundle exec sidekiq", {"config/sidekiq.yml": "timeout: 8\n"}, 13),
        (
            "bundle exec sidekiq",
            {"config/sidekiq.yml": "timeout: 8\nproduction:\n  :timeout: 90\n"},
            95,
        ),
        (
            "bundle exec sidekiq",
            {"config/sidekiq.yml": ":timeout: <%= ENV.fetch('SIDEKIQ_TIMEOUT', 40) %>\n"},
            45,
        ),
        ("bundle exec sidekiq -t 70", {"config/sidekiq.yml": ":timeout: 55\n"}, 75),
        ("bundle exec sidekiq -C config/mail.yml", {"config/mail.yml": ":timeout: 300\n"}, 305),
        ("bundle exec sidekiq", {"config/sidekiq.yml": ":timeout: soon\n"}, 30),
    ],
)
def test_sidekiq_is_given_the_time_that_it_is_told(
    tmp_path: Path, command: str, settings: dict[str, str], grace: int
) -> None:
    plan = make_plan(seen(tmp_path, RAILS | settings | {"Procfile": f"worker: {command}\n"}))

    assert [each.stop_grace for each in plan.services] == [grace]
