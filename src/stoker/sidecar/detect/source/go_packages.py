"""Go's packages: what they import, where they make workers, which of them are programs."""

from __future__ import annotations

import functools
import itertools
import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from stoker.sidecar.detect.generated import is_generated
from stoker.sidecar.detect.manifests import Manifests, directory
from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.source.programs import Imports, places
from stoker.sidecar.detect.source.syntax import Call, calls
from stoker.sidecar.detection import Role
from stoker.sidecar.project import Project, decoded


class Library(msgspec.Struct, frozen=True):
    """How a worker is made with a framework."""

    framework: str
    path: str
    functions: frozenset[str] = frozenset()
    """Called on the package: ``asynq.NewServer(``."""
    methods: frozenset[str] = frozenset()
    """Called on what the package made: ``server.NewWorker(``."""
    schedulers: frozenset[str] = frozenset()
    """Functions that make what may run only once."""

    @property
    def makers(self) -> frozenset[str]:
        """Return all of them: a file without any only adds jobs."""
        return self.functions | self.methods | self.schedulers


_LIBRARIES = (
    Library(
        "asynq", "github.com/hibiken/asynq",
        frozenset({"NewServer", "NewServerFromRedisClient"}),
        schedulers=frozenset({
            "NewScheduler", "NewSchedulerFromRedisClient", "NewPeriodicTaskManager",
        }),
    ),
    Library(
        "river", "github.com/riverqueue/river",
        frozenset({"NewWorkers", "AddWorker", "AddWorkerSafely"}),
    ),
    Library(
        "gocraft", "github.com/gocraft/work",
        frozenset({"NewWorkerPool", "NewWorkerPoolWithOptions"}),
    ),
    Library(
        "machinery", "github.com/RichardKnop/machinery",
        methods=frozenset({"NewWorker", "NewCustomQueueWorker"}),
    ),
    Library("faktory", "github.com/contribsys/faktory_worker_go", frozenset({"NewManager"})),
)  # fmt: skip
_IMPORT = re.compile(r'^\s*(?:import\s+)?(?:([\w.]+)\s+)?"([^"\n]+)"\s*(?://.*)?$', re.MULTILINE)
_DECLARED = (b"\nfunc ", b"\ntype ", b"\nvar ", b"\nconst ")
"""What only imports can stand before; but for the first, a person's comment may have it, too."""
_MAIN = re.compile(r"^func main\(\)", re.MULTILINE)
_PACKAGE_MAIN = re.compile(r"^package main\b", re.MULTILINE)
_BUILT = re.compile(r"""\bgo\s+(?:build|install)\s+((?:"[^"\n]*"|'[^'\n]*'|[^\n;&|"'])+)""")
_PHRASE = re.compile(r""""[^"\n]*\s[^"\n]*"|'[^'\n]*\s[^'\n]*'""")
"""What is quoted for its spaces: flags of the linker, and what a shell is to put in there."""
_SERVES = re.compile(
    r"ListenAndServe|gin\.(Default|New)\(|echo\.New\(|fiber\.New\(|\.Serve\(|grpc\.NewServer\(|"
    r"\.Listen\(|\*grpc\.Server\b|MustNewServer\(|beego\.Run\(|iris\.(New|Default)\(|"
    r"pocketbase\.New\(|discordgo\.New\(|kratos\.New\(|micro\.NewService\(|g(?<!\wg)\.Server\("
)

_ROUTE = re.compile(
    r"\.(?:Handle|HandleFunc|Get|Post|Put|Patch|Delete|Head|Any|Mount|Group|Route|Use|Static"
    r'|GET|POST|PUT|PATCH|DELETE|HEAD)\(\s*"(?:[A-Z]+ )?(/[^"\n]*)"'
)
_ROUTER = re.compile(r"http\.(?:Handle|ResponseWriter|NewServeMux)|\b(?:chi|gin|echo|fiber|mux)\.")
_PROBE = re.compile(
    r"/(?:api/|v\d+/)?(?:-/|_)?(?:metrics|health\w*|healthz/\w+|livez?|liveness|readyz?|readiness|ping"
    r"|debug/pprof\S*)/?"
)
"""What an orchestrator asks: a worker that only answers that is no web app."""


class Program(msgspec.Struct, frozen=True):
    """What ``go run`` starts: a package ``main``, or a file that is one for itself."""

    target: str
    """The directory, or the file."""

    @property
    def is_file(self) -> bool:
        """Tell if only this file belongs to it."""
        return self.target.endswith(".go")

    @property
    def dir(self) -> str:
        """Return the directory that it lies in."""
        return directory(self.target) if self.is_file else self.target

    @property
    def name(self) -> str:
        """Return what it is called: the binary's name, if nobody gives it another one."""
        return "" if self.target == "." else posixpath.basename(self.target).removesuffix(".go")


