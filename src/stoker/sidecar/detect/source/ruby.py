"""Ruby: the gems and their configuration say everything; the commands are the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.detect.manifests import Dependency, Manifests, directory
from stoker.sidecar.detect.source import Inferred, Sources
from stoker.sidecar.detect.source.ruby_config import Config
from stoker.sidecar.detect.source.ruby_inside import Version, inside, que_has_command, spawned
from stoker.sidecar.detect.source.ruby_use import uses
from stoker.sidecar.detection import Embedded, Evidence
from stoker.sidecar.frameworks import FRAMEWORKS
from stoker.sidecar.project import Project

_FRAMEWORKS = ("sidekiq", "good_job", "solid_queue", "resque", "delayed_job", "que", "faktory")
_CLOCKS = ("clock.rb", "config/clock.rb", "lib/clock.rb", "app/clock.rb")


def infer(project: Project, manifests: Manifests) -> Sources:
    """Return the workers of every Ruby package that has one."""
    found = Sources()
    for package in manifests.packages:
        if package.language == "ruby" and not project.is_aside(f"{package.dir}/"):
            _infer(project, manifests, package.dir, found)
    return found


def _infer(project: Project, manifests: Manifests, dir: str, found: Sources) -> None:
    if any(
        path.endswith(".gemspec") and directory(path) == dir for path in project.suffixed("gemspec")
    ):
        return  # a gem, not an app
    config = Config(project, dir)
    if config.is_plugin:
        return
    for name in _FRAMEWORKS:
        dependency = _gem(manifests, dir, name)
        if dependency is None or not uses(config, name, dependency):
            continue
        version = _version(manifests, dir, name)
        reason = inside(config, name, version)
        if reason is not None:
            found.embedded.append(Embedded(name, dir, reason[0], (reason[1], dependency.evidence)))
            continue
        words = _command(config, name, version)
        queues, concurrency, evidence = _queues(config, name)
        found.inferred.append(Inferred(
            name, "worker", words, dir, "ruby", (*evidence, dependency.evidence), "", queues,
            concurrency, 0.8,
        ))  # fmt: skip
    clock = next(filter(config.has, _CLOCKS), None)
    if clock and _gem(manifests, dir, "clockwork") and spawned(config, "clockwork") is None:
        evidence = Evidence(config.path(clock), 1, "", "Clockwork's schedule")
        words = ("bundle", "exec", "clockwork", clock)
        found.inferred.append(Inferred("clockwork", "scheduler", words, dir, "ruby", (evidence,)))


def _gem(manifests: Manifests, dir: str, framework: str) -> Dependency | None:
    names = FRAMEWORKS[framework].packages.get("ruby", ())
    for dependency in manifests.dependencies:
        if dependency.name in names and dependency.dir == dir and not dependency.dev:
            return dependency
    return None


def _version(manifests: Manifests, dir: str, gem: str) -> Version:
    """Return the version of a gem: the one in the lock, or else the one that is asked for."""
    own = [each for each in manifests.dependencies if (each.name, each.dir) == (gem, dir)]
    told = next((e.version for e in sorted(own, key=lambda e: e.direct) if e.version), "")
    found = re.search(r"\d{1,9}(?:\.\d{1,9})*", told)
    return tuple(map(int, found[0].split("."))) if found else ()


def _command(config: Config, name: str, version: Version) -> tuple[str, ...]:
    """Return how a framework's worker is started here."""
    match name:
        case "sidekiq":
            if config.has("config/sidekiq.yml") or config.has("config/application.rb"):
                return ("bundle", "exec", "sidekiq")
            entry = _server(config, b"Sidekiq.configure_server")
            return ("bundle", "exec", "sidekiq", *(("-r", f"./{entry}") if entry else ()))
        case "good_job" if config.has("bin/good_job"):
            return ("bin/good_job", "start")
        case "good_job":
            return ("bundle", "exec", "good_job", "start")
        case "solid_queue" if config.has("bin/jobs"):
            return ("bin/jobs",)
        case "solid_queue":
            return ("bundle", "exec", "rake", "solid_queue:start")
        case "resque" if config.has("config/resque-pool.yml"):
            return ("bundle", "exec", "resque-pool")
        case "resque":
            return ("bundle", "exec", "rake", "resque:work", "QUEUE=*")
        case "delayed_job":
            return ("bundle", "exec", "rake", "jobs:work")
        case "que" if que_has_command(version) and not config.has_task("que", "work"):
            loaded = config.has("config/environment.rb")  # by itself
            entry = "" if loaded else _server(config, b"Que.connection")
            return ("bundle", "exec", "que", *((f"./{entry}",) if entry else ()))
        case "que":
            return ("bundle", "exec", "rake", "que:work")
        case _:
            return ("bundle", "exec", "faktory-worker")


