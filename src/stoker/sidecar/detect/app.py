"""The app itself: the process that serves, beside which the workers stand."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from stoker.sidecar.detect.candidates import Words
from stoker.sidecar.detect.expand import Expander, Start
from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.servers import EVERYWHERE, Serving, rails_version, serving
from stoker.sidecar.detect.shell import as_shell
from stoker.sidecar.detect.source.go_packages import GoSource
from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detect.source.python_apps import WebApp, web_apps
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.watchers import is_dev
from stoker.sidecar.detect.written import SOURCES, Written, compose
from stoker.sidecar.detect.written.dockerfiles import exposed
from stoker.sidecar.detection import Evidence, Language, Unit
from stoker.sidecar.project import Project

_NAMES = re.compile(
    r"(.*[-_.:])?(web|app|api|server|backend|django|flask|fastapi|rails|site|http)(\d|[-_.:].*)?"
)
_ASIDE = re.compile(
    r"migrat|init\b|setup|test|lint|build|seed|release|front|client|\bui\b|nginx|proxy|docs|story|"
    r"worker|cron|beat|clock|schedul|shell|console|webpack|vite|css|assets|\bjs\b|debug|e2e|"
    r"flower|dashboard|monitor|admin"
)
_SCRIPTS = ("start:prod", "start", "serve", "server", "web", "dev", "start:dev", "develop")
_DEV_SCRIPTS = frozenset({"dev", "start:dev", "develop"})
_SERVES = re.compile(r"\bapp\.run\(|uvicorn\.run\(|run_app\(|\bserve\(|socketio\.run\(|web\.run")
_LISTENED = re.compile(
    r"PORT\b[^\n\d]{0,24}(\d{2,5})\b|[Ll]isten\w*\(\s*[\"']?(?:[\d.]*:)?(\d{2,5})\b"
)
_DASHBOARDS = re.compile(r"asynqmon|bull-?board|bullmon|arena|flower|admin|dashboard")
_GEMFILES = ("Gemfile.lock", "Gemfile")
_LISTED = 4
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RUNTIMES: dict[str, Language] = {
    "node": "node", "tsx": "node", "ts-node": "node", "bun": "node",
    "python": "python", "python3": "python",
}  # fmt: skip
_LANGUAGES: dict[str, Language] = {
    **dict.fromkeys(("rails", "puma", "unicorn", "rackup", "bundle"), "ruby"),
    **dict.fromkeys(
        ("next", "nuxt", "nest", "remix-serve", "react-router-serve", "strapi"), "node"
    ),
}


class _Found(msgspec.Struct, frozen=True):
    """A place that starts the app."""

    unit: Unit
    rank: tuple[int, ...]
    """Less is better: its package has workers, its server is known, then the kind of evidence."""
    dev: bool


class Finder:
    """Looks for the app among what starts no worker."""

    def __init__(
        self, project: Project, manifests: Manifests, expander: Expander, node: NodeSource,
        go: GoSource, python: PythonSource,
    ) -> None:  # fmt: skip
        self.project, self.manifests, self.expander = project, manifests, expander
        self.node, self.go, self.python = node, go, python

    def find(
        self, idle: Sequence[Written], services: Sequence[compose.Service], units: Sequence[Unit]
    ) -> Unit | None:
        """Return the app, if what shows it is clear; ``idle`` starts none of ``units``."""
        homes = {self._home(unit.dir) for unit in units}
        started = {
            (self._home(unit.dir), words)
            for unit in units
            for words in (unit.command, unit.dev_command)
        }
        by_place = {(each.path, each.name): each for each in services}
        found: list[_Found] = []
        for written in idle:
            service = by_place.get((written.path, written.name))
            for each in self._of(written, service if written.source == "compose" else None):
                home = self._home(each.unit.dir)
                if (home, each.unit.command) not in started:
                    near = 0 if home in homes else 1
                    found.append(msgspec.structs.replace(each, rank=(near, *each.rank)))
        found += self._of_source(started)
        return _best(found) if found else self._of_python(noted=bool(units))

    def _home(self, dir: str) -> str:
        package = self.manifests.package_of(dir)
        return package.dir if package else dir

    def _of(self, written: Written, service: compose.Service | None) -> Iterator[_Found]:
        name = written.name.lower()
        if written.source == "script":
            if name not in _SCRIPTS:
                return
        elif _ASIDE.search(name) or (written.source == "Procfile" and not _NAMES.fullmatch(name)):
            return
        if written.source not in ("compose", "Procfile", "script", "Dockerfile"):
            return
        starts = [
            start
            for line in written.lines
            for start in self.expander.starts(line, written.dir, written.dockerfile)
        ]
        # What an entry file runs of its arguments is no command.
        starts = [start for start in starts if not {"$@", "$*"} & set(start.step.words)]
        for start in starts:
            served = serving(start.step.words, self._rails(start.dir)) or self._program(
                start, written
            )
            if served is not None:
                yield self._found(written, start, served, service)
                return
        called = _NAMES.fullmatch(name) is not None
        if starts and service is not None and service.built and (called or service.ports):
            # Of a script's many steps nobody knows which one serves: the script itself does.
            several = len(starts) > 1 and starts[0].via
            words = starts[0].via[0] if several else starts[0].step.words
            unknown = self._found(written, starts[0], Serving(words, None), service)
            yield msgspec.structs.replace(unknown, rank=(1, *unknown.rank[1:]))

    def _rails(self, dir: str) -> int | None:
        """Return the major version of a directory's Rails, if its files name one."""
        paths = (posixpath.normpath(posixpath.join(dir, each)) for each in _GEMFILES)
        found = (rails_version(self.project.text(p)) for p in paths if p in self.project.files)
        return next((version for version in found if version is not None), None)

    def _program(self, start: Start, written: Written) -> Serving | None:
        """Return what a file of Node or Python serves, by its source or by what it is called."""
        words = start.step.words
        if words[0] not in _RUNTIMES or len(words) < 2 or words[1].startswith("-c"):
            return None
        text = self._entry_text(words, start.dir)
        named = written.source in ("compose", "Procfile") and _NAMES.fullmatch(written.name.lower())
        if named or (text is not None and self._serves(words, start.dir, text)):
            return Serving(words, _listened(text or ""))
        return None

    def _entry_text(self, words: Words, dir: str) -> str | None:
        if _RUNTIMES[words[0]] == "node":
            path = self.node.entry(words, dir)
        else:
            name = next((word for word in words[1:] if word.endswith(".py")), "")
            path = posixpath.normpath(posixpath.join(dir, name)) if name else ""
        return self.project.text(path) if path in self.project.files else None

    def _serves(self, words: Words, dir: str, text: str) -> bool:
        if _RUNTIMES[words[0]] == "node":
            return self.node.serves(self.node.entry(words, dir))
        return _SERVES.search(text) is not None

    def _found(
        self, written: Written, start: Start, served: Serving, service: compose.Service | None
    ) -> _Found:
        text = self.project.line(written.path, written.line)
        port = served.port
        if service is not None and service.ports:
            port = service.ports[0]
        environment = served.environment | start.step.environment
        dockerfile = written.dockerfile
        if port is None:
            port = next(iter(exposed(self.project, dockerfile)), None) if dockerfile else None
        if any("PORT" in word and "$" in word for word in served.words):
            port = port or 8000
            environment = {"PORT": str(port)} | environment
        dev = is_dev(start.step) or written.name in _DEV_SCRIPTS or _is_reloading(served.words)
        unit = Unit(
            role="other",
            framework=None,
            dir=self._placed(served.words, start.dir),
            command=as_shell(served.words),
            name=written.name if written.source == "compose" else "",
            language=self._language(served.words, start.dir),
            environment={
                k: v for k, v in environment.items() if "$" not in v and _NAME.fullmatch(k)
            },
            dev_command=as_shell(served.dev_words),
            port=port,
            evidence=(Evidence(written.path, written.line, text, written.source),),
        )
        order = _SCRIPTS.index(written.name) if written.source == "script" else 0
        called = 0 if _NAMES.fullmatch(written.name.lower()) else 1
        return _Found(unit, (0, SOURCES.index(written.source), written.rank[1], called, order), dev)

    def _placed(self, words: Words, dir: str) -> str:
        """Return where the ``manage.py`` of a command is."""
        script = next((word for word in words[:2] if word.endswith("manage.py")), "")
        if script and posixpath.normpath(posixpath.join(dir, script)) not in self.project.files:
            own = sorted(path for path in self.project.named("manage.py"))
            return own[0].rpartition("/")[0] or "." if own else dir
        return dir

    def _language(self, words: Words, dir: str) -> Language | None:
        name = words[0].rpartition("/")[2]
        if name in _RUNTIMES or name in _LANGUAGES:
            return _RUNTIMES.get(name) or _LANGUAGES[name]
        if serving(words) is not None:
            return "python"
        package = self.manifests.package_of(dir)
        return package.language if package else None

    def _of_source(self, started: set[tuple[str, Words]]) -> Iterator[_Found]:
        """Yield what nobody wrote down: Django's server, and the one program of Go that serves."""
        rank = (0, 0, SOURCES.index("source"), 0, 0, 0)
        for path in self.project.named("manage.py"):
            if not self.project.is_aside(path) and self.manifests.has("django", language="python"):
                words = ("python", "manage.py", "runserver", f"{EVERYWHERE}:8000")
                unit = _inferred(words, path, "python", 8000)
                yield _Found(unit, rank, dev=True)
        programs = [
            each for each in self.go.programs
            if self.go.serves(each) and not self.go.works(each)
            and not _DASHBOARDS.search(each.name)
        ]  # fmt: skip
        for program in programs if len(programs) == 1 else ():
            path = self.go.files(program)[0]
            package = self.manifests.package_of(program.dir, "go")
            home = package.dir if package else "."
            target = posixpath.relpath(program.target, home)
            words = ("go", "run", "." if target == "." else f"./{target}")
            if (home, words) not in started:
                port = _listened(self.project.text(path))
                unit = _inferred(words, path, "go", port)
                yield _Found(msgspec.structs.replace(unit, dir=home), rank, dev=False)

    def _of_python(self, *, noted: bool) -> Unit | None:
        """Return the app that a module makes, served by what the project has for it.

        With ``noted``, a server that it has not is one.
        """
        several = web_apps(self.python)
        if len(several) > 1 and noted:
            self._note_several(several)
        made = several[0] if len(several) == 1 else None
        served = serving(made.words) if made else None
        if made is None or served is None:
            return None
        at = made.evidence
        if made.server and noted:
            problem = f"{made.server} is to serve it, and no manifest asks for {made.server}"
            self.project.note(at.path, problem, f"add {made.server}", at.line)
        unit = _inferred(served.words, at.path, "python", served.port)
        return msgspec.structs.replace(
            unit, dir=made.dir, dev_command=served.dev_words, evidence=(at,)
        )

    def _note_several(self, apps: Sequence[WebApp]) -> None:
        first, *others = [each.evidence for each in apps[:_LISTED]]
        more = ", ".join(f"{each.path}:{each.line}" for each in others)
        problem = f"this is a web app, and so is {more}: which one the workers are for is not known"
        hint = f"start it in a Procfile, web: {' '.join(apps[0].words)}"
        self.project.note(first.path, problem, hint, first.line)


