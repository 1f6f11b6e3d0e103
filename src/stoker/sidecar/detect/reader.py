"""From what is written down to candidates: the commands that start a worker of the project."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detect.candidates import Candidate
from stoker.sidecar.detect.custom import Custom
from stoker.sidecar.detect.expand import Expander, Start
from stoker.sidecar.detect.grammar import Launch, listed, recognise
from stoker.sidecar.detect.likelihood import BY_MODULE, TELLING, Likelihood
from stoker.sidecar.detect.manifests import Manifests, directory
from stoker.sidecar.detect.shell import as_shell, split
from stoker.sidecar.detect.source import Program
from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detect.source.python_aliases import origin
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.ruby_programs import executed
from stoker.sidecar.detect.watchers import is_dev, unwatched
from stoker.sidecar.detect.written import Written
from stoker.sidecar.detection import Evidence, Language
from stoker.sidecar.frameworks import FRAMEWORKS
from stoker.sidecar.project import Project


class Reader:
    """Turns what is written into candidates."""

    def __init__(
        self, project: Project, manifests: Manifests, python: PythonSource, node: NodeSource,
        programs: dict[Language, Program],
    ) -> None:  # fmt: skip
        self.project, self.manifests, self.python, self.node = project, manifests, python, node
        self.expander = Expander(project, manifests)
        self.programs = programs
        self.custom = Custom(python, node)
        self.likelihood = Likelihood(project, manifests, python)

    def read(self, written: Written) -> list[Candidate]:
        """Return the candidates of one place; those of its first line that has any."""
        for line in written.lines:
            starts = list(self.expander.starts(line, written.dir, written.dockerfile))
            found = [_with_runner(each, line) for each in self._candidates(written, starts)]
            if found:
                return found
        return []

    def _candidates(self, written: Written, starts: list[Start]) -> Iterator[Candidate]:
        called = written.source in _PROCESSES and _WORKER.search(written.name) is not None
        for each in starts:
            environment = written.environment | each.step.environment
            told = any(map(_WORKER.search, _telling(environment).values()))
            start = msgspec.structs.replace(
                each, for_work=called or told, pulled=written.pulled, arguments=written.arguments
            )
            start = _put_in(start, environment)
            launch = recognise(start.step.words, environment)
            dir, language = start.dir, None
            if launch is not None:
                launch = self._of_stub(launch, dir)
                language = _LANGUAGES.get(launch.framework)
                launch, dir = self._placed(launch, dir)
            else:
                for known, program in self.programs.items():
                    launch = program(start, dir)
                    if launch is not None and (launch.framework or written.source not in TELLING):
                        language = known
                        break
                else:
                    launch, language = self.custom.launch(written, start, dir)
                    if launch is None and self.custom.is_called_worker(written, start):
                        words, language = start.step.words, "python"
                        launch = Launch("", "worker", words, words[words.index("-m") + 1])
            if launch is not None and self.likelihood.is_likely(written, launch, language):
                home = self._home(written, dir, language)
                found = self._candidate(written, start, launch, home, language)
                plain = unwatched(launch.framework, launch.words)
                if plain != launch.words and not start.step.dev:
                    words = as_shell(plain)
                    yield msgspec.structs.replace(found, words=words, dev=False, unwatched=True)
                    found = msgspec.structs.replace(found, dev=True)
                yield found

    def _of_stub(self, launch: Launch, dir: str) -> Launch:
        """Return whose worker ``bin/jobs`` starts: Solid Queue's, if it is no other's."""
        if launch.framework != "solid_queue" or not launch.words[0].endswith("bin/jobs"):
            return launch
        text = self.project.text(posixpath.normpath(posixpath.join(dir, launch.words[0])))
        other = None if "SolidQueue" in text else executed(self.project, launch.words[:1], dir)
        if other is not None:
            return msgspec.structs.replace(other, words=launch.words)
        loaded = re.search(r"""^\s*require ["'](\w+)/cli["']""", text, re.MULTILINE)
        if loaded is None or loaded[1] not in FRAMEWORKS:
            return launch
        return msgspec.structs.replace(launch, framework=loaded[1])

    def _home(self, written: Written, dir: str, language: Language | None) -> str:
        """Return where a service is run that is built elsewhere: at its package's root."""
        elsewhere = written.dockerfile not in self.project.files and dir == directory(written.path)
        if written.source != "compose" or not elsewhere:
            return dir
        package = self.manifests.package_of(dir, language)
        return package.dir if package else dir

    def _candidate(
        self, written: Written, start: Start, launch: Launch, dir: str, language: Language | None
    ) -> Candidate:
        text = self.project.line(written.path, written.line)
        return Candidate(
            framework=launch.framework or None,
            role=launch.role,
            words=as_shell(launch.words),
            dir=dir,
            rank=written.rank,
            evidence=(Evidence(written.path, written.line, text, written.source),),
            app=launch.app,
            origin=self._origin(written, launch, dir),
            queues=launch.queues or _queues_of(written.environment | start.step.environment),
            concurrency=launch.concurrency,
            name=written.name,
            language=language,
            environment=_telling(written.environment) | start.step.environment,
            dev=is_dev(start.step) or written.is_for_desk,
            lost=self.likelihood.is_lost(launch),
            alternatives=tuple(start.via[:1]),
            ours=written.ours,
        )

    def _origin(self, written: Written, launch: Launch, dir: str) -> str:
        if written.source != "docs" or launch.framework not in BY_MODULE:
            return ""
        return origin(self.python, launch.app, dir)

    def _placed(self, launch: Launch, dir: str) -> tuple[Launch, str]:
        """Find out where the command has to be run for its module to be found."""
        if launch.framework in BY_MODULE and launch.app:
            app = launch.app.partition("$")[0]
            found = self.python.find(app, dir) if app else None
            if found is not None:
                return launch, found[1]
        for word in launch.words[:2]:
            if word.endswith("manage.py"):
                for base in (dir, *sorted(directory(p) for p in self.project.named("manage.py"))):
                    path = posixpath.normpath(posixpath.join(base, word.lstrip("/")))
                    if path in self.project.files or (
                        word == "manage.py"
                        and f"{base}/manage.py".removeprefix("./") in self.project.files
                    ):
                        return launch, base
        return launch, dir


def _with_runner(each: Candidate, line: str) -> Candidate:
    """Return a candidate with what its line starts it by, if that ends in its command."""
    words = split(line)
    in_a_shell = words[-2:-1] == ["-c"] and re.search(r"\s", words[-1])  # no ``-c 4`` of Celery's
    text = words[-1] if in_a_shell else line
    for part in re.split(r"&&|\|\||[;\n]", text):
        before = split(part)
        before = before[1:] if before[:1] == ["exec"] else before
        at = len(before) - len(each.words)
        if at > 0 and tuple(before[at:]) == each.words and _RUNNER.fullmatch(before[0]):
            return msgspec.structs.replace(each, runner=tuple(before[:at]))
    return each


_RUNNER = re.compile(r"uv|poetry|pipenv|pdm|hatch|rye|python[0-9.]*")
_PROCESSES = ("compose", "Procfile", "supervisor")
_WORKER = re.compile(r"(^|[-_.:])(workers?|consumers?|processors?)\d*($|[-_.:])", re.IGNORECASE)
_WHAT_TO_BE = re.compile(
    r"(^|_)(ROLE|MODE|WORKER|CONSUMER|QUEUES?|QUEUE_NAMES?|PROCESS|PROCESS_TYPE|APP_TYPE|RUN_\w+)$"
)
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def _put_in(start: Start, environment: dict[str, str]) -> Start:
    """Return a command whose sub-command is a variable, ``./app $ROLE``, with what that holds."""
    words = start.step.words
    found = _VARIABLE.fullmatch(words[1]) if len(words) == 2 else None
    value = environment.get(found[1] or found[2], "") if found else ""
    if not re.fullmatch(r"[A-Za-z][\w:-]*", value):
        return start
    step = msgspec.structs.replace(start.step, words=(words[0], value))
    return msgspec.structs.replace(start, step=step)


def _telling(environment: dict[str, str]) -> dict[str, str]:
    """Return the variables of a service that say what its program is to be."""
    return {
        name: value
        for name, value in environment.items()
        if _WHAT_TO_BE.search(name) and value and not re.search(r"[$:/]", value)
    }


def _queues_of(environment: dict[str, str]) -> tuple[str, ...]:
    """Return the queues that a service is told by its environment."""
    given = [
        value for name, value in environment.items() if re.search(r"QUEUES$|QUEUE_NAMES?$", name)
    ]
    return listed(given[:1]) if given and "://" not in given[0] else ()


_LANGUAGES: dict[str, Language] = {
    **dict.fromkeys(
        ("celery", "rq", "dramatiq", "huey", "arq", "saq", "taskiq", "procrastinate", "stoker"),
        "python",
    ),
    **dict.fromkeys(
        ("sidekiq", "good_job", "solid_queue", "resque", "delayed_job", "que", "clockwork"), "ruby"
    ),
    **dict.fromkeys(("asynq", "river"), "go"),
    "loco": "rust",
    "bullmq": "node",
}
