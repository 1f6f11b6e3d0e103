"""Ruby: whether a gem for jobs that is there is what jobs are given to."""

from __future__ import annotations

import re

from stoker.sidecar.detect.manifests import Dependency
from stoker.sidecar.detect.source.ruby_config import Config
from stoker.sidecar.detect.source.ruby_inside import tells_good_job

_TABLES = {
    "delayed_job": "delayed_jobs", "good_job": "good_jobs", "que": "que_jobs|Que.migrate!",
    "solid_queue": "solid_queue_jobs",
}  # fmt: skip
"""Where jobs are kept in the application's database: without the table there are none."""
_SIDEKIQ_CLASS = r"""(?<![\w:'"])(?:::)?Sidekiq::(?:Worker|Job|IterableJob)\b"""
"""A name in a string, or one that ends so, is another program's class."""
_SIDEKIQ_JOB = r"include Sidekiq::|< ?(?:ActiveJob|Application)|(?m:^\s*class \w+(?:Job|Worker)\b)"
_DELAYED = r"\.delay(?:_for|_until)?(?:\(|\.\w)"
"""A method of any class, before Sidekiq 7; delayed_job has the same."""
_RESQUE_STARTS = ("Rakefile", "config/application.rb", "config/resque-pool.yml")
"""What there is one of where Resque's worker can be started."""
_RESQUE_JOB = r"@queue\b|def self\.(?:queue|perform)|resque/tasks|< ?ApplicationJob|Resque::Worker"

_GIVEN_TO_RESQUE = (
    r"\bResque(?:\.(?:enqueue|push|after|before)|::(?:Job|Plugins)\b)|"
    r"""resque/(?:\w+/)*tasks|["']resque[-_/](?:pool|scheduler)\b"""
)


def uses(config: Config, name: str, dependency: Dependency) -> bool:
    """Tell if a gem that is there is what jobs are given to."""
    adapters = config.adapters()
    if name in _TABLES and config.lacks(_TABLES[name]):
        return False
    match name:
        case "good_job":
            return name in adapters or (not adapters and tells_good_job(config))
        case "solid_queue":
            return name in adapters
        case "que":
            used = r"\bQue(?:::|\.)\w"
            return (
                name in adapters
                or _has_in(config, used, "app", "lib", "config")
                or _has_anywhere(config, used)
            )
        case "sidekiq":
            return _uses_sidekiq(config, dependency, adapters)
        case "delayed_job":
            return dependency.direct and (not adapters or "delayed_job" in adapters)
        case "resque":
            used = "resque" in adapters or (not adapters and _has_jobs_of_resque(config))
            if not any(map(config.has, _RESQUE_STARTS)):
                return False  # its dashboard alone
            return dependency.direct and used and not _only_pushes(config, "Resque.", _RESQUE_JOB)
        case _:
            return dependency.direct


def _has_jobs_of_resque(config: Config) -> bool:
    """Tell if anything gives jobs to Resque, is one, or has its tasks loaded."""
    paths = [*config.project.suffixed("rb", "rake"), *config.project.named("Rakefile")]
    given = re.compile(f"{_RESQUE_JOB}|{_GIVEN_TO_RESQUE}")
    return config.has("config/resque-pool.yml") or any(
        given.search(config.said(path)) for path in paths if not config.project.is_aside(path)
    )


def _uses_sidekiq(config: Config, dependency: Dependency, adapters: set[str]) -> bool:
    settings = any(map(config.says, ("config/sidekiq.yml", "config/sidekiq.yml.erb")))
    initializer = config.says("config/initializers/sidekiq.rb")
    if not dependency.direct:
        return settings or initializer
    if "sidekiq" in adapters or (settings and not adapters):
        return True
    if initializer and not adapters:
        return not _only_pushes(config, "Sidekiq::Client", _SIDEKIQ_JOB)
    delayed = "" if "delayed_job" in config.text("Gemfile") else f"|{_DELAYED}"
    if _has_in(config, _SIDEKIQ_CLASS + delayed, "app", "lib", "workers", "jobs"):
        return not _only_pushes(config, "Sidekiq::Client", _SIDEKIQ_JOB)
    return _has_anywhere(config, _SIDEKIQ_CLASS)


def _has_anywhere(config: Config, pattern: str) -> bool:
    """Tell if a file of a program that is none of Rails' has what a pattern finds."""
    return not config.has("config/application.rb") and any(
        re.search(pattern, config.project.text(path))
        for path in config.project.suffixed("rb")
        if not config.project.is_aside(path)
    )


def _has_in(config: Config, pattern: str, *dirs: str) -> bool:
    """Tell if a file below some directories has what a pattern finds."""
    found = re.compile(pattern)
    return any(found.search(config.project.text(path)) for path in config.below(*dirs))


def _only_pushes(config: Config, client: str, job: str) -> bool:
    """Tell if jobs are given to a queue, and their classes are all another project's."""
    paths = [*config.below("app", "lib", "config"), *config.project.suffixed("rake")]
    texts = [config.project.text(path) for path in paths]
    return any(client in text for text in texts) and not any(re.search(job, text) for text in texts)
