"""Rust: which binary of Cargo makes workers, by which sub-command, and whether it also serves."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from stoker.sidecar.detect.expand import Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.manifests import Manifests, directory, table
from stoker.sidecar.detect.source import (
    DEDICATED,
    WORKERISH,
    Inferred,
    Site,
    Sources,
    merged_queues,
)
from stoker.sidecar.detect.source.syntax import calls
from stoker.sidecar.detect.spotting import sieve
from stoker.sidecar.detection import Embedded, Evidence
from stoker.sidecar.project import Project

_SITES = (
    (
        "apalis",
        re.compile(r"(?<!\w)(WorkerBuilder::new|Monitor(?:::<.*>)?::new|WorkerFactory)"),
        (
            "apalis",
            "apalis-core",
            "apalis-redis",
            "apalis-sql",
            "apalis-postgres",
            "apalis-cron",
            "apalis-sqlite",
        ),
    ),
    (
        "faktory",
        re.compile(
            r"(?<!\w)(WorkerBuilder(::<.*>)?::(new|default)|ConsumerBuilder|Worker::builder)"
        ),
        ("faktory",),
    ),
    ("rusty-sidekiq", re.compile(r"(^|::)Processor::new"), ("rusty-sidekiq",)),
    ("lapin", re.compile(r"\.basic_consume$"), ("lapin",)),
)
_SERVES = re.compile(
    rb"axum::serve|use axum::\{[^;]*\bserve\b|axum_server::|HttpServer::new|warp::serve|"
    rb"rocket::(build|custom|ignite)|Server::bind|poem::Server|salvo::Server|"
    rb"Server::new\((TcpListener|acceptor)|tonic::transport::Server|\.launch\(\)"
)
_CALLED = re.compile(rb"\bpost\(|#\[post\b|Method::POST|tonic::transport::Server")
"""Routes that others send work to; one that is asked for its health has none of these."""
_MAKING = sieve("Worker", "Monitor", "ConsumerBuilder", "Processor", "basic_consume")
"""One of these is where any of them is made."""
_COMMANDS = sieve("Subcommand", "structopt", "StructOpt", "clap")
_AT_WORK = sieve("worker", "apalis", "faktory", "queue", "consum", "background", "job")


class Crate(msgspec.Struct):
    """A package of Cargo."""

    dir: str
    name: str
    binaries: dict[str, str]
    """Name → its main file."""
    dependencies: frozenset[str]
    files: list[str]
    is_open: bool = True
    """All that it depends on is here or in the public registry."""


class RustSource:
    """All of a project's Rust."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self.project, self.manifests = project, manifests
        self.crates: list[Crate] = []
        self.sites: dict[str, list[Site]] = {}
        self._subcommands: dict[str, str] = {}
        wanted = {name for _, _, names in _SITES for name in names}
        for path, data in manifests.tables.items():
            if (
                path.endswith("Cargo.toml")
                and table(data, "package")
                and not self.project.is_aside(path)
            ):
                self.crates.append(self._crate(path))
        for crate in self.crates:
            making = project.telling(crate.files, _MAKING) if wanted & crate.dependencies else ()
            for path in making:  # most files only add jobs
                self._find(crate, path)

    def _crate(self, path: str) -> Crate:
        data, dir = self.manifests.tables[path], directory(path)
        prefix = "" if dir == "." else f"{dir}/"
        nested = [
            directory(p) for p in self.manifests.tables if p.endswith("Cargo.toml") and p != path
        ]
        nested = [d for d in nested if d != "." and (dir == "." or d.startswith(prefix))]
        files = [
            p
            for p in self.project.suffixed("rs")
            if p.startswith(prefix)
            and not self.project.is_aside(p)
            and not any(p.startswith(f"{d}/") for d in nested)
            and not p.endswith(("build.rs", "tests.rs"))
        ]
        name = str(table(data, "package").get("name", ""))
        binaries: dict[str, str] = {}
        given = data.get("bin")
        listed = cast(list[Any], given) if isinstance(given, list) else []
        for each in listed:
            binary = table(each)
            if isinstance(binary.get("name"), str):
                main = str(binary.get("path") or f"src/bin/{binary['name']}.rs")
                binaries[str(binary["name"])] = posixpath.normpath(prefix + main)
        if (
            f"{prefix}src/main.rs" in self.project.files
            and f"{prefix}src/main.rs" not in binaries.values()
        ):
            binaries[name] = f"{prefix}src/main.rs"
        for file in files:
            found = re.fullmatch(rf"{re.escape(prefix)}src/bin/([\w-]+)(?:\.rs|/main\.rs)", file)
            if found and file not in binaries.values():
                binaries[found[1]] = file
        dependencies = frozenset(d.name for d in self.manifests.dependencies if d.path == path)
        return Crate(dir, name, binaries, dependencies, files, self._is_open(data))

    def _is_open(self, data: dict[str, Any]) -> bool:
        """Tell if nothing that a crate depends on comes from a repository of its own."""
        shared: dict[str, Any] = {}
        for each in self.manifests.tables.values():
            shared |= table(each, "workspace", "dependencies")
        given = table(data, "dependencies")
        wanted = [{**table(shared.get(name)), **table(given[name])} for name in given]
        return not any("git" in each or "registry" in each for each in wanted)

    def _find(self, crate: Crate, path: str) -> None:
        text = self.project.text(path)
        possible = [
            (framework, pattern)
            for framework, pattern, names in _SITES
            if crate.dependencies & set(names) and framework.removeprefix("rusty-") in text
        ]
        if not possible:
            return
        for call in calls(text, "rs"):
            framework = next((name for name, made in possible if made.search(call.name)), None)
            if framework is not None:
                line = self.project.line(path, call.line)
                queues = (
                    tuple(re.findall(r'"([\w-]+)"', " ".join(call.arguments))[:6])
                    if framework == "rusty-sidekiq"
                    else ()
                )
                self.sites.setdefault(crate.dir, []).append(
                    Site(framework, path, call.line, line, queues)
                )

    def works(self, crate: Crate) -> list[Site]:
        """Return the sites of a crate and of those of this project that it is made of."""
        return [site for each in self._made_of(crate) for site in self.sites.get(each.dir, [])]

    def framework_of(self, crate: Crate) -> str:
        """Return the framework of a worker whose making is not here; empty if it is not clear.

        That is the one that it depends on, or, where the making is in a repository of its own, the
        one that the others of this project give jobs to and none works for.
        """
        depended = _frameworks([crate])
        if not depended and not crate.is_open and not self.sites:
            depended = _frameworks(self.crates)
        return depended.pop() if len(depended) == 1 else ""

    def _made_of(self, crate: Crate) -> list[Crate]:
        """Return a crate and those of this project that it depends on, however far."""
        found: list[Crate] = []
        waiting = [crate]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.append(current)
                waiting += [other for other in self.crates if other.name in current.dependencies]
        return found

    def reaches(self, crate: Crate, main: str) -> bool:
        """Tell if a binary has to do with the workers of its crate, where there are several."""
        if crate.dir not in self.sites and not any(map(self._is_about_work, crate.files)):
            return False  # the crate that makes workers is used for something else
        if len(crate.binaries) < 2:
            return True
        others = {each for each in crate.binaries.values() if each != main}
        near = [
            s
            for s in self.works(crate)
            if directory(s.path) == directory(main)
            and s.path not in others
            and directory(main) != f"{crate.dir}/src".removeprefix("./")
        ]
        return (
            bool(near)
            or any(s.path == main for s in self.works(crate))
            or self._is_about_work(main)
        )

    def _is_about_work(self, path: str) -> bool:
        return _AT_WORK.search(self.project.data(path).lower()) is not None

    def subcommand(self, crate: Crate) -> str:
        """Return the sub-command of clap that starts the worker; it is looked for once."""
        if crate.dir not in self._subcommands:
            self._subcommands[crate.dir] = self._find_subcommand(crate)
        return self._subcommands[crate.dir]

    def _find_subcommand(self, crate: Crate) -> str:
        for path in self.project.telling(crate.files, _COMMANDS):
            text = self.project.text(path)
            for body in re.findall(r"enum\s+\w*\s*\{(.*?)\n\}", text, re.DOTALL):
                for name in re.findall(r"^\s{4,8}([A-Z]\w+)\s*(?:[,({]|$)", body, re.M):
                    kebab = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
                    if re.search(r"worker|consum|queue-|jobs?$", kebab):
                        return kebab
        return ""

    def serves(self, crate: Crate, main: str) -> bool:
        """Tell if a binary is (also) a web server."""
        if len(crate.binaries) > 1 and WORKERISH.search(posixpath.basename(main)):
            return False
        files = [path for each in self._made_of(crate) for path in each.files]
        return any(self.project.telling(files, _SERVES))

    def is_called(self, main: str) -> bool:
        """Tell if a program works for those who call it, and takes nothing out of a queue."""
        data = self.project.data(main)
        return _SERVES.search(data) is not None and _CALLED.search(data) is not None