def _inferred(words: Words, path: str, language: Language, port: int | None) -> Unit:
    return Unit(
        role="other", framework=None, dir=path.rpartition("/")[0] or ".", command=words,
        language=language, port=port, confidence=0.8, evidence=(Evidence(path, 1, "", "source"),),
    )  # fmt: skip


def _best(found: Sequence[_Found]) -> Unit | None:
    """Return the best, with what it is in development; nothing where two are as good."""
    settled = [each for each in found if not each.dev] or list(found)
    if not settled:
        return None
    best = min(settled, key=lambda each: each.rank)
    rivals = [each for each in settled if each.rank == best.rank]
    if best.unit.evidence[0].note != "compose" and len({each.unit.dir for each in rivals}) > 1:
        return None
    here = [each for each in found if each.unit.dir == best.unit.dir]
    dev = sorted((each for each in here if each.dev), key=lambda each: each.rank)
    others = [each for each in found if each is not best]
    compose_first = sorted(others, key=lambda each: each.rank[2:])  # the source first
    evidence = [*best.unit.evidence, *(e for each in compose_first for e in each.unit.evidence)]
    commands = dict.fromkeys(each.unit.command for each in others)
    commands.pop(best.unit.command, None)
    return msgspec.structs.replace(
        best.unit,
        dev_command=dev[0].unit.command if dev else best.unit.dev_command,
        port=best.unit.port or next((each.unit.port for each in here if each.unit.port), None),
        evidence=tuple(dict.fromkeys(evidence))[:8],
        alternatives=tuple(commands)[:6],
    )


def _is_reloading(words: Words) -> bool:
    return "runserver" in words or (words[0] == "next" and "dev" in words)


def _listened(text: str) -> int | None:
    """Return the port that a source listens on, where it is written as a number."""
    found = _LISTENED.search(text)
    number = int(found[1] or found[2]) if found else 0
    return number if 0 < number < 65_536 else None
