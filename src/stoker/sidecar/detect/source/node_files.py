"""Node's files: what they import, where they make workers, which of them serve."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from stoker.sidecar.detect.manifests import Manifests, table
from stoker.sidecar.detect.source import DEDICATED, Site, monorepos
from stoker.sidecar.detect.source.node_commands import BUNDLER, built_from, script_of
from stoker.sidecar.detect.source.node_effects import acts
from stoker.sidecar.detect.source.node_imports import SUFFIXES, Resolver, imported
from stoker.sidecar.detect.source.node_loaded import loads_unnamed, unnamed
from stoker.sidecar.detect.source.node_nest import Asking, makes_app
from stoker.sidecar.detect.source.node_serving import IS_A_BOT, SERVES, is_probe, only_lives
from stoker.sidecar.detect.source.node_sites import IMPORTING, PACKAGES, Sites
from stoker.sidecar.detect.source.programs import Imports, places
from stoker.sidecar.project import Project

_FORKS_ITSELF = re.compile(r"\bcluster\.fork\(")
"""A program that is one of several on the same port: what it is lies in what it imports."""
_LOADS = re.compile(
    r"""\b(?:require|import)\(\s*(?:`([^`$\n]*)\$\{|"""
    r"""path\.(?:join|resolve)\(\s*__dirname,\s*["']([^"'\n]*)["']\s*,|[^"'`\s)])"""
)
_IS_TOLD = re.compile(r"\bargv\b|\bparseArgs\(|\bcommander\b")
"""How a program loads another file that its command line names."""
_NEST_CONTEXT = re.compile(r"createApplicationContext\s*(?:<[^>]*>)?\(|createMicroservice")
_WORK_DIR = re.compile(
    r"(^|[-_])(workers?|consumers?|jobs?|queues?|processors?|background|tasks?|runner)($|[-_])"
)
_WORKER_NAME = re.compile(r"(^|[-_/])(workers?|consumers?)($|[-_])")
_TRIES = re.compile(
    r"(^|/)(test|verify|validate|diagnose|debug|smoke|check|inspect|bench(?:mark)?)([A-Z_-][\w.-]*)?\.[cm]?[jt]s$"
)
"""What is run by hand to see if a project works, by its name: it loads the app, and is none."""
_PASSED_ON = re.compile(
    r"/\*.*?\*/|//[^\n]*|export\s+(?:type\s+)?(?:\*|\{)[^;'\"]*from\s*['\"][^'\"\n]+['\"]\s*;?",
    re.DOTALL,
)
_BOARD = re.compile(r"createBullBoard\(|new Arena\(|[Aa]rena\(\{")
_OF_QUEUES = re.compile(r"queue|worker|job|processor|consumer|bull", re.IGNORECASE)
_CUSTOM = re.compile(
    r"@temporalio/worker|pg-boss|agenda|graphile-worker|bee-queue|amqplib|kafkajs|sqs-consumer|@aws-sdk/client-sqs"
)


class NodeSource:
    """All of a project's JavaScript and TypeScript."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self.project, self.manifests = project, manifests
        sources = [path for path in project.suffixed(*SUFFIXES) if _is_source(project, path)]
        self.paths = sources if self._is_wanted(sources) else []
        self.imports = Imports()
        self._files = Resolver(project, manifests, sources)
        self._serving: dict[str, bool] = {}
        self._asking = Asking(project)
        self._named: dict[str, list[str]] = {}
        for path in self.paths:
            names = self.named_in(path)
            self.imports.add(path, [*self._files.resolved(path, names), *self._unnamed(path)])
        sites = Sites(project, manifests, self.imports, dict(self._named), self._files)
        self._callers = sites.callers
        self.sites = sites.found()

    def _is_wanted(self, sources: Sequence[str]) -> bool:
        """Tell if workers may be made here: a manifest asks for what makes them, or a file does.

        What a file that is called after them imports counts, whatever the manifests say: one of
        them may be missing, or be another program's.
        """
        given = (each.name for each in self.manifests.dependencies if each.language == "node")
        if any(name in PACKAGES or _CUSTOM.fullmatch(name) for name in given):
            return True
        called = (path for path in sources if _OF_QUEUES.search(path))
        return any(self.project.telling(called, IMPORTING))

    def named_in(self, path: str) -> list[str]:
        """Return what a file imports, by the names that it has there."""
        if path not in self._named:
            self._named[path] = imported(self.project.data(path))
        return self._named[path]

    def _unnamed(self, path: str) -> Iterator[str]:
        """Yield the files that one loads out of a directory."""
        if loads_unnamed(self.project.data(path)):
            package = self.manifests.package_of(path, "node")
            yield from unnamed(self.project, path, package.dir if package else ".", self.paths)

    def works(self, path: str) -> list[Site]:
        """Return the sites that a program reaches."""
        if path not in self._working:
            return []
        reached = self.imports.reached(path)
        return [
            site for each in places(self.sites, reached) for site in self.sites[each]
            if self._callers.comes_to(reached, site)
        ]  # fmt: skip

    @cached_property
    def _working(self) -> frozenset[str]:
        """The files that reach a site: of most programs, nothing else has to be known."""
        return self.imports.leading_to(self.sites)

    @cached_property
    def entries(self) -> list[str]:
        """The files that no other one imports."""
        return [path for path in self.paths if path not in self.imports.imported]

    @cached_property
    def of_app(self) -> frozenset[str]:
        """Return the files with workers that a program makes which serves."""
        return frozenset(
            site.path
            for path in self.entries
            if path in self._working and self.serves(path) and not tries(path)
            and not self.is_for_work(path) and not DEDICATED.search(path)
            for site in self.works(path)
        )  # fmt: skip

    @cached_property
    def has_app(self) -> bool:
        """Tell if a program serves that makes no workers: then the others are there for work."""
        return any(not self.works(path) and self.serves(path) for path in self.entries)

    def serves(self, path: str) -> bool:
        """Tell if a program is (also) a web server."""
        text = self.project.text(path)
        if _NEST_CONTEXT.search(text) and "NestFactory.create(" not in text:
            return any(self.project.telling(self.imports.reached(path), IS_A_BOT))
        if path in self.sites and is_probe(text):
            return False
        if path in self._working and makes_app(text) and not self._is_asked(path):
            return False
        near = self.imports.of(path)
        if _FORKS_ITSELF.search(text):
            near += tuple(further for each in near for further in self.imports.of(each))
        if path in self._working and only_lives(text):
            return any(map(self._is_serving, near))
        return any(map(self._is_serving, (path, *near)))

    def _is_asked(self, path: str) -> bool:
        return self._asking.is_asked(self.imports.reached(path))

    def _is_serving(self, path: str) -> bool:
        if path not in self._serving:
            self._serving[path] = SERVES.search(self.project.text(path)) is not None
        return self._serving[path]

    def is_for_work(self, path: str) -> bool:
        """Tell if a program's package is there for workers, by its directory's or its own name."""
        package = self.manifests.package_of(path, "node")
        if package is None:
            return False
        if _WORK_DIR.search(posixpath.basename(package.dir)):
            return True
        # A program that serves before all is the app, however its package is called.
        called = _WORKER_NAME.search(package.name) is not None
        return called and not self._is_serving(path)

    def is_library(self, dir: str) -> bool:
        """Tell if a package is published for other programs, and starts none itself."""
        path = posixpath.normpath(f"{dir}/package.json")
        data = self.manifests.tables.get(path, {})
        scripts = self.manifests.scripts.get(path, {})
        if not {"exports", "main"} & data.keys() or data.get("private") is True:
            return False
        starts = re.search(r"\b(start|serve|workers?)\b", " ".join(scripts)) is not None
        if not starts and ("files" in data or _is_brought(data)):
            return True
        if not {"publishConfig"} & data.keys() and "prepublishOnly" not in scripts:
            return False
        main = data.get("main")
        entry = self.entry(("node", main), dir) if isinstance(main, str) else ""
        return bool(entry) and self.is_barrel(entry)

    def is_barrel(self, path: str) -> bool:
        """Tell if a file only passes on what others export: nobody starts that."""
        return not _PASSED_ON.sub("", self.project.text(path)).strip()

    def has_commands(self, dir: str) -> bool:
        """Tell if a package's programs are the files of oclif's directory of commands."""
        return "oclif" in self.manifests.tables.get(posixpath.normpath(f"{dir}/package.json"), {})

    def is_board(self, path: str) -> bool:
        """Tell if a program shows queues, and makes no worker itself."""
        return path not in self.sites and _BOARD.search(self.project.text(path)) is not None

    def starts_something(self, words: Sequence[str], dir: str) -> bool:
        """Tell if the file that a command runs is there, and does anything but declare.

        What a bundler makes may be called after nothing that is in the project.
        """
        path = self.entry(words, dir)
        if path:
            return acts(self.project.text(path), path.rpartition(".")[2])
        name = posixpath.basename(script_of(words))
        stem = re.sub(r"\.[cm]?[jt]sx?$", "", name)
        somewhere = self.project.named(*(f"{stem}.{suffix}" for suffix in SUFFIXES))
        return bool(not stem or somewhere or self.project.matching(BUNDLER))

    def program(self, words: Sequence[str], dir: str) -> str:
        """Return the file that a command is there for: what it runs, or what that is told to load.

        ``node run.js --script ./worker.js`` is the worker, set up as all of the project's programs.
        """
        path = self.entry(words, dir)
        text = self.project.text(path)
        if path in self._working or not _IS_TOLD.search(text):
            return path
        name = script_of(words)
        told = [word.rpartition("=")[2] for word in words[words.index(name) + 1 :]] if name else []
        for loaded in _LOADS.finditer(text):
            near = f"{posixpath.dirname(path)}/{loaded[1] or f'{loaded[2]}/'}"
            base = f"./{near}" if loaded[1] or loaded[2] else f"{dir}/"
            found = (self._files.file(posixpath.normpath(base + each)) for each in told)
            if worker := next((each for each in found if each in self._working), ""):
                return worker
        return path

    def entry(self, words: Sequence[str], dir: str) -> str:
        """Return the source file that a command of Node runs."""
        if words[0] in ("nest", "nx"):
            found = monorepos.entry(self.project, words, dir)
            return self._files.file(posixpath.normpath(found)) if found else ""
        name = script_of(words)
        runs = posixpath.basename(words[0]) in ("run", "run.js")
        if runs and DEDICATED.search(" ".join(words[1:2])):
            package = self.manifests.package_of(dir, "node")
            if package is not None and self.has_commands(package.dir):
                name = f"{package.dir}/src/commands/{words[1].replace(':', '/')}"
        if not name:
            return ""
        tail = name.lstrip("/")
        parts = tail.split("/")
        for base in (dir, "."):
            for at in range(min(len(parts), 4)):
                rest = "/".join(parts[at:])
                for each in built_from(rest):
                    found = self._files.file(posixpath.normpath(f"{base}/{each}"))
                    if found:
                        return found
        return ""


def tries(path: str) -> bool:
    """Tell if a file is there to try the project out, by its name."""
    return _TRIES.search(path) is not None and DEDICATED.search(path) is None


_BESIDE = re.compile(r"\.(d|test|spec|stories|config|e2e-spec|min)\.[cm]?[jt]sx?$")
_NO_SOURCE = re.compile(r"(^|/)(public|static|assets|build|migrations|locales)/")


def _is_source(project: Project, path: str) -> bool:
    return not (project.is_aside(path) or _BESIDE.search(path) or _NO_SOURCE.search(path))


def _is_brought(data: Mapping[str, Any]) -> bool:
    """Tell if what makes workers is for those to bring along who use a package."""
    asked, own = table(data, "peerDependencies"), table(data, "dependencies")
    return any(name in asked and name not in own for name in PACKAGES)