def _frameworks(crates: Iterable[Crate]) -> set[str]:
    """Return the worker frameworks that crates depend on."""
    names = frozenset(name for crate in crates for name in crate.dependencies)
    return {framework for framework, _, known in _SITES if names & set(known)}


def rust_program(source: RustSource, start: Start, dir: str) -> Launch | None:
    """Return what a command starts, if it is a binary of Cargo that works."""
    words = start.step.words
    if not source.crates:
        return None
    name, arguments = _binary_of(words)
    if not name and words[0] != "cargo":
        return None
    for crate in sorted(source.crates, key=lambda c: c.dir != dir):
        for binary, main in crate.binaries.items():
            if name and binary.replace("_", "-") != name.replace("_", "-"):
                continue
            if not name and (crate.dir != dir or len(crate.binaries) > 1):
                continue
            sites = source.works(crate)
            dedicated = WORKERISH.search(" ".join((binary, *arguments)))
            if not sites and dedicated and _is_worker_name(binary, arguments):
                if source.is_called(main):
                    return None
                return Launch(
                    source.framework_of(crate), "worker", words, f"{main} {' '.join(arguments)}"
                )
            if not sites or not source.reaches(crate, main):
                continue
            if source.serves(crate, main) and not _switched(start) and not (
                DEDICATED.search(binary) or WORKERISH.search(" ".join(arguments))
            ):  # fmt: skip
                continue
            if source.subcommand(crate) and not dedicated:
                continue
            return Launch(
                sites[0].framework,
                "worker",
                words,
                f"{main} {' '.join(arguments)}",
                merged_queues(sites),
            )
    return None


