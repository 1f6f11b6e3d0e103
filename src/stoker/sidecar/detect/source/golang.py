"""Go: which ``main`` reaches a worker, by which sub-command, and whether it also serves."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from stoker.sidecar.detect.candidates import Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.packages import Manifests, directory
from stoker.sidecar.detect.source import (
    WORKERISH,
    Inferred,
    Site,
    Sources,
    merged_concurrency,
    merged_queues,
)
from stoker.sidecar.detect.source.syntax import Call, calls
from stoker.sidecar.detect.written import is_aside
from stoker.sidecar.detection import Embedded
from stoker.sidecar.project import Project

_PACKAGES = {
    "github.com/hibiken/asynq": ("asynq", re.compile(r"(^|\.)NewServer$")),
    "github.com/riverqueue/river": (
        "river",
        re.compile(r"(^|\.)(NewWorkers|AddWorker|AddWorkerSafely)$"),
    ),
    "github.com/gocraft/work": ("gocraft", re.compile(r"(^|\.)NewWorkerPool(WithOptions)?$")),
    "github.com/RichardKnop/machinery": (
        "machinery",
        re.compile(r"(^|\.)(NewWorker|NewCustomQueueWorker)$"),
    ),
    "github.com/contribsys/faktory_worker_go": ("faktory", re.compile(r"(^|\.)NewManager$")),
}
_IMPORT = re.compile(r'^\s*(?:import\s+)?(?:([\w.]+)\s+)?"([^"\n]+)"\s*(?://.*)?$', re.MULTILINE)
_SERVES = re.compile(
    r"ListenAndServe|gin\.(Default|New)\(|echo\.New\(|fiber\.New\(|\.Serve\(|grpc\.NewServer\(|\.Listen\("
)


class Command(msgspec.Struct, frozen=True):
    """A sub-command of cobra or urfave/cli, or a case of ``os.Args[1]``."""

    name: str
    path: str
    line: int
    variable: str
    body: str


class GoSource:
    """All of a project's Go."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self.project, self.manifests = project, manifests
        self.modules: dict[str, str] = {}
        for path in project.named("go.mod"):
            found = re.search(r"^module\s+(\S+)", project.text(path), re.MULTILINE)
            if found and not is_aside(path):
                self.modules[directory(path)] = found[1]
        self.packages: dict[str, list[str]] = {}
        """Directory → its files."""
        self.imports: dict[str, set[str]] = {}
        self.sites: dict[str, list[Site]] = {}
        wanted = [d for d in manifests.dependencies if d.language == "go"]
        known = {name for name in _PACKAGES if any(d.name.startswith(name) for d in wanted)}
        if not known:
            return
        for path in project.suffixed("go"):
            if not path.endswith("_test.go") and not is_aside(path) and "/mock" not in path:
                self._add(path)

    def _add(self, path: str) -> None:
        text = self.project.text(path)
        dir = directory(path)
        self.packages.setdefault(dir, []).append(path)
        imports = _IMPORT.findall(text[: text.find("\nfunc ") if "\nfunc " in text else None])
        own = self.imports.setdefault(dir, set())
        for _, name in imports:
            found = self._dir_of(name)
            if found:
                own.add(found)
        for alias, name in imports:
            base = re.sub(r"/v\d+(/|$)", r"\1", name)
            for package, (framework, pattern) in _PACKAGES.items():
                if base == package or (base.startswith(f"{package}/") and framework == "machinery"):
                    del alias
                    self._find(path, text, framework, pattern)
                    break

    def _find(self, path: str, text: str, framework: str, pattern: re.Pattern[str]) -> None:
        found = calls(text, "go")
        for call in found:
            if (
                pattern.search(call.name)
                and (framework not in ("machinery",) or len(call.arguments) >= 1)
                and not (framework == "asynq" and "grpc" in call.name)
                and not (framework == "asynq" and "http" in call.name)
            ):
                line = self.project.lines(path)[call.line - 1]
                if "httptest" in line or (
                    framework == "asynq"
                    and "." in call.name
                    and not call.name.startswith(("asynq.", "queue", "hibiken", "async"))
                ):
                    continue
                self.sites.setdefault(directory(path), []).append(Site(
                    framework, path, call.line, line, tuple(_queues(text, framework)),
                    _concurrency(call, text),
                ))  # fmt: skip

    def _dir_of(self, name: str) -> str:
        for dir, module in self.modules.items():
            if name == module or name.startswith(f"{module}/"):
                return posixpath.normpath(posixpath.join(dir, name[len(module) :].lstrip("/")))
        return ""

    def mains(self) -> Iterator[str]:
        """Yield the directories of the programs."""
        for dir, paths in self.packages.items():
            if any(
                re.search(r"^package main\b", self.project.text(p), re.M)
                and re.search(r"^func main\(", self.project.text(p), re.M)
                for p in paths
            ):
                yield dir

    def reached(self, dir: str) -> set[str]:
        """Return all packages that a program is made of."""
        seen = {dir}
        waiting = [dir]
        while waiting:
            for each in self.imports.get(waiting.pop(), ()):
                if each not in seen:
                    seen.add(each)
                    waiting.append(each)
        return seen

    def works(self, dir: str) -> list[Site]:
        """Return the sites that a program reaches, nearest first."""
        own = self.sites.get(dir, [])
        return own + [
            s for each in sorted(self.reached(dir) - {dir}) for s in self.sites.get(each, [])
        ]

    def serves(self, dir: str) -> bool:
        """Tell if a program opens a port for others than its own health."""
        return any(
            _SERVES.search(self.project.text(path))
            for each in self.reached(dir)
            for path in self.packages.get(each, ())
        )

    def commands(self, dir: str) -> list[tuple[Command, tuple[str, ...]]]:
        """Return the sub-commands of a program that start a worker, each with its words."""
        found: list[Command] = []
        parents: dict[str, str] = {}
        for each in sorted(self.reached(dir)):
            for path in self.packages.get(each, ()):
                text = self.project.text(path)
                if (
                    "cobra" in text
                    or "cli.Command" in text
                    or "os.Args" in text
                    or "flag." in text
                    or "kingpin" in text
                ):
                    found += _commands(path, text)
                    for parent, child in re.findall(
                        r"(\w+)\.AddCommand\(([^()]*(?:\([^()]*\)[^()]*)*)\)", text
                    ):
                        for name in re.findall(r"\w+", child):
                            parents[name] = parent
        names = {command.variable: command for command in found if command.variable}
        if parents:
            found = [each for each in found if not each.variable or each.variable in parents]
        named = [command for command in found if self._starts_worker(command)]
        chosen = named or [command for command in found if self._makes_worker(command)]
        return [(command, _words_of(command, names, parents)) for command in chosen]

    def _makes_worker(self, command: Command) -> bool:
        """Tell if a worker is made in the very file of a sub-command."""
        return any(s.path == command.path for s in self.sites.get(directory(command.path), ()))

    def _starts_worker(self, command: Command) -> bool:
        if not WORKERISH.search(command.name):
            return False
        if re.search(
            r"[Ww]orker|asynq|river|faktory|[Cc]onsum|[Pp]rocess|NewServer|NewManager|[Jj]ob|[Qq]ueue",
            command.body,
        ):
            return True
        return bool(re.search(r"work", command.name))


