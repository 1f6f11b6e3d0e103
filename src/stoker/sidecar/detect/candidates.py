"""Every process that was written down or inferred, before one of those alike is chosen."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cached_property

import msgspec

from stoker.sidecar.detect.expand import Expander, Start
from stoker.sidecar.detect.grammar import Launch, listed, recognise
from stoker.sidecar.detect.manifests import Manifests, directory
from stoker.sidecar.detect.shell import as_shell, split
from stoker.sidecar.detect.source import Inferred
from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detect.source.python_aliases import origin
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.watchers import is_dev
from stoker.sidecar.detect.written import SOURCES, Written
from stoker.sidecar.detection import Evidence, Language, Role
from stoker.sidecar.frameworks import FRAMEWORKS, Framework
from stoker.sidecar.project import Project

Words = tuple[str, ...]


class Candidate(msgspec.Struct, frozen=True):
    """One way to start one process."""

    framework: str | None
    role: Role
    words: Words
    dir: str
    rank: tuple[int, int, int, str]
    evidence: tuple[Evidence, ...]
    app: str = ""
    """What tells it from others of its framework: the app, the entry file, the config."""
    origin: str = ""
    """Where the object is made that the app names, if a text tells of it."""
    queues: tuple[str, ...] = ()
    concurrency: int | None = None
    name: str = ""
    language: Language | None = None
    environment: dict[str, str] = {}
    dev: bool = False
    lost: bool = False
    """Its app is nowhere in the project: it was moved, or renamed."""
    confidence: float = 1.0
    alternatives: tuple[Words, ...] = ()
    runner: Words = ()
    """What it was written with that only starts it: ``uv run``."""

    @property
    def source(self) -> str:
        """Return the kind of evidence."""
        return SOURCES[self.rank[0]]


Program = Callable[[Start, str], Launch | None]
"""What a language knows of its own programs: ``node worker.js``, ``go run ./cmd/worker``."""


class Reader:
    """Turns what is written into candidates."""

    def __init__(
        self, project: Project, manifests: Manifests, python: PythonSource, node: NodeSource,
        programs: dict[Language, Program],
    ) -> None:  # fmt: skip
        self.project, self.manifests, self.python, self.node = project, manifests, python, node
        self.expander = Expander(project, manifests)
        self.programs = programs

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
                    if launch is not None and (launch.framework or written.source not in _TELLING):
                        language = known
                        break
                else:
                    launch, language = self._custom(written, start, dir)
                    if launch is None and self._is_called_worker(written, start):
                        words, language = start.step.words, "python"
                        launch = Launch("", "worker", words, words[words.index("-m") + 1])
            if launch is not None and self._is_likely(written, launch, language):
                home = self._home(written, dir, language)
                yield self._candidate(written, start, launch, home, language)

    def _custom(
        self, written: Written, start: Start, dir: str
    ) -> tuple[Launch | None, Language | None]:
        """Return a worker without a framework, if there is anything of it to start."""
        launch, language = _custom(written, start)
        if launch is None or language != "node":
            return launch, language
        if not self.node.starts_something(start.step.words, dir):
            return None, None
        # What is built and what it is built from is one program.
        source = self.node.entry(start.step.words, dir)
        return msgspec.structs.replace(launch, app=source or launch.app), language

    def _is_called_worker(self, written: Written, start: Start) -> bool:
        """Tell if a script or a text runs a module of the project that is called a worker."""
        if written.source not in ("shell", "docs"):
            return False
        words = [word for word in start.step.words if word != "-u"]
        if _RUNTIMES.get(words[0]) != "python" or words[1:2] != ["-m"] or len(words) < 3:
            return False
        called = _OWN_WORKER.fullmatch(words[2].rpartition(".")[2]) is not None
        return called and self.python.find(words[2], start.dir) is not None

    def _of_stub(self, launch: Launch, dir: str) -> Launch:
        """Return whose worker ``bin/jobs`` starts: Solid Queue's, if it loads no other's."""
        if launch.framework != "solid_queue" or not launch.words[0].endswith("bin/jobs"):
            return launch
        text = self.project.text(posixpath.normpath(posixpath.join(dir, launch.words[0])))
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
            lost=self._is_lost(launch),
            alternatives=tuple(start.via[:1]),
        )

    def _origin(self, written: Written, launch: Launch, dir: str) -> str:
        if written.source != "docs" or launch.framework not in _BY_MODULE:
            return ""
        return origin(self.python, launch.app, dir)

    def _is_lost(self, launch: Launch) -> bool:
        """Tell if a command names a module that the project has not, nor a directory for it."""
        first = re.split(r"[.:]", launch.app)[0]
        if launch.framework not in _BY_MODULE or not re.fullmatch(r"\w+", first):
            return False
        return first not in self._names

    def _is_of_django(self, launch: Launch) -> bool:
        """Tell if a command is one of an app of Django, and the project is none."""
        return any(map(_MANAGE.search, launch.words[:2])) and not self.project.named("manage.py")

    @cached_property
    def _names(self) -> frozenset[str]:
        """What a module or a package may be called: every directory, every file of Python."""
        files = [posixpath.basename(path)[:-3] for path in self.project.suffixed("py")]
        return frozenset([*files, *(posixpath.basename(dir) for dir in self.project.dirs)])

    def _is_likely(self, written: Written, launch: Launch, language: Language | None) -> bool:
        """Tell if the project has to do with a framework that is only talked about."""
        if written.name in ("web", "release") and launch.app and not launch.framework:
            return False
        if not launch.framework and self._is_no_process(launch.app):
            return False
        if not launch.framework and language == "python" and self._is_elsewhere(launch.words):
            return False
        if written.source == "docs" and not launch.app and launch.words[0] in _NEED_AN_APP:
            return False  # talk of the command, not the command
        if written.source == "docs" and self._is_lost(launch):
            return False  # what those are to start who use this package
        if self._is_of_others(written, launch, language):
            return False
        if self._is_only_told(written, launch, language):
            return False
        framework = FRAMEWORKS.get(launch.framework)
        if framework is not None and language == "ruby" and self._is_locked_out(framework):
            return False
        if framework is None or written.source in ("compose", "Procfile", "script"):
            return True
        languages = {package.language for package in self.manifests.packages}
        if language is not None and language not in languages:
            return written.source != "docs" or not languages
        names = [name for names in framework.packages.values() for name in names]
        return self.manifests.has(*names) is not None

    def _is_locked_out(self, framework: Framework) -> bool:
        """Tell if Bundler's lock has no gem of a framework: no command of it starts any more."""
        gems = [each for each in self.manifests.dependencies if each.language == "ruby"]
        return any(not each.direct for each in gems) and not any(
            each.name in framework.packages.get("ruby", ()) for each in gems
        )

    def _is_of_others(self, written: Written, launch: Launch, language: Language | None) -> bool:
        """Tell if what is started is in an image of somebody else's: nothing of it is here."""
        if self._is_of_django(launch):
            return True
        if written.pulled and (not launch.framework or self._is_lost(launch)):
            return True
        built = written.dockerfile in self.project.files
        return language is not None and not built and not self._has(language)

    def _is_no_process(self, path: str) -> bool:
        """Tell if a file called a worker is a thread's, a browser's, or an example's."""
        aside = path in self.project.files and self.project.is_aside(path)
        return aside or _THREAD.search(self.project.data(path)) is not None

    def _is_elsewhere(self, words: Words) -> bool:
        """Tell if a program of Python is a file that an image brings along, and not the project."""
        name = next((word for word in words[1:] if not word.startswith("-")), "")
        return name.endswith(".py") and posixpath.basename(name)[:-3] not in self._names

    def _is_only_told(self, written: Written, launch: Launch, language: Language | None) -> bool:
        """Tell if no file has anything of a framework of Python whose command a text shows."""
        if written.source not in _TELLING or language != "python" or not launch.framework:
            return False
        name = rb"\b(?:django_|flask_|djcelery|dj)?" + launch.framework.encode()
        return not any(self.project.telling(self.python.paths, re.compile(name, re.IGNORECASE)))

    def _has(self, language: Language) -> bool:
        """Tell if the project has anything in a language."""
        if any(package.language == language for package in self.manifests.packages):
            return True
        return bool(self.project.suffixed(*_SUFFIXES[language]))

    def _placed(self, launch: Launch, dir: str) -> tuple[Launch, str]:
        """Find out where the command has to be run for its module to be found."""
        if launch.framework in _BY_MODULE and launch.app:
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
    text = words[-1] if words[-2:-1] == ["-c"] else line
    for part in re.split(r"&&|\|\||[;\n]", text):
        before = split(part)
        before = before[1:] if before[:1] == ["exec"] else before
        at = len(before) - len(each.words)
        if at > 0 and tuple(before[at:]) == each.words and _RUNNER.fullmatch(before[0]):
            return msgspec.structs.replace(each, runner=tuple(before[:at]))
    return each