class GoSource:
    """All of a project's Go."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self.project, self.manifests = project, manifests
        self.modules: dict[str, str] = {}
        """Directory → the module's path."""
        for path in project.named("go.mod"):
            found = re.search(r"^module\s+(\S+)", project.text(path), re.MULTILINE)
            if found and not self.project.is_aside(path):
                self.modules[directory(path)] = found[1]
        self.imports = Imports()
        """Of files and of directories, which import their files."""
        self.sites: dict[str, list[Site]] = {}
        self.programs: list[Program] = []
        self._using: dict[str, set[str]] = {}
        """Framework → the directories with files that import it."""
        self._perhaps: list[str] = []
        """The files that call a method of a framework's name, and import none."""
        self._serving: dict[str, bool] = {}
        self._apps: dict[Program, bool] = {}
        self._probing: dict[str, bool | None] = {}
        self._built: dict[str, dict[str, list[str]]] = {}
        names = [d.name for d in manifests.dependencies if d.language == "go"]
        if not any(library_of(name) for name in names):
            return
        for path in project.suffixed("go"):
            if (
                not path.endswith("_test.go")
                and not self.project.is_aside(path)
                and "/mock" not in path
            ):
                self._add(path)
        for library in _LIBRARIES:
            if library.methods:
                self._add_methods(library)
        self.programs.sort(key=lambda program: program.target)

    def _add(self, path: str) -> None:
        data = self.project.data(path)
        begun = _DECLARED if is_generated(self.project, path) else _DECLARED[:1]
        ends = [at for each in begun if (at := data.find(each)) >= 0]
        imports = _IMPORT.findall(decoded(data[: min(ends, default=None)]))
        self.imports.add(path, filter(None, (self.dir_of(name) for _, name in imports)))
        self.imports.add(directory(path), [path])
        for library in _LIBRARIES:
            names = {
                local
                for alias, name in imports
                if library_of(name) is library
                for local in _local_names(alias, name)
            }
            if names:
                self._using.setdefault(library.framework, set()).add(directory(path))
            if any(name.encode() in data for name in library.makers):
                if names:
                    self._find(path, self.project.text(path), library, names)
                elif library.methods:
                    self._perhaps.append(path)
        if b"func main()" in data:
            text = self.project.text(path)
            if _MAIN.search(text) and _PACKAGE_MAIN.search(text):
                self._add_main(path, directory(path))

    def _add_methods(self, library: Library) -> None:
        """Find what is called on a value that another package of the project made."""
        using = self._using.get(library.framework, set())
        for path in self._perhaps if using else ():
            if using & {directory(path), *self.imports.of(path)}:
                self._find(path, self.project.text(path), library, set())

    def _add_main(self, path: str, dir: str) -> None:
        """Note a program. Of several in one directory, each file is run for itself."""
        others = [p for p in self.programs if p.dir == dir]
        if not others:
            self.programs.append(Program(dir))
        elif not others[0].is_file:
            self.programs.remove(others[0])
            first = next(p for p in self.imports.of(dir) if _MAIN.search(self.project.text(p)))
            self.programs += [Program(first), Program(path)]
        else:
            self.programs.append(Program(path))

    def _find(self, path: str, text: str, library: Library, names: set[str]) -> None:
        for call in calls(text, "go"):
            on, _, last = call.name.rpartition(".")
            role: Role = "worker"
            if on in names and last in library.schedulers:
                role = "scheduler"
            elif not (on in names and last in library.functions) and not (
                last in library.methods and call.arguments
            ):
                continue
            line = self.project.line(path, call.line)
            queues = tuple(_queues(text, library.framework)) if role == "worker" else ()
            self.sites.setdefault(path, []).append(
                Site(library.framework, path, call.line, line, queues, _concurrency(call, text),
                     role)
            )  # fmt: skip

    @cached_property
    def recipes(self) -> list[str]:
        """The files that may say under which name a program is built."""
        found = self.project.matching(r"(docker|make|just|task)file.*|.*\.(mk|sh|ya?ml|md)")
        return [path for path in found if b"go build" in self.project.data(path)]

    def built(self, path: str) -> dict[str, list[str]]:
        """Return what a recipe builds by name: ``go build -o bin/worker ./cmd/tasks``."""
        if path not in self._built:
            found = self._built[path] = {}
            text = self.project.text(path).replace("\\\n", " ")
            for words in (_PHRASE.sub("-", each[1]).split() for each in _BUILT.finditer(text)):
                out = next((b for a, b in itertools.pairwise(words) if a == "-o"), "")
                name = posixpath.basename(out.strip("\"'"))
                if name and words[-1] != out:
                    found.setdefault(name, []).append(words[-1].strip("\"'"))
        return self._built[path]

    def dir_of(self, name: str) -> str:
        """Return the directory of an imported package, if it is one of this project."""
        for dir, module in self.modules.items():
            if name == module or name.startswith(f"{module}/"):
                return posixpath.normpath(posixpath.join(dir, name[len(module) :].lstrip("/")))
        return ""

    def module_of(self, program: Program) -> str:
        """Return the directory of the module that a program belongs to."""
        inside = [d for d in self.modules if d != "." and f"{program.dir}/".startswith(f"{d}/")]
        return max(inside, key=len, default=".")

    def files(self, program: Program) -> list[str]:
        """Return the files that a program is made of, those of its own directory first."""
        reached = [p for p in self.imports.reached(program.target) if p.endswith(".go")]
        return sorted(reached, key=lambda path: (directory(path) != program.dir, path))

    def works(self, program: Program) -> list[Site]:
        """Return the sites that a program reaches, nearest first."""
        found = places(self.sites, self.imports.reached(program.target))
        found.sort(key=lambda path: directory(path) != program.dir)
        return [site for path in found for site in self.sites[path]]

    def serves(self, program: Program) -> bool:
        """Tell if a program opens a port for others than those who ask for its health."""
        if program not in self._apps:
            files = self.files(program)
            serving = [path for path in files if self.is_serving(path)]
            probed = self._is_probed(serving) and self._is_probed(files)
            self._apps[program] = bool(serving) and not probed
        return self._apps[program]

    def _is_probed(self, files: Sequence[str]) -> bool:
        """Tell if health and figures are all that files have routes for."""
        asked = False
        for path in files:
            probes = self._probes(path)
            if probes is False:
                return False
            asked = asked or probes is True
        return asked

    def _probes(self, path: str) -> bool | None:
        """Tell if all routes of a file are for health and figures; ``None`` without any."""
        if path not in self._probing:
            text = self.project.text(path)
            routes = _ROUTE.findall(text) if _ROUTER.search(text) else []
            plain = all(_PROBE.fullmatch(route) for route in routes) if routes else None
            self._probing[path] = False if "grpc.NewServer(" in text else plain
        return self._probing[path]

    def is_serving(self, path: str) -> bool:
        """Tell if a file opens a port; what is generated for both sides does not count."""
        if path not in self._serving:
            generated = path.endswith((".pb.go", ".pb.gw.go"))
            self._serving[path] = not generated and (
                _SERVES.search(self.project.text(path)) is not None
            )
        return self._serving[path]