def _commands(path: str, text: str) -> Iterator[Command]:
    pattern = (
        r"(?:\b(\w+)\s*:?=\s*)?(?:&?(?:cobra|cli)\.Command\s*\{|\{)\s*\n?(?:[^{}]*?\n)?"
        r'\s*(?:Use|Name)\s*:\s*"([\w:-]+)[^"\n]*",'
    )
    for found in re.finditer(pattern, text):
        start = text.count("\n", 0, found.start(2)) + 1
        before = re.findall(r"func\s+(?:\([^)]*\)\s*)?(\w+)\(", text[: found.start()])
        variable = found[1] or (before[-1] if before else "")
        yield Command(found[2], path, start, variable, text[found.start() : found.start() + 3_000])
    for found in re.finditer(r'case\s+((?:"[\w:-]+",?\s*)+):', text):
        if "os.Args" in text or "flag.Arg" in text:
            name = re.findall(r'"([\w:-]+)"', found[1])[0]
            body = text[found.end() : found.end() + 400].partition("case ")[0]
            yield Command(name, path, text.count("\n", 0, found.start()) + 1, "", body)


def _words_of(
    command: Command, names: dict[str, Command], parents: dict[str, str]
) -> tuple[str, ...]:
    words = [command.name]
    seen = {command.variable}
    parent = parents.get(command.variable, "")
    while parent in names and parent not in seen and parent in parents:
        seen.add(parent)
        words.insert(0, names[parent].name)
        parent = parents[parent]
    return tuple(words)