def _server(config: Config, sign: bytes) -> str:
    """Return what a plain program's workers are loaded by: the file that configures them."""
    prefix, project = config.path(""), config.project
    own = [
        path.removeprefix(prefix)
        for path in project.suffixed("rb")
        if path.startswith(prefix) and not project.is_aside(path)
        and sign in project.data(path)
        and re.search(rb"^require_relative", project.data(path), re.MULTILINE)
    ]  # fmt: skip
    usual = ("config/environment.rb", "app.rb", "worker.rb", "boot.rb", "config/boot.rb",
             "environment.rb")  # fmt: skip
    return own[0] if len(own) == 1 else next(filter(config.has, usual), "")


def _queues(config: Config, name: str) -> tuple[tuple[str, ...], int | None, tuple[Evidence, ...]]:
    """Return queues and concurrency as configured, and the places."""
    files = {
        "sidekiq": ["config/sidekiq.yml", "config/sidekiq.yml.erb"],
        "solid_queue": ["config/queue.yml", "config/solid_queue.yml"],
        "resque": ["config/resque-pool.yml"],
    }.get(name, [])
    for file in filter(config.has, files):
        text = config.text(file)
        names = tuple(dict.fromkeys(_yaml_queues(text, name)))
        found = re.search(
            r"^\s*:?(?:concurrency|threads):\s*(?:<%=.*?(\d{1,9})\s*\)*\s*%>|(\d{1,9}))", text, re.M
        )
        count = int(found[1] or found[2]) if found else None
        return names, count, (Evidence(config.path(file), 1, "", "queues"),)
    if name == "good_job":
        for file in (
            "config/initializers/good_job.rb",
            "config/application.rb",
            "config/environments/production.rb",
        ):
            found = re.search(r"max_threads\s*=\s*(?:ENV\S+\s*)?(\d{1,9})", config.text(file))
            if found:
                return (), int(found[1]), ()
    return (), None, ()


def _yaml_queues(text: str, name: str) -> Iterator[str]:
    """Yield the names, by the line: these files are templates more often than YAML."""
    if name == "resque":
        for each in re.findall(r"""^\s+["']?([\w*,-]+)["']?\s*:\s*\d+""", text, re.M):
            yield from each.split(",")
        return
    if name == "solid_queue":
        for each in re.findall(r"""queues:\s*(\[[^\]]*\]|["']?[^\n#]+)""", text):
            yield from (
                n.strip(" \"'[]") for n in each.split(",") if n.strip(" \"'[]") and "<%" not in n
            )
        for block in re.findall(r"queues:\s*\n((?:\s+-\s+[^\n]+\n?)+)", text):
            yield from (n.strip(" \"'") for n in re.findall(r"-\s+([^\n]+)", block))
        return
    inside, indent = False, 0
    for line in text.splitlines():
        head = re.match(r"(\s*):?queues:\s*(\[.*)?$", line)
        if head:
            inside, indent = True, len(head[1])
            yield from re.findall(r"[\w*.-]+", head[2] or "")
        elif inside and (item := re.match(r"""\s*-\s*\[?\s*["':]*([\w*.-]+)""", line)):
            yield item[1]
        elif (
            inside
            and line.strip()
            and not line.strip().startswith("<%")
            and len(line) - len(line.lstrip()) <= indent
        ):
            inside = False