@functools.lru_cache(4_096)
def library_of(name: str) -> Library | None:
    """Return the framework of an imported package; a fork is one, as long as it keeps the name."""
    base = re.sub(r"/v\d+(/|$)", r"\1", name)
    for library in _LIBRARIES:
        if base == library.path:
            return library
        if library.methods and base.startswith(f"{library.path}/"):
            return library
    parts = base.split("/")
    if len(parts) != 3 or parts[0] not in ("github.com", "gitlab.com"):
        return None
    called = re.sub(r"-v\d+$", "", parts[2])
    return next((each for each in _LIBRARIES if each.path.endswith(f"/{called}")), None)


def _local_names(alias: str, name: str) -> tuple[str, ...]:
    """Return what an import is called in its file: the alias, or what the path ends in."""
    if alias:
        return ("",) if alias == "." else (alias,)
    base = posixpath.basename(re.sub(r"/v\d+$", "", name))
    return base, base.removesuffix("_go")


def _queues(text: str, framework: str) -> Iterator[str]:
    if framework == "asynq":
        for block in re.finditer(r"Queues\s*:\s*map\[string\]int\{([^}]*)\}", text):
            entries = re.sub(r"//[^\n]*", "", block[1])
            for line in entries.split(","):
                name = line.partition(":")[0].strip()
                yield from _literal(name, text)
    elif framework == "river":
        for block in re.finditer(r"map\[string\]river\.QueueConfig\{(.*?)\n\s*\}", text, re.DOTALL):
            for name in re.findall(
                r'(?m)(?:^|,)\s*("[\w.:-]+"|[A-Za-z_][\w.]*)\s*:\s*\{', block[1]
            ):
                known = name == "river.QueueDefault"
                yield from ("default",) if known else _literal(name, text)
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