def inferred(each: Inferred) -> Candidate:
    """Return what the source says as a candidate: the last of all evidence."""
    rank = (SOURCES.index("source"), 0, 0, each.evidence[0].path if each.evidence else "")
    return Candidate(
        framework=each.framework, role=each.role, words=each.words, dir=each.dir, rank=rank,
        evidence=each.evidence, app=each.app, queues=each.queues, concurrency=each.concurrency,
        language=each.language, confidence=each.confidence, alternatives=each.alternatives,
        name=each.name,
    )  # fmt: skip


_RUNNER = re.compile(r"uv|poetry|pipenv|pdm|hatch|rye|python[0-9.]*")
_NEED_AN_APP = frozenset({"celery", "stoker", "huey_consumer", "huey_consumer.py"})
_BY_MODULE = frozenset({"celery", "dramatiq", "arq", "saq", "taskiq", "huey", "stoker"})
_PROCESSES = ("compose", "Procfile", "supervisor")
_WORKER = re.compile(r"(^|[-_.:])(workers?|consumers?|processors?)\d*($|[-_.:])", re.IGNORECASE)
_WHAT_TO_BE = re.compile(
    r"(^|_)(ROLE|MODE|WORKER|CONSUMER|QUEUES?|QUEUE_NAMES?|PROCESS|PROCESS_TYPE|APP_TYPE|RUN_\w+)$"
)
_CUSTOM = re.compile(
    r"((start|run|bg|background|job)[-_:]?|(\w+[-_:.])+)?(workers?|consumers?|pollers?)\d*"
    r"([-_:](prod|start|run))?"
)
_OWN_WORKER = re.compile(r"(\w+_)?(worker|consumer|poller)s?")
_ABOUT_IT = re.compile(
    r"(^|[-_:.])(build|test|lint|check|verify|types?|compile|bundle|deploy|publish|generate|setup|"
    r"install|stop|kill|smoke|e2e|service|web|browser)[-_:.]"
)
"""What is done to a worker, and the workers of a browser: ``build:worker``, ``service-worker``."""
_RUNTIMES: dict[str, Language] = {
    "node": "node", "tsx": "node", "ts-node": "node", "bun": "node", "python": "python",
    "python3": "python", "ruby": "ruby",
}  # fmt: skip


