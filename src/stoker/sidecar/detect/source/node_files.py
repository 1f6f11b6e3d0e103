"""Node's files: what they import, where they make workers, which of them serve."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.source import DEDICATED, Site, monorepos
from stoker.sidecar.detect.source.node_imports import SUFFIXES, Resolver
from stoker.sidecar.detect.source.programs import Imports, places
from stoker.sidecar.detect.source.syntax import Call, calls
from stoker.sidecar.project import Project, decoded

_NAME = r"""["']([^"'\n]{1,300})["']"""
_IMPORTS = tuple(
    re.compile(way.encode())
    for way in (
        rf"from(?<!\wfrom)\s*{_NAME}",
        r"""\((?=\s*["'_])(?:(?<=\bimport\()|(?<=\brequire\()|(?<=\bfork\()|(?<=\bnew URL\()|"""
        rf"(?:(?<=path\.join\()|(?<=path\.resolve\())__dirname,)\s*{_NAME}",
        rf"processor\s*:\s*{_NAME}",
        rf"import(?<!\wimport)(?:\s*{_NAME}|\s+type\b[^;\n]*?from\s*{_NAME.replace('(', '(?:')})",
    )
)
"""Four searches for a plain text take less time than one for any of four: ``re`` skips faster."""
_SERVES = re.compile(
    r"""NestFactory\.create\s*(?:<[^>]*>)?\(|\.listen\s*\(|S(?<=\bcreateS)erver\s*\(|"""
    r"""v(?<=\bserv)e\s*\(|Bun\.serve|w(?<=\bnew)\s+(?:Hono|Elysia|Koa)\b|x(?<=ex)press\s*\(\)|"""
    r"""y(?<=[fF]astify)\s*\(|b(?<=\bb)ot\.(?:launch|start|startPolling)\s*\(|"""
    r"""g(?<=\bclient\.log)in\s*\("""
)
"""A web server or a bot, written in the same way: twenty times as fast as with ``\\b`` first."""
_HTTP = re.compile(r"""["'](?:node:)?http["']""")
_PROBED = re.compile(
    r"""\breq(?:uest)?\.url\s*===?\s*["']/?(?:health\w*|live\w*|ready\w*|ping|status|metrics|)["']|"""
    r"""\breq(?:uest)?\.method\s*===?\s*["'](?:GET|HEAD)["']"""
)
_ALIVE = re.compile(
    r"""\bapp\.get\(\s*["']/(?:health\w*|live\w*|ready\w*|ping|status)?["']\s*,\s*"""
    r"""(?:async\s*)?\(\s*\w+(?::\s*\w+)?\s*,\s*\w+(?::\s*\w+)?\s*\)\s*=>\s*\{?\s*(?:return\s+)?"""
    r"""\w+(?:\.status\(\d+\))?\.(?:send|json|end|sendStatus)\([^();]*\)\s*;?\s*\}?\s*\)"""
)
_NO_ROUTE = re.compile(
    r"(?:const|let|var) app = express\(\)|\bapp\.listen\(|//[^\n]*|[\"'`][^\"'`\n]*[\"'`]"
)
"""What else is done with an app of Express that has no other route."""
_ASKED = re.compile(r"\breq(?:uest)?\.\w|\bio\(|\bapp\b")
_NEST_CONTEXT = re.compile(r"createApplicationContext\s*(?:<[^>]*>)?\(|createMicroservice")
_WORK_DIR = re.compile(
    r"(^|[-_])(workers?|consumers?|jobs?|queues?|processors?|background|tasks?|runner)($|[-_])"
)
_WORKER_NAME = re.compile(r"(^|[-_/])(workers?|consumers?)($|[-_])")
_PASSED_ON = re.compile(
    r"/\*.*?\*/|//[^\n]*|export\s+(?:type\s+)?(?:\*|\{)[^;'\"]*from\s*['\"][^'\"\n]+['\"]\s*;?",
    re.DOTALL,
)
_BOARD = re.compile(r"createBullBoard\(|new Arena\(|[Aa]rena\(\{")
_MAKERS = {"bullmq": "bullmq", "bull": "bull", "groupmq": "bullmq", "faktory-worker": "faktory"}
_NEST = {"@nestjs/bullmq": "bullmq", "@nestjs/bull": "bull", "nest-bull": "bull"}
_ON_A_QUEUE = re.compile(r"(?:queue|bull)\w*\.process\(", re.IGNORECASE)
_MAKING = re.compile(
    rb"w(?<=\bnew)\s+[\w.]*Worker|@Processor|@QueueProcess|x(?<=\bex)tends\s+(?:bullmq\.)?Worker\b"
)
"""One of these is where a worker of BullMQ is made."""
_CUSTOM = re.compile(
    r"@temporalio/worker|pg-boss|agenda|graphile-worker|bee-queue|amqplib|kafkajs|sqs-consumer|@aws-sdk/client-sqs"
)


class NodeSource:
    """All of a project's JavaScript and TypeScript."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self.project, self.manifests = project, manifests
        wanted = manifests.has(
            *_MAKERS, *_NEST, "bullmq-pro", "@taskforcesh/bullmq-pro", language="node"
        )
        custom = any(
            _CUSTOM.fullmatch(d.name) for d in manifests.dependencies if d.language == "node"
        )
        paths = project.suffixed(*SUFFIXES) if wanted or custom else ()
        self.paths = [path for path in paths if _is_source(project, path)]
        self.imports = Imports()
        self.sites: dict[str, tuple[Site, ...]] = {}
        self._files = Resolver(project, manifests, self.paths)
        self._serving: dict[str, bool] = {}
        named: dict[str, list[str]] = {}
        for path in self.paths:
            names = named[path] = _imported(project.data(path))
            self.imports.add(path, self._files.resolved(path, names))
        self._of_bull = {d.dir for d in manifests.dependencies if d.name == "bull"}
        """The packages that depend on it."""
        self._with_bull = frozenset(path for path, names in named.items() if "bull" in names)
        for path, names in named.items():
            sites = tuple(self._find_sites(path, names))
            if sites:
                self.sites[path] = sites

    # ---- sites ----------------------------------------------------------------------------------

    def _find_sites(self, path: str, names: Sequence[str]) -> Iterator[Site]:
        about = [name for name in names if name in _MAKERS or name in _NEST]
        if not about and not self._is_bull(path):
            return
        framework = next((_MAKERS.get(n) or _NEST[n] for n in about), "bull")
        if framework == "bullmq" and not _MAKING.search(self.project.data(path)):
            return  # most files only add jobs
        text = self.project.text(path)
        found = calls(text, path.rpartition(".")[2])
        for call in found:
            if self._makes_worker(call, text, framework, about):
                yield Site(
                    framework, path, call.line, self.project.line(path, call.line),
                    self._queues(path, text, call, found), _concurrency(call, text),
                )  # fmt: skip
        if not any(is_maker(call) for call in found) and re.search(
            r"class\s+\w+\s+extends\s+(bullmq\.)?Worker\b", text
        ):
            line = text.count("\n", 0, text.find("extends")) + 1
            yield Site(framework, path, line, self.project.line(path, line))

    def _is_bull(self, path: str) -> bool:
        """Tell if a file that does not import Bull is about its queues: named so, or given one."""
        if not self._of_bull or b".process(" not in self.project.data(path):
            return False
        package = self.manifests.package_of(path, "node")
        named = re.search(r"queue|worker|job|process|consumer", path.lower()) is not None
        given = _ON_A_QUEUE.search(self.project.text(path)) is not None and any(
            each in self._with_bull for each in self.imports.of(path)
        )
        return package is not None and (named or given) and package.dir in self._of_bull

    def _makes_worker(self, call: Call, text: str, framework: str, about: Sequence[str]) -> bool:
        if is_maker(call):
            return "worker_threads" not in text or bool({"bullmq", "groupmq"} & set(about))
        if call.name == "@Processor" or (call.name == "@QueueProcess" and "nest-bull" in about):
            return True
        if framework == "faktory" and call.last in ("work", "register"):
            return True
        return framework == "bull" and call.last == "process" and bool(call.arguments) and (
            "=>" in call.arguments[-1] or "function" in call.arguments[-1]
            or re.fullmatch(r"[\w.\[\]()]+", call.arguments[-1]) is not None
        ) and not call.name.startswith("this.process") and call.name != "process"  # fmt: skip

    def _queues(self, path: str, text: str, call: Call, found: Sequence[Call]) -> tuple[str, ...]:
        if call.last in ("register", "work"):  # Faktory: it is a job that is named here
            return ()
        if call.last == "process":  # Bull: the queue is what it is called on
            names = [
                c.string or self._constant(path, text, c)
                for c in found
                if c.name in ("new Queue", "new Bull", "Bull", "new Bull.default")
            ]
            return tuple(dict.fromkeys(filter(None, names)))
        name = call.string or self._constant(path, text, call)
        if not name and call.arguments and call.arguments[0].startswith("{"):
            inner = re.search(r"""name\s*:\s*["']([^"']+)["']""", call.arguments[0])
            name = inner[1] if inner else ""
        return (name,) if name else ()

    def _constant(self, path: str, text: str, call: Call) -> str:
        """Return what a constant of this or of an imported file says."""
        name = call.arguments[0] if call.arguments else ""
        if not re.fullmatch(r"[\w.]{1,80}", name):
            return ""
        last = name.rpartition(".")[2]
        pattern = rf"""\b{re.escape(last)}\b\s*[:=]\s*["'`]([^"'`$\n]+)["'`]"""
        near = self.imports.of(path)[:20]
        further = dict.fromkeys(each for p in near for each in self.imports.of(p)[:20])
        for where in (text, *(self.project.text(p) for p in (*near, *further) if p != path)):
            found = re.search(pattern, where) if last in where else None
            if found:
                return found[1]
        return ""

    # ---- programs -------------------------------------------------------------------------------

    def works(self, path: str) -> list[Site]:
        """Return the sites that a program reaches."""
        if path not in self._working:
            return []
        reached = places(self.sites, self.imports.reached(path))
        return [site for each in reached for site in self.sites[each]]

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
            if path in self._working and self.serves(path)
            and not self.is_for_work(path) and not DEDICATED.search(path)
            for site in self.works(path)
        )  # fmt: skip

    @cached_property
    def has_app(self) -> bool:
        """Tell if a program serves that makes no workers: then the others are there for work."""
        return any(path not in self._working and self.serves(path) for path in self.entries)

    def serves(self, path: str) -> bool:
        """Tell if a program is (also) a web server."""
        text = self.project.text(path)
        if _NEST_CONTEXT.search(text) and "NestFactory.create(" not in text:
            return False
        if path in self.sites and _is_probe(text):
            return False
        if path in self._working and _only_lives(text):
            return any(map(self._is_serving, self.imports.of(path)))
        return any(map(self._is_serving, (path, *self.imports.of(path))))

    def _is_serving(self, path: str) -> bool:
        if path not in self._serving:
            self._serving[path] = _SERVES.search(self.project.text(path)) is not None
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
        if "files" in data and not starts:
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

    def entry(self, words: Sequence[str], dir: str) -> str:
        """Return the source file that a command of Node runs."""
        if words[0] in ("nest", "nx"):
            found = monorepos.entry(self.project, words, dir)
            return self._files.file(posixpath.normpath(found)) if found else ""
        name = _script_of(words)
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
                for each in _built_from(rest):
                    found = self._files.file(posixpath.normpath(f"{base}/{each}"))
                    if found:
                        return found
        return ""


def _is_probe(text: str) -> bool:
    """Tell if all that a file serves says that it is alive: Node's own server, no app of any kind.

    Of what is asked it looks at nothing, or at the path of a probe.
    """
    served = {found[0].strip() for found in _SERVES.finditer(text)}
    plain = any("erver" in each for each in served)
    if not plain or not all("erver" in each or "listen" in each for each in served):
        return False
    return _HTTP.search(text) is not None and _ASKED.search(_PROBED.sub("", text)) is None


def _only_lives(text: str) -> bool:
    """Tell if the one thing that an app of Express answers is that its program is there."""
    rest, answered = _ALIVE.subn("", text)
    return answered > 0 and re.search(r"\bapp\b", _NO_ROUTE.sub("", rest)) is None


def _imported(data: bytes) -> list[str]:
    """Return what a file imports in their order, without what is only a type."""
    # A type's import is found twice; the last pattern, which comes last, has no name for it.
    found = {each.end(): each[1] for way in _IMPORTS for each in way.finditer(data)}
    names = b"\n".join(dict.fromkeys(name for _, name in sorted(found.items()) if name))
    return decoded(names).split("\n") if names else []


def is_maker(call: Call) -> bool:
    return call.name in (
        "new Worker",
        "new bullmq.Worker",
        "new BullMQ.Worker",
        "new WorkerPro",
        "new bullMQ.Worker",
        "new BullWorker",
        "new BullMQWorker",
        "new QueueWorker",
    )


def _concurrency(call: Call, text: str) -> int | None:
    for argument in reversed(call.arguments):
        found = re.search(r"concurrency\s*:\s*(\d+)", argument)
        if found:
            return int(found[1])
        if call.last == "process" and re.fullmatch(r"\d+", argument):
            return int(argument)
    return None


_BESIDE = re.compile(r"\.(d|test|spec|stories|config|e2e-spec|min)\.[cm]?[jt]sx?$")
_NO_SOURCE = re.compile(r"(^|/)(public|static|assets|build|migrations|locales)/")


def _is_source(project: Project, path: str) -> bool:
    return not (project.is_aside(path) or _BESIDE.search(path) or _NO_SOURCE.search(path))


_RUN_FLAGS = frozenset(
    {
        "-r",
        "--require",
        "--import",
        "--loader",
        "-P",
        "--project",
        "--env-file",
        "--tsconfig",
        "-e",
        "--conditions",
        "-C",
    }
)


def _script_of(words: Sequence[str]) -> str:
    program = words[0].rpartition("/")[2]
    if program not in (
        "node",
        "ts-node",
        "tsx",
        "bun",
        "swc-node",
        "ts-node-esm",
        "babel-node",
        "vite-node",
        "esr",
        "pm2-runtime",
        "pm2",
        "deno",
        "sucrase-node",
        "jiti",
    ):
        return ""
    skip = False
    for word in words[1:]:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _RUN_FLAGS
        elif word not in ("run", "watch", "start"):
            return word if re.search(r"[./]|worker|index|main", word) else ""
    return ""


def _built_from(path: str) -> Iterator[str]:
    """Yield where the source of a built file may be: ``dist/worker.js`` is ``src/worker.ts``."""
    yield path
    for out in ("dist", "build", "lib", "out", ".build", "output"):
        if path.startswith(f"{out}/"):
            rest = path[len(out) + 1 :]
            yield f"src/{rest}"
            yield rest
            if rest.startswith("src/"):
                yield rest[4:]
            if rest.startswith("apps/"):
                yield re.sub(r"^(apps/[^/]+)/", r"\1/src/", rest)
