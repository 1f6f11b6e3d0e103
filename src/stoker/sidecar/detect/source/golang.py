"""Go: which program reaches a worker, by which sub-command, and whether it also serves."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from stoker.sidecar.detect.expand import Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source import (
    DEDICATED,
    WORKERISH,
    Inferred,
    Site,
    Sources,
    merged_concurrency,
    merged_queues,
)
from stoker.sidecar.detect.source.go_air import started_by_air
from stoker.sidecar.detect.source.go_commands import Commands
from stoker.sidecar.detect.source.go_packages import GoSource, Program
from stoker.sidecar.detection import Embedded, Evidence, Role
from stoker.sidecar.interpolation import filled

_TOOLS = frozenset({"reflex", "dlv", "go", "make", "docker"})
_RUN_VALUES = frozenset({"-tags", "-ldflags", "-mod", "-exec", "-gcflags"})
_STARTS = re.compile(r"[Ww]orker|[Cc]onsumer|[Pp]rocessor|NewServer|\.Run\(|\.Start\(")
_CLEARLY_STARTS = re.compile(r"[Ww]orker|[Cc]onsumer|[Pp]rocessor")
_WORKER = re.compile(r"(^|[/_-])(workers?|consumers?)$")
_STARTING = re.compile(r"start|run|serve|launch|up$|work")
_ADDS = re.compile(r"enqueue|publish|produce|submit|send|client\b|add\b|push\b")
"""What a sub-command is called that gives others work."""
_SCHEDULING = re.compile(r"schedul|cron|beat|periodic", re.IGNORECASE)


class GoPrograms:
    """The programs of a project, and what its commands start of them."""

    def __init__(self, source: GoSource) -> None:
        self.source = source
        self.commands = Commands(source)
        self._by_target = {program.target: program for program in source.programs}

    # ---- commands -------------------------------------------------------------------------------

    def launch(self, start: Start, dir: str) -> Launch | None:
        """Return what a command of Go starts, if it is a worker or its scheduler."""
        if not self.source.sites:
            return self._called_worker(start)
        program, arguments = self._started(start, dir)
        sites = self.source.works(program) if program is not None else []
        if program and any(arguments[: len(of)] == of for of in self.commands.scheduling(program)):
            app = " ".join((program.target, *arguments))
            return Launch(sites[0].framework, "scheduler", start.step.words, app)
        if program is None or not sites or not self._is_for_work(program, arguments, start):
            return None
        role = _role(sites, (program.name, *arguments))
        return Launch(
            sites[0].framework, role, start.step.words, " ".join((program.target, *arguments)),
            merged_queues(sites), merged_concurrency(sites),
        )  # fmt: skip

    def _called_worker(self, start: Start) -> Launch | None:
        """Return a program without a framework whose image builds it of what is called a worker."""
        if not start.dockerfile or not self.source.modules:
            return None
        name = posixpath.basename(start.step.words[0])
        for target in self._targets(name, start.dockerfile, start.arguments):
            if _WORKER.search(target.rstrip("/").removesuffix("/main.go")):
                return Launch("", "worker", start.step.words, target)
        return None

    def _is_for_work(self, program: Program, arguments: Sequence[str], start: Start) -> bool:
        """Tell if a command does not start what else the program can do."""
        words = start.step.words
        flags = [f"{name}={value}" for name, value in start.step.environment.items()]
        commands = self.commands.of(program)
        verb = next(iter(arguments), "-")
        if not verb.startswith("-") and WORKERISH.search(verb) and self.source.serves(program) and (
            not self.commands.knows(program, verb)
        ):  # fmt: skip
            return False  # talk of a sub-command that there is not yet, or no longer
        told = [of for of in commands if tuple(arguments[: len(of)]) == of]
        if told:
            return self._is_starting(program, arguments[max(map(len, told)) :])
        if commands and self.commands.knows(program, verb):
            return False  # one of its other sub-commands, whatever it is called
        if _ADDS.match(verb):
            return False
        if start.for_work or WORKERISH.search(" ".join((verb, *flags))) or (
            DEDICATED.search(" ".join(arguments))
        ):  # fmt: skip
            return True
        if self._is_outnamed(program):
            return False
        named = self._is_named(program)
        if commands and not named:
            return False
        if DEDICATED.search(posixpath.basename(words[-1])):
            return True
        return named or (
            not self.source.serves(program) and self._starts(program, self.source.works(program))
        )

    def _is_starting(self, program: Program, rest: Sequence[str]) -> bool:
        """Tell if what follows a worker's sub-command is no other one: ``worker list``."""
        if not rest or rest[0] not in self.commands.names(program):
            return True
        return _STARTING.match(rest[0]) is not None or WORKERISH.search(rest[0]) is not None

    def _is_named(self, program: Program) -> bool:
        """Tell if a program is called what is there for work; the only one that serves, clearly."""
        if DEDICATED.search(program.name) or not WORKERISH.search(program.name):
            return DEDICATED.search(program.name) is not None
        others = (each for each in self.source.programs if not self.source.works(each))
        return not self.source.serves(program) or any(map(self.source.serves, others))

    def _is_outnamed(self, program: Program) -> bool:
        """Tell if another program is more clearly called a worker, and runs all that this could.

        Then this one only has to do with the same queues: it shows them, or adds to them.
        """
        return any(
            _clarity(other) > _clarity(program)
            and all(site in self.source.works(other) for site in self.source.works(program))
            for other in self.source.programs
        )

    def _started(self, start: Start, dir: str) -> tuple[Program | None, tuple[str, ...]]:
        words = start.step.words
        if words[:2] == ("go", "run"):
            return self._run(words[2:], dir)
        name = posixpath.basename(words[0])
        if name == "air":
            built = started_by_air(self.source.project, words, dir)
            return (self._at(built[0], [dir]), built[1]) if built else (None, ())
        if words[0] in _TOOLS or not name:
            return None, ()
        program = (
            self._built(name, dir, start)
            or self._called(name, dir)
            or (self._like(words[0], dir, start) if self._may_be_built(words[0]) else None)
        )
        if program is None and (served := self._taking(words[0], dir)):
            return served, words
        return program, words[1:] if program else ()

    def _taking(self, word: str, dir: str) -> Program | None:
        """Return the one program of which a word is a sub-command: its image starts it."""
        if word not in self._verbs:
            return None
        programs = self._inside(dir)
        return next((p for p in programs if any(of[0] == word for of in self.commands.of(p))), None)

    @cached_property
    def _verbs(self) -> frozenset[str]:
        return frozenset(of[0] for p in self.source.programs for of in self.commands.of(p))

    def _run(self, words: Sequence[str], dir: str) -> tuple[Program | None, tuple[str, ...]]:
        """Return what ``go run`` is given: a file, a directory or the path of a package."""
        rest = list(words)
        while rest and rest[0].startswith("-"):
            rest = rest[2:] if rest[0] in _RUN_VALUES else rest[1:]
        if not rest:
            return None, ()
        arguments = tuple(word for word in rest[1:] if not word.endswith(".go"))
        return self._at(rest[0], [dir]), arguments

    def _at(self, target: str, bases: Sequence[str]) -> Program | None:
        """Return the program of a file, a directory or the path of a package."""
        known = self._by_target
        for base in bases:
            path = posixpath.normpath(posixpath.join(base, target))
            found = known.get(path) or (
                known.get(directory(path)) if path.endswith(".go") else None
            )
            if found is not None:
                return found
        return known.get(self.source.dir_of(target))

    def _built(self, name: str, dir: str, start: Start) -> Program | None:
        """Return what is built under a name: ``go build -o bin/worker ./cmd/tasks``."""
        for path in [start.dockerfile] if start.dockerfile else self.source.recipes:
            for target in self._targets(name, path, start.arguments):
                bases = [dir, directory(path), ".", *self.source.modules]
                program = self._at(target, bases)
                if program is not None:
                    return program
        return None

    def _targets(self, name: str, path: str, arguments: dict[str, str]) -> Iterator[str]:
        """Yield what a recipe builds under a name, with what its image is built with put in."""
        known = self.source.usual(path) | arguments
        for out, targets in self.source.built(path).items():
            if name in (out, filled(out, known)):
                yield from (filled(target, known) for target in targets)

    def _called(self, name: str, dir: str) -> Program | None:
        if name not in self._names:
            return None
        return next((p for p in self._inside(dir) if p.name == name), None)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(program.name for program in self.source.programs)

    def _inside(self, dir: str) -> list[Program]:
        known = self.source.programs
        return [p for p in known if dir == "." or f"{p.target}/".startswith(f"{dir}/")] or known

    def _may_be_built(self, word: str) -> bool:
        return word.startswith(("/", "./", "bin/")) or word in self._module_names

    @cached_property
    def _module_names(self) -> frozenset[str]:
        modules = self.source.modules.values()
        return frozenset(posixpath.basename(re.sub(r"/v\d+$", "", each)) for each in modules)

    def _like(self, word: str, dir: str, start: Start) -> Program | None:
        """Return the program that a binary is named after, more or less.

        In an image of the project's own, it may be called anything.
        """
        name = posixpath.basename(word)
        inside = self._inside(dir)
        close = [p for p in inside if p.name and name.replace("_", "-").startswith(p.name)]
        close += [p for p in inside if p.name and p.name in re.split(r"[-_]", name)]
        if close:
            return close[0]
        if (len(inside) == 1 and not start.pulled) or name in self._module_names:
            return next((p for p in inside if p.target in self.source.modules), inside[0])
        return None

    # ---- what nobody wrote down -----------------------------------------------------------------

    def infer(self) -> Sources:
        """Return the programs that work, and the workers inside of programs that serve."""
        found = Sources()
        embedding: list[Embedded] = []
        for program in self.source.programs if self.source.sites else ():
            sites = self.source.works(program)
            inferred = list(self._of(program, sites)) if sites else []
            found.inferred += inferred
            if sites and not inferred and self.source.serves(program):
                embedding += _embedded(self.source.module_of(program), sites)
        if not any(each.role == "worker" for each in found.inferred):
            found.embedded = embedding
        return found

    def _of(self, program: Program, sites: Sequence[Site]) -> Iterator[Inferred]:
        module = self.source.module_of(program)
        target = posixpath.relpath(program.target, module)
        start = ("go", "run", target if program.is_file or target == "." else f"./{target}")
        evidence = _evidence(sites, "worker")
        queues, count = merged_queues(sites), merged_concurrency(sites)
        commands = self.commands.of(program)
        for words in commands[:1]:
            yield Inferred(
                sites[0].framework, "worker", (self._binary(program, module), *words), module,
                "go", evidence, " ".join((program.target, *words)), queues, count, 0.6,
                ((*start, *words),),
            )  # fmt: skip
        for words in self.commands.scheduling(program)[:1]:
            yield Inferred(
                sites[0].framework, "scheduler", (self._binary(program, module), *words), module,
                "go", _evidence(sites, "scheduler"), " ".join((program.target, *words)), (), None,
                0.6,
                ((*start, *words),),
            )  # fmt: skip
        named = self._is_named(program)
        if not commands and (named or not self.source.serves(program)) and (
            self._starts(program, sites) and not self._is_outnamed(program)
        ):  # fmt: skip
            yield Inferred(
                sites[0].framework, _role(sites, (program.name,)), start, module, "go", evidence,
                program.target, queues, count, 0.6,
            )  # fmt: skip

    def _starts(self, program: Program, sites: Sequence[Site]) -> bool:
        """Tell if a program runs workers, and does not only import the package that could."""
        if any(directory(site.path) == program.dir for site in sites) or self._is_named(program):
            return True
        own = [path for path in self.source.files(program) if directory(path) == program.dir]
        texts = " ".join(self.source.project.text(path) for path in own)
        if "Execute(" in texts:  # its commands, a package away, are what it does
            imports = self.source.imports
            commands = [p for path in own for dir in imports.of(path) for p in imports.of(dir)]
            texts += " ".join(self.source.project.text(path) for path in commands)
        starting = _CLEARLY_STARTS if self._is_of_app(program, sites) else _STARTS
        return starting.search(texts) is not None

    def _is_of_app(self, program: Program, sites: Sequence[Site]) -> bool:
        """Tell if the app runs the same workers: then a program beside it is likely a tool."""
        return any(
            other != program and self.source.serves(other)
            and all(site in self.source.works(other) for site in sites)
            for other in self.source.programs
        )  # fmt: skip

    def _binary(self, program: Program, module: str) -> str:
        if program.target in (".", module):
            path = self.source.modules.get(module, "app")
            return f"./{posixpath.basename(re.sub(r'/v[0-9]+$', '', path))}"
        return f"./{program.name}"


def _clarity(program: Program) -> int:
    """Return how clearly a program is called a worker."""
    return bool(WORKERISH.search(program.name)) + bool(DEDICATED.search(program.name))


def _evidence(sites: Sequence[Site], role: Role) -> tuple[Evidence, ...]:
    """Return where something is made, what has a role first."""
    return tuple(each.evidence for each in sorted(sites, key=lambda site: site.role != role)[:3])


def _role(sites: Sequence[Site], words: Sequence[str]) -> Role:
    """Return what a program is for: one that makes both is a worker, unless it is told not to."""
    roles = {site.role for site in sites}
    if "worker" not in roles:
        return "scheduler"
    both = len(roles) > 1
    return "scheduler" if both and _SCHEDULING.search(" ".join(words)) else "worker"


def _embedded(module: str, sites: Sequence[Site]) -> Iterator[Embedded]:
    working = [site for site in sites if site.role == "worker"]
    reason = "the program that serves starts the worker, too"
    for framework in dict.fromkeys(site.framework for site in working):
        evidence = tuple(site.evidence for site in working if site.framework == framework)
        yield Embedded(framework, module, reason, evidence[:3])