def _custom(written: Written, start: Start) -> tuple[Launch | None, Language | None]:
    """Return a worker without a framework: somebody called it one, and it is a program."""
    words = start.step.words
    language = "go" if words[:2] == ("go", "run") else _RUNTIMES.get(words[0])
    if language is None or not _CUSTOM.fullmatch(written.name) or len(words) < 2:
        return None, None
    if _ABOUT_IT.search(written.name):
        return None, None
    if written.source not in ("compose", "Procfile", "script", "supervisor"):
        return None, None
    file = re.search(r"\.\w{1,3}$", words[-1]) is not None
    app = posixpath.normpath(posixpath.join(start.dir, words[-1])) if file else words[-1]
    return Launch("", "worker", words, app), language


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


_THREAD = re.compile(
    rb"\b(?:parentPort|isMainThread)\b|\bself\.onmessage\b|\bimportScripts\("
    rb"""|\baddEventListener\(\s*["'](?:fetch|message|install)["']"""
)
_MANAGE = re.compile(r"(^|/)manage\.py$")
_TELLING = ("docs", "Makefile", "shell")
"""What may tell of a worker that was planned, or that is another project's."""
_SUFFIXES: dict[Language, tuple[str, ...]] = {
    "python": ("py", "ipynb"), "node": ("js", "ts", "mjs", "cjs", "tsx"), "ruby": ("rb", "ru"),
    "go": ("go",), "rust": ("rs",),
}  # fmt: skip
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