def _queues(text: str, framework: str) -> Iterator[str]:
    if framework == "asynq":
        for block in re.finditer(r"Queues\s*:\s*map\[string\]int\{([^}]*)\}", text):
            for line in block[1].split(","):
                name = line.partition(":")[0].strip()
                yield from _literal(name, text)
    elif framework == "river":
        for block in re.finditer(r"map\[string\]river\.QueueConfig\{(.*?)\n\s*\}", text, re.DOTALL):
            for name in re.findall(r'(river\.QueueDefault|"[\w-]+")\s*:', block[1]):
                yield "default" if name == "river.QueueDefault" else name.strip('"')
    elif framework == "faktory":
        for block in re.finditer(
            r"ProcessStrictPriorityQueues\(([^)]*)\)|ProcessWeightedPriorityQueues\(([^)]*)\)", text
        ):
            yield from re.findall(r'"([\w-]+)"', block[0])


def _literal(name: str, text: str) -> Iterator[str]:
    if re.fullmatch(r'"[\w.:-]+"', name):
        yield name.strip('"')
    elif re.fullmatch(r"[\w.]+", name):
        found = re.search(rf'\b{re.escape(name.rpartition(".")[2])}\s*=\s*"([\w.:-]+)"', text)
        if found:
            yield found[1]


def _concurrency(call: Call, text: str) -> int | None:
    found = re.search(r"Concurrency\s*:\s*(\d+)", " ".join(call.arguments))
    found = found or re.search(r"\.Concurrency\s*=\s*(\d+)", text)
    return int(found[1]) if found else None


# ---- programs -----------------------------------------------------------------------------------


def go_program(source: GoSource, start: Start, dir: str) -> Launch | None:
    """Return what a command of Go starts, if it is a worker."""
    main, arguments = _main_of(source, start.step.words, dir)
    if not main:
        return None
    sites = source.works(main)
    if not sites:
        return None
    words = " ".join(start.step.words)
    base = posixpath.basename(main) if main != "." else ""
    flags = " ".join(f"{name}={value}" for name, value in start.step.environment.items())
    if WORKERISH.search(" ".join((*arguments, flags))) or any(
        arguments[: len(of)] == of for _, of in source.commands(main)
    ):
        pass
    elif source.commands(main) and not WORKERISH.search(base):
        return None  # another sub-command of the program that has one for the worker
    elif (
        source.serves(main)
        and not WORKERISH.search(base)
        and not WORKERISH.search(words.rpartition("/")[2])
    ):
        return None
    return Launch(
        sites[0].framework, "worker", start.step.words, " ".join((main, *arguments)),
        merged_queues(sites), merged_concurrency(sites),
    )  # fmt: skip


