"""What Ruby projects say of their workers, and others of theirs beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import seen

GEMFILE = 'gem "rails"\ngem "good_job"\n'
APPLICATION = (
    "class Application < Rails::Application\nconfig.active_job.queue_adapter = :good_job\nend\n"
)


@pytest.mark.parametrize(
    ("lines", "inside"),
    [
        ("config.good_job.execution_mode = :async\n", True),
        ("config.good_job.execution_mode = :async if Rails.env.development?\n", False),
        ("config.good_job.execution_mode = :async unless Rails.env.production?\n", False),
        (
            "config.good_job.execution_mode = :async if Rails.env.development?\n"
            "config.good_job.execution_mode = :external if Rails.env.production?\n",
            False,
        ),
        (
            "config.good_job.execution_mode = :external if Rails.env.test?\n"
            "config.good_job.execution_mode = :async_server\n",
            True,
        ),
    ],
)
def test_what_is_said_of_development_is_not_how_production_runs(
    tmp_path: Path, lines: str, inside: bool
) -> None:
    files = {
        "Gemfile": GEMFILE,
        "config/application.rb": APPLICATION,
        "config/initializers/good_job.rb": lines,
    }

    found = seen(tmp_path, files)

    assert len(found.embedded) == int(inside)
    assert len(found.units) == int(not inside)


def test_resques_dashboard_alone_has_no_worker(tmp_path: Path) -> None:
    dashboard = {"Gemfile": 'gem "resque"\n', "config.ru": "run Resque::Server.new\n"}
    assert seen(tmp_path, dashboard).units == ()

    found = seen(tmp_path, {"Rakefile": 'require "resque/tasks"\n'})
    assert [each.framework for each in found.units] == ["resque"]


def test_a_worker_of_no_framework_in_an_image_of_others_is_theirs(tmp_path: Path) -> None:
    compose = (
        "services:\n  app:\n    build: docker\n"
        "  traces-worker:\n    image: traces/traces-worker:3\n    command: node worker/index.js\n"
    )
    files = {"package.json": '{"name": "shop", "dependencies": {"express": "4"}}',
             "docker/Dockerfile": "FROM node\n", "compose.yml": compose}  # fmt: skip

    assert seen(tmp_path, files).units == ()


@pytest.mark.parametrize(
    ("gems", "line", "workers"),
    [
        ('gem "sidekiq", "2.17.8"\n', "UserMailer.delay.welcome(id)\n", ["sidekiq"]),
        ('gem "sidekiq", "2.17.8"\n', "UserMailer.delay_for(5.minutes).welcome(id)\n", ["sidekiq"]),
        ('gem "sidekiq", "2.17.8"\n', "UserMailer.welcome(id)\n", []),
        (
            'gem "sidekiq", "2.17.8"\ngem "delayed_job"\n',
            "UserMailer.delay.welcome(id)\n",
            ["delayed_job"],
        ),
    ],
)
def test_what_is_delayed_without_a_class_of_jobs_is_sidekiqs(
    tmp_path: Path, gems: str, line: str, workers: list[str]
) -> None:
    files = {"Gemfile": gems, "app/models/user.rb": line,
             "config/application.rb": "class Application < Rails::Application\nend\n"}  # fmt: skip

    assert [each.framework for each in seen(tmp_path, files).units] == workers
