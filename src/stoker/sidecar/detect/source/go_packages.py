"""Go's packages: what they import, where they make workers, which of them are programs."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Container, Sequence
from functools import cached_property

import msgspec

from stoker.sidecar.detect.generated import is_generated
from stoker.sidecar.detect.manifests import Manifests, directory
from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.source.go_libraries import (
    LIBRARIES,
    Library,
    library_of,
    local_names,
    queues,
    wrapped_by,
)
from stoker.sidecar.detect.source.programs import Imports, places
from stoker.sidecar.detect.source.syntax import Call, calls
from stoker.sidecar.detect.spotting import sieve
from stoker.sidecar.detect.written.dockerfiles import defaults
from stoker.sidecar.detection import Role
from stoker.sidecar.project import Project, decoded

_IMPORT = re.compile(r'^\s*(?:import\s+)?(?:([\w.]+)\s+)?"([^"\n]+)"\s*(?://.*)?$', re.MULTILINE)
_DECLARED = (b"\nfunc ", b"\ntype ", b"\nvar ", b"\nconst ")
"""What only imports can stand before; but for the first, a person's comment may have it, too."""
_LIBRARY = sieve(*(f'"{library.path}' for library in LIBRARIES))
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
        self._registering: dict[str, list[Site]] = {}
        """Where handlers are registered, for a worker that is made elsewhere."""
        self._perhaps: list[str] = []
        """The files that call a method of a framework's name, and import none."""
        self._serving: dict[str, bool] = {}
        self._apps: dict[Program, bool] = {}
        self._probing: dict[str, bool | None] = {}
        self._built: dict[str, dict[str, list[str]]] = {}
        self._usual: dict[str, dict[str, str]] = {}
        names = [d.name for d in manifests.dependencies if d.language == "go"]
        if not any(map(library_of, names)) and (names or not _imports_one(project)):
            return
        is_old = not self.modules
        self.modules = self.modules or _of_gopath(project)
        for path in project.suffixed("go"):
            if (
                not path.endswith("_test.go")
                and not self.project.is_aside(path)
                and "/mock" not in path
            ):
                self._add(path)
        for library in LIBRARIES:
            if library.methods:
                self._add_methods(library)
        if not self.sites:
            self.sites = self._registering
        if is_old and self.sites and not project.named("Dockerfile"):
            problem = "missing, and an image of Go is built from a module"
            project.note("go.mod", problem, "go mod init PATH, then go mod tidy, make one")
        self.programs.sort(key=lambda program: program.target)

    def _add(self, path: str) -> None:
        data = self.project.data(path)
        begun = _DECLARED if is_generated(self.project, path) else _DECLARED[:1]
        ends = [at for each in begun if (at := data.find(each)) >= 0]
        imports = _IMPORT.findall(decoded(data[: min(ends, default=None)]))
        self.imports.add(path, filter(None, (self.dir_of(name) for _, name in imports)))
        self.imports.add(directory(path), [path])
        for library in LIBRARIES:
            names = _called(imports, library, library_of)
            if names:
                self._using.setdefault(library.framework, set()).add(directory(path))
            if any(name.encode() in data for name in library.makers):
                others = [each for each in imports if not self.dir_of(each[1])]
                wrappers = _called(others, library, wrapped_by) - names
                if names or wrappers:
                    self._find(path, self.project.text(path), library, names, wrappers)
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
                self._find(path, self.project.text(path), library)

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

    def _find(
        self, path: str, text: str, library: Library, names: Container[str] = (),
        wrappers: Container[str] = (),
    ) -> None:  # fmt: skip
        if library.only_adds(text):
            return
        for call in calls(text, "go"):
            on, _, last = call.name.rpartition(".")
            role: Role = "worker"
            found = self.sites
            if on in names and last in library.schedulers:
                role = "scheduler"
            elif on in names and last in library.registering:
                found = self._registering
            elif not (on in names and last in library.functions) and not (
                on in wrappers and last in library.wrapped
            ) and not (last in library.methods and call.arguments):  # fmt: skip
                continue
            line = self.project.line(path, call.line)
            served = tuple(queues(text, library.framework)) if role == "worker" else ()
            found.setdefault(path, []).append(
                Site(library.framework, path, call.line, line, served, _concurrency(call, text),
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
            self._built[path] = built_by(self.project.text(path))
        return self._built[path]

    def usual(self, path: str) -> dict[str, str]:
        """Return what the arguments of a recipe are where nobody gives them anything else."""
        if path not in self._usual:
            self._usual[path] = defaults(self.project.text(path))
        return self._usual[path]

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


def _imports_one(project: Project) -> bool:
    """Tell if Go that nobody wrote a manifest for imports a framework."""
    files = () if project.named("go.mod") else project.suffixed("go")
    return any(project.telling(files, _LIBRARY))


def _of_gopath(project: Project) -> dict[str, str]:
    """Return the path that a project without a module imports itself by, if it does.

    Before there were modules, it was where the project lay: ``github.com/owner/name``.
    """
    counts: Counter[str] = Counter()
    for path in project.suffixed("go"):
        data = project.data(path)
        for _, name in _IMPORT.findall(decoded(data[: data.find(_DECLARED[0])])):
            root, inside = "/".join(name.split("/")[:3]), "/".join(name.split("/")[3:])
            counts[root] += inside in project.dirs
    best = max(counts, key=lambda root: counts[root], default="")
    return {".": best} if counts[best] else {}


def built_by(text: str) -> dict[str, list[str]]:
    """Return what commands build by name: ``go build -o bin/worker ./cmd/tasks``."""
    found: dict[str, list[str]] = {}
    commands = _BUILT.finditer(text.replace("\\\n", " "))
    for words in (_PHRASE.sub("-", each[1]).split() for each in commands):
        out = next((b for a, b in itertools.pairwise(words) if a == "-o"), "")
        name = posixpath.basename(out.strip("\"'"))
        if name and words[-1] != out:
            found.setdefault(name, []).append(words[-1].strip("\"'"))
    return found


def _called(
    imports: Sequence[tuple[str, str]], library: Library, of: Callable[[str], Library | None]
) -> set[str]:
    """Return what a file calls the packages that are a library's."""
    return {
        local for alias, name in imports if of(name) is library
        for local in local_names(alias, name)
    }  # fmt: skip


def _concurrency(call: Call, text: str) -> int | None:
    found = re.search(r"Concurrency\s*:\s*(\d{1,9})", " ".join(call.arguments))
    found = found or re.search(r"\.Concurrency\s*=\s*(\d{1,9})", text)
    return int(found[1]) if found else None