def _main_of(source: GoSource, words: Sequence[str], dir: str) -> tuple[str, tuple[str, ...]]:
    mains = list(source.mains()) if source.sites else []
    if not mains:
        return "", ()
    if words[:2] == ("go", "run"):
        rest = list(words[2:])
        while rest and rest[0].startswith("-"):
            rest = rest[2:] if rest[0] in ("-tags", "-ldflags", "-mod") else rest[1:]
        if not rest:
            return "", ()
        target = posixpath.normpath(posixpath.join(dir, rest[0]))
        target = directory(target) if target.endswith(".go") else target
        arguments = [word for word in rest[1:] if not word.endswith(".go")]
        return (target, tuple(arguments)) if target in mains else ("", ())
    program = words[0]
    if program in ("air", "reflex", "dlv", "go", "make", "docker"):
        return "", ()
    name = posixpath.basename(program)
    inside = [m for m in mains if dir == "." or m == dir or m.startswith(f"{dir}/")] or mains
    for main in inside:
        if posixpath.basename(main) == name and main != ".":
            return main, tuple(words[1:])
    modules = [posixpath.basename(re.sub(r"/v\d+$", "", m)) for m in source.modules.values()]
    if program.startswith(("/", "./", "bin/")) or name in modules:
        close = [
            m
            for m in inside
            if name.replace("_", "-").startswith(posixpath.basename(m)) and m != "."
        ]
        close += [
            m
            for m in inside
            if posixpath.basename(m) and posixpath.basename(m) in re.split(r"[-_]", name)
        ]
        if close:
            return close[0], tuple(words[1:])
        if len(inside) == 1 or name in modules:
            root = [m for m in inside if m in source.modules] or inside
            return root[0], tuple(words[1:])
    return "", ()


def infer(source: GoSource) -> Sources:
    """Return the programs that work, and the workers inside of programs that serve."""
    found = Sources()
    if not source.sites:
        return found
    embedding: list[tuple[str, list[Site]]] = []
    for main in sorted(source.mains()):
        sites = source.works(main)
        if not sites:
            continue
        evidence = tuple(site.evidence for site in sites[:3])
        module = next(
            (
                d
                for d in sorted(source.modules, key=len, reverse=True)
                if d == "." or main == d or main.startswith(f"{d}/")
            ),
            ".",
        )
        relative = main if module == "." else main.removeprefix(module).lstrip("/") or "."
        start = ("go", "run", f"./{relative}" if relative != "." else ".")
        commands = source.commands(main)
        queues, count = merged_queues(sites), merged_concurrency(sites)
        if commands:
            for command, words in commands[:1]:
                name = _binary(source, main, module)
                program = (name, *words)
                found.inferred.append(Inferred(
                    sites[0].framework, "worker", program, module, "go", evidence,
                    " ".join((main, *words)), queues, count, 0.6, ((*start, *words),),
                ))  # fmt: skip
                del command
        elif WORKERISH.search(posixpath.basename(main)) or not source.serves(main):
            if _starts(source, main, sites):
                found.inferred.append(Inferred(
                    sites[0].framework, "worker", start, module, "go", evidence, main, queues,
                    count, 0.6,
                ))  # fmt: skip
        else:
            embedding.append((module, sites))
    if not found.inferred:
        for module, sites in embedding:
            reason = "the program that serves starts the worker, too"
            evidence = tuple(site.evidence for site in sites[:3])
            found.embedded.append(Embedded(sites[0].framework, module, reason, evidence))
    return found


def _starts(source: GoSource, main: str, sites: Sequence[Site]) -> bool:
    """Tell if a program runs workers, and does not only import the package that could."""
    texts = " ".join(source.project.text(path) for path in source.packages.get(main, ()))
    if any(directory(site.path) == main for site in sites) or WORKERISH.search(
        posixpath.basename(main)
    ):
        return True
    return (
        re.search(r"[Ww]orker|[Cc]onsumer|[Pp]rocessor|NewServer|\.Run\(|\.Start\(", texts)
        is not None
    )


def _binary(source: GoSource, main: str, module: str) -> str:
    name = posixpath.basename(main) if main not in (".", module) else posixpath.basename(
        re.sub(r"/v\d+$", "", source.modules.get(module, "app")))  # fmt: skip
    return f"./{name}"