def _is_worker_name(binary: str, arguments: tuple[str, ...]) -> bool:
    verbs = [word for word in arguments if not word.startswith("-")]
    return any(re.search(r"(^|[-_])(worker|consumer)s?$", word) for word in (binary, *verbs[:1]))


def _switched(start: Start) -> bool:
    return start.for_work or any(
        re.search(r"WORKER|CONSUM|QUEUE", name) and value.lower() in ("1", "true", "on", "yes")
        for name, value in start.step.environment.items()
    )


def _binary_of(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    if words[:1] == ("cargo",) and "run" in words:
        rest = list(words[words.index("run") + 1 :])
        arguments = tuple(rest[rest.index("--") + 1 :]) if "--" in rest else ()
        for flag in ("--bin", "-p", "--package"):
            if flag in rest[:-1]:
                return rest[rest.index(flag) + 1], arguments
        return "", arguments
    if words[0] in ("cargo", "rustc"):
        return "", ()
    return posixpath.basename(words[0]), words[1:]


def infer(source: RustSource) -> Sources:
    """Return the binaries that work, and the workers inside of those that serve."""
    found = Sources()
    for crate in source.crates:
        sites = source.works(crate)
        if not sites:
            found.inferred += _made_elsewhere(source, crate)
            continue
        evidence = tuple(site.evidence for site in sites[:3])
        made = list(_of_crate(source, crate, sites))
        if made:
            found.inferred += made
        elif any(
            (crate.dir in source.sites or source.reaches(crate, main))
            and source.serves(crate, main)
            for main in crate.binaries.values()
        ):
            reason = "the binary that serves starts the worker, too"
            for name in dict.fromkeys(site.framework for site in sites):
                found.embedded.append(Embedded(name, crate.dir, reason, evidence))
    if found.inferred:
        found.embedded = []
    return found


def _made_elsewhere(source: RustSource, crate: Crate) -> Iterator[Inferred]:
    """Yield the binaries that are called workers, and are made of what is not here."""
    framework = "" if crate.is_open else source.framework_of(crate)
    for binary, main in crate.binaries.items() if framework else ():
        if _is_worker_name(binary, ()):
            words = ("cargo", "run", "--bin", binary)
            evidence = (Evidence(main, 1, "", "a worker by its name"),)
            yield Inferred(
                framework, "worker", words, crate.dir, "rust", evidence, main, (), None, 0.4
            )


def _of_crate(source: RustSource, crate: Crate, sites: list[Site]) -> Iterator[Inferred]:
    evidence = tuple(site.evidence for site in sites[:3])
    subcommand = source.subcommand(crate)
    for binary, main in crate.binaries.items():
        if not source.reaches(crate, main):
            continue
        if (
            len(crate.binaries) > 1
            and any(WORKERISH.search(b) for b in crate.binaries)
            and not WORKERISH.search(binary)
        ):
            continue
        words: tuple[str, ...] = (
            ("cargo", "run", "--bin", binary)
            if len(crate.binaries) > 1 or len(source.crates) > 1
            else ("cargo", "run")
        )
        if subcommand and not WORKERISH.search(binary):
            words = (binary, subcommand)
        elif source.serves(crate, main) and not DEDICATED.search(binary):
            continue
        app = f"{main} {subcommand}".strip()
        yield Inferred(
            sites[0].framework,
            "worker",
            words,
            crate.dir,
            "rust",
            evidence,
            app,
            merged_queues(sites),
            None,
            0.5,
        )
