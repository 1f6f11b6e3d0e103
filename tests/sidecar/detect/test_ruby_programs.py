"""What Ruby projects say of their workers, and others of theirs beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sidecar.detect.test_programs import seen

GEMFILE = 'gem "rails"\ngem "good_job"\n'
MODE = "config.good_job.execution_mode"
APPLICATION = (
    "class Application < Rails::Application\nconfig.active_job.queue_adapter = :good_job\nend\n"
)


def test_what_holds_while_an_image_is_built_does_not_hold_in_production(tmp_path: Path) -> None:
    files = {
        "Gemfile": 'gem "rails"\ngem "que", "0.14.3"\n',
        "config/application.rb": "",
        "config/initializers/que.rb": "if ENV['BUILDING'].blank?\n  Que.mode = :async\nend\n",
        "Dockerfile": "FROM ruby\nRUN bundle exec rake assets:precompile BUILDING=1\n",
    }

    assert [each.framework for each in seen(tmp_path, files).embedded] == ["que"]


@pytest.mark.parametrize(
    ("lines", "inside"),
    [
        ("config.good_job.execution_mode = :async\n", True),
        ("config.good_job.execution_mode = :async if Rails.env.development?\n", False),
        ("config.good_job.execution_mode = :async unless Rails.env.production?\n", False),
        (f"{MODE} = Rails.env.production? ? :async : :external\n", True),
        (f"{MODE} = (Rails.env.development? ? :async : :external)\n", False),
        (f"{MODE} = ENV.fetch('GOOD_JOB_EXECUTION_MODE') {{ :async }}\n", True),
        (f"{MODE} = ENV['GOOD_JOB_EXECUTION_MODE']&.to_sym || :async\n", True),
        (f"{MODE} = (ENV['GOOD_JOB_EXECUTION_MODE'] || 'external').to_sym\n", False),
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


RAILS = {"config/application.rb": "class Application < Rails::Application\nend\n"}
QUE = {
    "Gemfile": 'gem "que"\n',
    "config/application.rb": "config.active_job.queue_adapter = :que\n",
}


def locked(*gems: str) -> str:
    return "GEM\n  specs:\n" + "".join(f"    {gem}\n" for gem in gems)


@pytest.mark.parametrize(
    ("version", "initializer", "command"),
    [
        ("2.4.1", "", "bundle exec que"),
        ("0.14.3", "", "bundle exec que"),
        ("0.14.3", "Que.mode = :async\n", ""),
        ("0.14.3", "Que.mode = :async if Rails.env.development?\n", "bundle exec que"),
        ("0.10.0", "", ""),
        ("0.10.0", "Que.mode = :off\n", "bundle exec rake que:work"),
    ],
)
def test_que_works_apart_unless_its_version_and_mode_say_otherwise(
    tmp_path: Path, version: str, initializer: str, command: str
) -> None:
    more = {"Gemfile.lock": locked(f"que ({version})"), "config/initializers/que.rb": initializer}

    found = seen(tmp_path, QUE | more)

    assert [" ".join(each.command) for each in found.units] == ([command] if command else [])
    assert [each.framework for each in found.embedded] == ([] if command else ["que"])
    assert found.brokers == ("postgres",)


@pytest.mark.parametrize(
    ("lines", "inside"),
    [
        ("Que.mode = :async\n", True),
        ("if Rails.env.development?\n  Que.mode = :async\nend\n", False),
        ("unless Rails.env.production?\n  Que.mode = :async\nend\n", False),
        ("if Rails.env.production?\n  Que.mode = :async\nend\n", True),
        ("if Rails.env.test?\n  Que.mode = :sync\nelse\n  Que.mode = :async\nend\n", True),
        ("if Rails.env.production?\n  x\nelse\n  Que.mode = :async\nend\n", False),
        ("if Rails.env.production?\n  x\nend\nQue.mode = :async\n", True),
        ("if !Rails.env.production?\n  run do\n    Que.mode = :async\n  end\nend\n", False),
        ('if ENV["RAILS_ENV"] == "production"\n  Que.mode = :async\nend\n', True),
        ('if ENV.fetch("RAILS_ENV", "production") == "test"\n  Que.mode = :async\nend\n', False),
        ("case Rails.env\nwhen 'test'\n  Que.mode = :sync\nwhen 'development'\n"
         "  Que.mode = :async\nend\n", False),
        ("case Rails.env\nwhen 'test'\n  Que.mode = :sync\nwhen 'production'\n"
         "  Que.mode = :async\nend\n", True),
        ('Que.mode = :async if ENV["QUE_INLINE"]\n', False),
        ('Que.mode = :async unless ENV["QUE_APART"]\n', True),
        ('Que.mode = :async if Rails.env.production? && ENV["QUE_INLINE"]\n', False),
        ("Que.mode = :async if defined?(Rails::Server)\n", True),
        ("Que.mode = Rails.env.production? ? :off : :async\n", False),
        ("Que.mode = Rails.env.development? ? :off : :async\n", True),
        ('Que.mode = (ENV["que_mode"] || :async).to_sym\n', True),
        ('Que.mode = ENV.fetch("QUE_MODE", "off").to_sym\n', False),
        ('Que.mode = ENV.fetch("QUE_MODE") { :async }\n', True),
        ("Que.mode = :sync if Rails.env.test?\nQue.mode = :async\n", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["config/initializers/que.rb", "unicorn.rb"])
def test_ques_mode_is_the_one_that_its_conditions_leave_to_production(
    tmp_path: Path, path: str, lines: str, inside: bool
) -> None:
    found = seen(tmp_path, QUE | {"Gemfile.lock": locked("que (0.14.3)"), path: lines})

    assert (len(found.embedded), len(found.units)) == (int(inside), int(not inside))


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("good_job", f"  {MODE} = :async\n"),
        ("sidekiq", "  Sidekiq.configure_embed { |config| config.queues = %w[mail] }\n"),
        ("sidekiq", '  spawn("bundle exec sidekiq")\n'),
    ],
)
@pytest.mark.parametrize(
    ("around", "inside"),
    [("if Rails.env.development?", False), ("if Rails.env.production?", True),
     ('if ENV["WORK_INSIDE"] == "true"', False)],
)  # fmt: skip
def test_what_a_block_keeps_to_development_is_not_how_production_runs(
    tmp_path: Path, name: str, lines: str, around: str, inside: bool
) -> None:
    files = {
        "Gemfile": f'gem "rails"\ngem "{name}"\n',
        "config/application.rb": APPLICATION.replace("good_job", name),
        "config/puma.rb" if name == "sidekiq" else "config/initializers/good_job.rb":
            f"{around}\n{lines}end\n",
    }  # fmt: skip

    found = seen(tmp_path, files)
    assert (len(found.embedded), len(found.units)) == (int(inside), int(not inside))

    assert len(seen(tmp_path, {".env.production": "WORK_INSIDE=true\n"}).embedded) == int(
        inside or "ENV" in around
    )


TASK = "namespace :%s do\n  task :environment\n  task :work => :environment do\n  end\nend\n"
PLAIN = {
    "Gemfile": 'gem "que"\n', "Gemfile.lock": locked("que (0.11.5)"),
    "apps/main/mail.rb": "class Mail < Que::Job\nend\n",
}  # fmt: skip


@pytest.mark.parametrize(
    ("added", "command"),
    [
        ({}, "bundle exec que"),
        ({"lib/tasks/que.rake": TASK % "que"}, "bundle exec rake que:work"),
        ({"lib/tasks/que.rake": TASK % "cache"}, "bundle exec que"),
        ({"app.rb": "Que.connection = DB\n"}, "bundle exec que ./app.rb"),
        (
            {"core/boot.rb": 'require_relative "db"\nQue.connection = DB\n'},
            "bundle exec que ./core/boot.rb",
        ),
        ({"app.rb": "", "config/environment.rb": "Que.connection = DB\n"}, "bundle exec que"),
    ],
)
def test_without_rails_que_is_told_what_to_load_or_a_task_does_it(
    tmp_path: Path, added: dict[str, str], command: str
) -> None:
    found = seen(tmp_path, PLAIN | added)

    assert [" ".join(each.command) for each in found.units] == [command]


def test_what_lies_beside_rails_own_directories_does_not_use_que(tmp_path: Path) -> None:
    assert seen(tmp_path, PLAIN | RAILS).units == ()


@pytest.mark.parametrize(
    ("rake", "procfile", "workers"),
    [
        (TASK % "sqs", "sqs: bundle exec rake sqs:work\n", ["bundle exec rake sqs:work"]),
        (TASK % "sqs", "sqs: bin/rails feed:sqs:work\n", ["bin/rails feed:sqs:work"]),
        (TASK % "mail", "sqs: bundle exec rake sqs:work\n", []),
        (TASK.replace(":work", ":sync") % "sqs", "sqs: bundle exec rake sqs:sync\n", []),
        (TASK % "sqs", "release: bundle exec rake sqs:work\n", []),
    ],
)
def test_a_process_for_a_task_of_the_project_s_own_works_beside_the_framework_s(
    tmp_path: Path, rake: str, procfile: str, workers: list[str]
) -> None:
    files = {"lib/tasks/own.rake": rake, "Procfile": f"worker: bundle exec que\n{procfile}"}

    found = seen(tmp_path, QUE | files)

    assert [" ".join(unit.command) for unit in found.units] == ["bundle exec que", *workers]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("init.rb", 'require "redmine"\nRedmine::Plugin.register :mail do\nend\n'),
        ("plugin.rb", "# frozen_string_literal: true\n\n# name: mail\n# about: sends it\n"),
    ],
)
def test_a_part_that_another_program_loads_has_no_worker_itself(
    tmp_path: Path, name: str, text: str
) -> None:
    files = {"Gemfile": 'gem "sidekiq"\n', "config/sidekiq.yml": ":queues:\n  - mail\n"}
    assert len(seen(tmp_path, files).units) == 1

    assert seen(tmp_path, {name: text}).units == ()


@pytest.mark.parametrize(("mode", "units"), [("async", 0), ("external", 1)])
def test_a_script_that_nothing_names_does_not_double_what_the_server_does(
    tmp_path: Path, mode: str, units: int
) -> None:
    files = {
        "Gemfile": GEMFILE,
        "config/application.rb": APPLICATION,
        "config/environments/production.rb": f"config.good_job.execution_mode = :{mode}\n",
        "bin/monitor.sh": "#!/bin/bash\nbundle exec good_job start &\n",
    }

    assert len(seen(tmp_path, files).units) == units

    deployed = {"Procfile": "web: bin/rails server\nworker: bundle exec good_job start\n"}
    assert len(seen(tmp_path, deployed).units) == 1


def test_ques_command_is_read_with_its_queues(tmp_path: Path) -> None:
    found = seen(tmp_path, QUE | {"Procfile": "worker: que -q default -q mail -w 2\n"})

    [unit] = found.units
    assert (unit.queues, unit.concurrency) == (("default", "mail"), 2)


@pytest.mark.parametrize(("table", "workers"), [("users", 0), ("delayed_jobs", 1)])
def test_jobs_are_not_kept_in_a_table_that_the_database_has_not(
    tmp_path: Path, table: str, workers: int
) -> None:
    files = RAILS | {
        "Gemfile": 'gem "delayed_job_active_record"\n',
        "db/schema.rb": f'create_table "{table}" do |t|\nend\n',
    }

    assert len(seen(tmp_path, files).units) == workers


@pytest.mark.parametrize(("initializer", "workers"), [("# ", 0), ("", 1)])
def test_an_initializer_of_comments_alone_sets_nothing_up(
    tmp_path: Path, initializer: str, workers: int
) -> None:
    line = f"{initializer}Sidekiq.configure_server {{ |config| config.redis = redis }}\n"
    files = RAILS | {"Gemfile.lock": locked("sidekiq (6.5.1)"), "Gemfile": 'gem "rails"\n'}

    found = seen(tmp_path, files | {"config/initializers/sidekiq.rb": line})

    assert len(found.units) == workers


@pytest.mark.parametrize(
    ("line", "workers"),
    [
        ("""Sidekiq::Client.push("class" => "Mail::Sidekiq::Worker", "args" => [])\n""", 0),
        ("class Hub::Sidekiq::Worker; end\n", 0),
        ("include ::Sidekiq::Worker\n", 1),
    ],
)
def test_what_is_pushed_by_a_name_is_another_programs_job(
    tmp_path: Path, line: str, workers: int
) -> None:
    files = RAILS | {"Gemfile": 'gem "sidekiq"\n', "app/services/mail.rb": line}

    assert len(seen(tmp_path, files).units) == workers


def test_a_process_of_a_gem_that_the_lock_has_not_is_left_over(tmp_path: Path) -> None:
    files = RAILS | {"Gemfile": 'gem "rails"\n', "Procfile": "worker: bundle exec sidekiq\n"}

    assert seen(tmp_path / "old", files | {"Gemfile.lock": locked("rails (7.1)")}).units == ()
    engine = locked("rails (7.1)", "sidekiq (7.2.0)")
    assert len(seen(tmp_path / "new", files | {"Gemfile.lock": engine}).units) == 1


def test_who_tells_good_job_how_to_run_uses_it(tmp_path: Path) -> None:
    mode = "Rails.application.configure { config.good_job.execution_mode = :async }\n"
    files = RAILS | {"Gemfile": 'gem "good_job"\n', "config/initializers/good_job.rb": mode}

    assert [each.framework for each in seen(tmp_path, files).embedded] == ["good_job"]


@pytest.mark.parametrize(
    ("more", "inside"),
    [
        ({}, False),
        ({"Procfile": "web: bundle exec puma\n"}, True),
        ({"Procfile": "web: bundle exec puma\n", "bin/jobs": "#!/usr/bin/env ruby\n"}, False),
    ],
)
def test_where_only_the_web_is_deployed_pumas_plugin_is_how_jobs_run(
    tmp_path: Path, more: dict[str, str], inside: bool
) -> None:
    files = {
        "Gemfile": 'gem "solid_queue"\n',
        "config/application.rb": "config.active_job.queue_adapter = :solid_queue\n",
        "config/puma.rb": 'plugin :solid_queue if ENV["SOLID_QUEUE_IN_PUMA"]\n',
    }

    found = seen(tmp_path, files | more)

    assert (len(found.embedded), len(found.units)) == (int(inside), int(not inside))


def test_all_queues_are_as_good_as_none_named(tmp_path: Path) -> None:
    readme = "```\nQUEUE=* bundle exec rake resque:work\nbundle exec resque-pool -d\n```\n"
    files = RAILS | {"Gemfile": 'gem "resque-pool"\n', "README.md": readme}

    [unit] = seen(tmp_path, files).units
    assert unit.alternatives


@pytest.mark.parametrize(
    ("line", "inside"),
    [
        ('@worker ||= spawn("bundle exec sidekiq -c 2")', True),
        ("system 'bundle exec sidekiq &'", True),
        ('@worker ||= spawn("bundle exec sidekiq") if Rails.env.development?', False),
        ('# @worker ||= spawn("bundle exec sidekiq -c 2")', False),
        ('@tail ||= spawn("tail -f log/sidekiq.log")', False),
    ],
)
def test_what_the_web_server_spawns_is_not_started_once_more(
    tmp_path: Path, line: str, inside: bool
) -> None:
    files = RAILS | {
        "Gemfile": 'gem "sidekiq"\n',
        "app/workers/sweep.rb": "class Sweep\n  include Sidekiq::Worker\nend\n",
        "Procfile": "web: bundle exec unicorn -c config/unicorn.rb\n",
        "config/unicorn.rb": f"before_fork do |server, worker|\n  {line}\nend\n",
    }

    found = seen(tmp_path, files)

    assert (len(found.embedded), len(found.units)) == (int(inside), int(not inside))


def test_a_clock_that_the_web_server_spawns_ticks_already(tmp_path: Path) -> None:
    files = RAILS | {
        "Gemfile": 'gem "delayed_job_active_record"\ngem "clockwork"\n',
        "clock.rb": "every(1.day, 'sweep') { Sweep.perform_later }\n",
        "unicorn.rb": 'before_fork { spawn("bundle exec rake jobs:work") }\n'
        'before_fork { spawn("bundle exec clockwork clock.rb") }\n',
    }

    found = seen(tmp_path, files)

    assert ([each.framework for each in found.embedded], found.units) == (["delayed_job"], ())


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("config.ru", "spawn(\"RACK_ENV=#{ENV['RACK_ENV']} bundle exec sidekiq -c 1\")\n"),
        ("config/initializers/inside.rb", "Thread.new { Sidekiq::CLI.instance.run }\n"),
    ],
)
def test_a_worker_in_the_servers_own_process_is_not_started_once_more(
    tmp_path: Path, path: str, text: str
) -> None:
    work = {"app/workers/sweep.rb": "class Sweep\n  include Sidekiq::Worker\nend\n"}

    found = seen(tmp_path, RAILS | work | {"Gemfile": 'gem "sidekiq"\n', path: text})

    assert ([each.framework for each in found.embedded], found.units) == (["sidekiq"], ())


SIDEKIQ = RAILS | {
    "Gemfile": 'gem "sidekiq"\n',
    "app/workers/sweep.rb": "include Sidekiq::Worker\n",
}


@pytest.mark.parametrize(
    ("start", "path", "text", "command"),
    [
        ("bin/jobs", "bin/jobs", 'exec "bundle exec sidekiq -c 1 -q poll"\n', "bin/jobs"),
        ("./bin/work", "bin/work", 'exec("bundle", "exec", "sidekiq", "-q", "poll")\n',
         "./bin/work"),
        ("bin/work", "bin/work", "Kernel.exec(ENV, 'sidekiq', '-q', 'poll')\n", "bin/work"),
        ("ruby lib/work", "lib/work", "system 'bundle exec sidekiq -q poll'\n",
         "ruby lib/work"),
        ("bin/work", "bin/work", '# exec "bundle exec sidekiq -q poll"\n', "bundle exec sidekiq"),
        ("bin/all", "bin/all", 'spawn "sidekiq -q poll"\nexec "rails server"\n',
         "bundle exec sidekiq"),
    ],
)  # fmt: skip
def test_a_script_of_ruby_is_the_worker_that_it_comes_to(
    tmp_path: Path, start: str, path: str, text: str, command: str
) -> None:
    files = {
        path: f"#!/usr/bin/env ruby\nPoll.perform_later\n{text}",
        "Procfile": f"poll: {start}\n",
    }

    [unit] = seen(tmp_path, SIDEKIQ | files).units

    assert (unit.framework, " ".join(unit.command)) == ("sidekiq", command)
    assert unit.queues == (() if command == "bundle exec sidekiq" else ("poll",))


PERFORMS = "class Mail\n  @queue = :mail\n  def self.perform(id); end\nend\n"


@pytest.mark.parametrize(
    ("path", "text", "workers"),
    [
        ("config/routes.rb", 'require "resque_web"\nmount ResqueWeb::Engine => "/jobs"\n', 0),
        ("lib/tasks/resque.rake", '# require "resque/tasks"\n', 0),
        ("lib/tasks/resque.rake", 'require "resque/tasks"\n', 1),
        ("lib/tasks/resque.rake", 'require "resque/scheduler/tasks"\n', 1),
        ("app/jobs/mail.rb", PERFORMS, 1),
        ("app/models/user.rb", "Resque.enqueue(Mail, id)\n", 0),
        ("config/application.rb", "config.active_job.queue_adapter = :resque\n", 1),
    ],
)
def test_who_gives_resque_no_jobs_has_no_worker_of_it(
    tmp_path: Path, path: str, text: str, workers: int
) -> None:
    found = seen(tmp_path, RAILS | {"Gemfile": 'gem "resque"\n', "Rakefile": "", path: text})

    assert len(found.units) == workers


@pytest.mark.parametrize(
    ("production", "more", "workers"),
    [
        ("config.active_job.queue_adapter = :solid_queue\n", {}, ["solid_queue"]),
        (
            "config.active_job.queue_adapter = :solid_queue\n",
            {"app/workers/mail.rb": "include Sidekiq::Worker\n"},
            ["solid_queue", "sidekiq"],
        ),
        ("# config.active_job.queue_adapter = :solid_queue\n", {}, ["sidekiq"]),
    ],
)
def test_the_adapter_of_development_is_none_where_production_has_its_own(
    tmp_path: Path, production: str, more: dict[str, str], workers: list[str]
) -> None:
    files = RAILS | {
        "Gemfile": 'gem "sidekiq"\ngem "solid_queue"\n',
        "config/sidekiq.yml": ":queues: [default]\n",
        "config/initializers/sidekiq.rb": "Sidekiq.configure_server { |config| }\n",
        "config/environments/development.rb": "config.active_job.queue_adapter = :sidekiq\n",
        "config/environments/production.rb": production,
    }

    units = seen(tmp_path, files | more).units

    assert {each.framework for each in units} == set(workers)
