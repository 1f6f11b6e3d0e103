"""Ruby: the gems and their configuration say everything; the commands are the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.detect.manifests import Dependency, Manifests, directory
from stoker.sidecar.detect.source import Inferred, Sources
from stoker.sidecar.detection import Embedded, Evidence
from stoker.sidecar.frameworks import FRAMEWORKS
from stoker.sidecar.project import Project

_ADAPTER = re.compile(r"queue_adapter\s*=\s*:?[\"']?(\w+)|queue_adapter[\s,=]+:(\w+)")
_ADAPTERS = {"good_job": "good_job", "solid_queue": "solid_queue", "sidekiq": "sidekiq",
             "resque": "resque", "delayed_job": "delayed_job", "delayed": "delayed_job",
}  # fmt: skip
_SWITCHED_OFF = re.compile(
    r"""ENV(?:\.fetch)?[\[(]\s*["'](\w+)["'][^=!]*([=!]=)\s*["'](false|0|off)\b"""
)

_SIDEKIQ_JOB = r"include Sidekiq::|< ?(?:ActiveJob|Application)|(?m:^\s*class \w+(?:Job|Worker)\b)"
_EXECUTION_MODE = re.compile(
    r"""execution_mode(?:\s*=>?|:)\s*(ENV\.fetch\([^,\n]+,\s*)?:?["']?(async\w*|inline|external)\b"""
    r"(?!.*\b(?:if\s+Rails\.env\.(?:development|test|local)|unless\s+Rails\.env\.production)\?)"
)
"""How GoodJob runs jobs, where that is not said of development alone."""
_RESQUE_STARTS = ("Rakefile", "config/application.rb", "config/resque-pool.yml")
"""What there is one of where Resque's worker can be started."""
_RESQUE_JOB = r"@queue\b|def self\.(?:queue|perform)|resque/tasks|< ?ApplicationJob|Resque::Worker"


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
    for name in ("sidekiq", "good_job", "solid_queue", "resque", "delayed_job", "faktory"):
        dependency = _gem(manifests, dir, name)
        if dependency is None or not config.uses(name, dependency):
            continue
        reason = config.embedded(name)
        if reason is not None:
            found.embedded.append(Embedded(name, dir, reason[0], (reason[1], dependency.evidence)))
            continue
        words = config.command(name)
        queues, concurrency, evidence = config.queues(name)
        found.inferred.append(Inferred(
            name, "worker", words, dir, "ruby", (*evidence, dependency.evidence), "", queues,
            concurrency, 0.8,
        ))  # fmt: skip
    clock = next(
        (
            p
            for p in ("clock.rb", "config/clock.rb", "lib/clock.rb", "app/clock.rb")
            if config.has(p)
        ),
        None,
    )
    if clock and _gem(manifests, dir, "clockwork"):
        evidence = Evidence(config.path(clock), 1, "", "Clockwork's schedule")
        words = ("bundle", "exec", "clockwork", clock)
        found.inferred.append(Inferred("clockwork", "scheduler", words, dir, "ruby", (evidence,)))


def _gem(manifests: Manifests, dir: str, framework: str) -> Dependency | None:
    names = FRAMEWORKS[framework].packages.get("ruby", ())
    for dependency in manifests.dependencies:
        if dependency.name in names and dependency.dir == dir and not dependency.dev:
            return dependency
    return None


class Config:
    """The configuration files of a Rails application, or of a plain one."""

    def __init__(self, project: Project, dir: str) -> None:
        self.project, self.dir = project, dir

    def path(self, name: str) -> str:
        """Return a path below the package."""
        return name if self.dir == "." else f"{self.dir}/{name}"

    def text(self, name: str) -> str:
        """Return what a file of the package says, without comments."""
        return re.sub(r"^\s*#.*$", "", self.project.text(self.path(name)), flags=re.MULTILINE)

    def has(self, name: str) -> bool:
        """Tell if there is such a file."""
        return self.path(name) in self.project.files

    def _below(self, *dirs: str) -> Iterator[str]:
        for path in self.project.suffixed("rb"):
            if any(
                path.startswith(self.path(f"{dir}/")) for dir in dirs
            ) and not self.project.is_aside(path):
                yield path

    def adapters(self) -> set[str]:
        """Return what Active Job is told to use outside of tests."""
        found: set[str] = set()
        for path in self._below("config", "app/jobs"):
            if path.endswith("environments/test.rb"):
                continue
            text = re.sub(r"^\s*#.*$", "", self.project.text(path), flags=re.MULTILINE)
            found |= {_ADAPTERS[a or b] for a, b in _ADAPTER.findall(text) if (a or b) in _ADAPTERS}
        return found

    def uses(self, name: str, dependency: Dependency) -> bool:
        """Tell if a gem that is there is what jobs are given to."""
        adapters = self.adapters()
        match name:
            case "good_job" | "solid_queue":
                return name in adapters
            case "sidekiq":
                if not dependency.direct:
                    return any(
                        self.has(f"config/{n}") for n in ("sidekiq.yml", "initializers/sidekiq.rb")
                    )
                if "sidekiq" in adapters or any(
                    self.has(f"config/{n}") for n in ("sidekiq.yml", "sidekiq.yml.erb")
                ):
                    return True
                if self.has("config/initializers/sidekiq.rb"):
                    return not self._only_pushes("Sidekiq::Client", _SIDEKIQ_JOB)
                job = r"Sidekiq::(Worker|Job)\b"
                if "delayed_job" not in self.text("Gemfile"):
                    job += r"|\.delay(?:_for|_until)?(?:\(|\.\w)"  # of any class, before Sidekiq 7
                return any(
                    re.search(job, self.project.text(p))
                    for p in self._below("app", "lib", "workers", "jobs")
                ) or (
                    not self.has("config/application.rb")
                    and any(
                        re.search(r"Sidekiq::(Worker|Job)\b", self.project.text(p))
                        for p in self.project.suffixed("rb")
                        if not self.project.is_aside(p)
                    )
                )
            case "delayed_job":
                return dependency.direct and (not adapters or "delayed_job" in adapters)
            case "resque":
                used = not adapters or "resque" in adapters
                if not any(map(self.has, _RESQUE_STARTS)):
                    return False  # its dashboard alone
                return dependency.direct and used and not self._only_pushes("Resque.", _RESQUE_JOB)
            case _:
                return dependency.direct

    def _only_pushes(self, client: str, job: str) -> bool:
        """Tell if jobs are given to a queue, and their classes are all another project's."""
        paths = [*self._below("app", "lib", "config"), *self.project.suffixed("rake")]
        texts = [self.project.text(path) for path in paths]
        return any(client in text for text in texts) and not any(
            re.search(job, text) for text in texts
        )

    def embedded(self, name: str) -> tuple[str, Evidence] | None:
        """Return why a worker runs inside of the web server, and the place that says so."""
        if name == "good_job" and not self.has("bin/good_job"):
            return self._good_job()
        if name == "solid_queue":
            return self._solid_queue()
        if name == "sidekiq":
            for path in self._below("config", "lib/puma"):  # Puma's plug-ins, too
                if re.search(r"^[^#\n]*configure_embed", self.project.text(path), re.M):
                    return "Sidekiq is embedded in the web server", Evidence(
                        path, 0, "configure_embed"
                    )
        return None

    def _solid_queue(self) -> tuple[str, Evidence] | None:
        """Return where Puma is told to run Solid Queue, if it does so in production."""
        for name in ("config/puma.rb", "config/puma/production.rb"):
            text = self.text(name)
            at = re.search(r"^([ \t]*)plugin\s*\(?\s*:solid_queue\b(.*)", text, re.MULTILINE)
            if at is None:
                continue
            around = re.findall(r"^(?:if|unless)\b.*", text[: at.start()], re.M) if at[1] else []
            condition = " ".join((at[2], *around[-1:]))
            line = text.count("\n", 0, at.start()) + 1
            evidence = Evidence(self.path(name), line, at[0].strip())
            off = _SWITCHED_OFF.search(condition)
            if off and (off[2] == "==") == ("unless" in condition):
                if self._given(off[1])[0] != off[3]:
                    return f"Puma's plug-in runs it unless {off[1]} is {off[3]}", evidence
                continue
            if "ENV" not in condition and "Rails.env" not in condition:
                return "Puma's plug-in runs it", evidence
            variable = self._set_variable(condition)
            if variable and "unless" not in condition:
                return f"{variable} is set", evidence
            if variable:
                continue
            if re.search(r"\bif\b.*production|\bunless\b(?!.*production)", condition):
                return "Puma's plug-in runs it in production", evidence
        return None

    def _set_variable(self, condition: str) -> str:
        """Return the variable that a condition asks for, if the deployment sets it."""
        for name, default in re.findall(
            r"""ENV(?:\.fetch)?[\[(]\s*["'](\w+)["'](?:\s*,\s*["']?(\w+))?""", condition
        ):
            if not re.fullmatch(r"(RAILS|RACK|APP)_ENV", name) and (
                default in ("true", "1") or self._given(name)[0] in ("true", "1", "yes", "on")
            ):
                return name
        return ""

    def _given(self, variable: str) -> tuple[str, str]:
        """Return what a deployment gives a variable, in lower case, and the file."""
        value = re.compile(
            rf"""^[^#\n]*\b{variable}["']?(?:\s*[:= ]|\s*\n\s*["']?value["']?:)"""
            r"""\s*["']?(?:\$\{\w+:?-)?(\w+)""",
            re.MULTILINE,
        )
        for path in [
            *self.project.named(".env", ".env.production", "fly.toml", "render.yaml", "app.json"),
            *self.project.matching(
                r"dockerfile.*|(docker-)?compose.*\.ya?ml|deploy.*\.ya?ml|production\.ya?ml"
            ),
        ]:
            found = None if self.project.is_aside(path) else value.search(self.project.text(path))
            if found:
                return found[1].lower(), path
        return "", ""

    def _good_job(self) -> tuple[str, Evidence] | None:
        given, path = self._given("GOOD_JOB_EXECUTION_MODE")
        files = (  # the last that Rails reads is the one that counts
            "config/initializers/good_job.rb",
            "config/environments/production.rb",
            "config/application.rb",
        )
        for name in files:
            text = self.text(name)
            at = _EXECUTION_MODE.search(text)
            mode = given if at and at[1] and given else at[2] if at else ""
            if at and mode.startswith("async"):
                line = text.count("\n", 0, at.start()) + 1
                return f"execution_mode is :{mode}", Evidence(self.path(name), line, at[0])
            if at:
                return None
        if given.startswith("async"):
            return f"GOOD_JOB_EXECUTION_MODE is {given}", Evidence(path, 0)
        return None

    def command(self, name: str) -> tuple[str, ...]:
        """Return how a framework's worker is started here."""
        match name:
            case "sidekiq":
                if self.has("config/sidekiq.yml") or self.has("config/application.rb"):
                    return ("bundle", "exec", "sidekiq")
                entry = self._server()
                return ("bundle", "exec", "sidekiq", *(("-r", f"./{entry}") if entry else ()))
            case "good_job" if self.has("bin/good_job"):
                return ("bin/good_job", "start")
            case "good_job":
                return ("bundle", "exec", "good_job", "start")
            case "solid_queue":
                return (
                    ("bin/jobs",)
                    if self.has("bin/jobs")
                    else ("bundle", "exec", "rake", "solid_queue:start")
                )
            case "resque":
                if self.has("config/resque-pool.yml"):
                    return ("bundle", "exec", "resque-pool")
                return ("bundle", "exec", "rake", "resque:work", "QUEUE=*")
            case "delayed_job":
                return ("bundle", "exec", "rake", "jobs:work")
            case _:
                return ("bundle", "exec", "faktory-worker")

    def _server(self) -> str:
        """Return what a plain program's workers are loaded by: the file that configures them."""
        prefix = self.path("")
        own = [
            path.removeprefix(prefix)
            for path in self.project.suffixed("rb")
            if path.startswith(prefix) and not self.project.is_aside(path)
            and b"Sidekiq.configure_server" in self.project.data(path)
            and re.search(rb"^require_relative", self.project.data(path), re.MULTILINE)
        ]  # fmt: skip
        usual = ("config/environment.rb", "app.rb", "worker.rb", "boot.rb", "config/boot.rb",
                 "environment.rb")  # fmt: skip
        found = filter(self.has, usual)
        return own[0] if len(own) == 1 else next(found, "")

    def queues(
        self, name: str, config: str = ""
    ) -> tuple[tuple[str, ...], int | None, tuple[Evidence, ...]]:
        """Return queues and concurrency as configured, and the places."""
        files = {
            "sidekiq": [config, "config/sidekiq.yml", "config/sidekiq.yml.erb"],
            "solid_queue": ["config/queue.yml", "config/solid_queue.yml"],
            "resque": ["config/resque-pool.yml"],
        }.get(name, [])
        for file in filter(None, files):
            if self.has(file):
                text = self.text(file)
                names = tuple(dict.fromkeys(_yaml_queues(text, name)))
                found = re.search(
                    r"^\s*:?(?:concurrency|threads):\s*(?:<%=.*?(\d+)\s*\)*\s*%>|(\d+))", text, re.M
                )
                count = int(found[1] or found[2]) if found else None
                return names, count, (Evidence(self.path(file), 1, "", "queues"),)
        if name == "good_job":
            for file in (
                "config/initializers/good_job.rb",
                "config/application.rb",
                "config/environments/production.rb",
            ):
                found = re.search(r"max_threads\s*=\s*(?:ENV\S+\s*)?(\d+)", self.text(file))
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
