"""Node's files: what they import, where they make workers, which of them serve."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from stoker.sidecar.detect.manifests import Manifests, directory, table
from stoker.sidecar.detect.source import DEDICATED, Site, monorepos
from stoker.sidecar.detect.source.programs import Imports, places
from stoker.sidecar.detect.source.syntax import Call, calls
from stoker.sidecar.project import Project

_SUFFIXES = ("ts", "tsx", "mts", "cts", "js", "mjs", "cjs")
_IMPORT = re.compile(
    r"""(?:from(?<!\wfrom)\s*|import(?<!\wimport)\s*\(?\s*|require(?<!\wrequire)\s*\(\s*|"""
    r"""fork(?<!\wfork)\s*\(\s*|new(?<!\wnew)\s+URL\s*\(\s*|processor\s*:\s*|"""
    r"""path\.(?:join|resolve)\(__dirname,\s*)["']([^"'\n]{1,300})["']"""
)
"""Begins with letters, not with ``\\b``: so ``re`` skips at once what cannot be one."""
_TYPE_ONLY = re.compile(r"import\s+type\b[^;\n]*?from\s*[\"'][^\"'\n]+[\"']")
_SERVES = re.compile(
    r"""NestFactory\.create\s*(?:<[^>]*>)?\(|\.listen\s*\(|\bcreateServer\s*\(|\bserve\s*\(|Bun\.serve|"""
    r"""\bnew\s+(?:Hono|Elysia|Koa)\b|express\s*\(\)|[fF]astify\s*\(|"""
    r"""\bbot\.(?:launch|start|startPolling)\s*\(|\bclient\.login\s*\("""
)
_NEST_CONTEXT = re.compile(r"createApplicationContext\s*(?:<[^>]*>)?\(|createMicroservice")
_WORK_DIR = re.compile(
    r"(^|[-_])(workers?|consumers?|jobs?|queues?|processors?|background|tasks?|runner)($|[-_])"
)
_WORKER_NAME = re.compile(r"(^|[-_/])(workers?|consumers?)($|[-_])")
_BOARD = re.compile(r"createBullBoard\(|new Arena\(|[Aa]rena\(\{")
_MAKERS = {"bullmq": "bullmq", "bull": "bull", "groupmq": "bullmq", "faktory-worker": "faktory"}
_NEST = {"@nestjs/bullmq": "bullmq", "@nestjs/bull": "bull", "nest-bull": "bull"}
_ON_A_QUEUE = re.compile(r"(?:queue|bull)\w*\.process\(", re.IGNORECASE)
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
        self.paths: list[str] = []
        self.imports = Imports()
        self.sites: dict[str, tuple[Site, ...]] = {}
        self._aliases = _aliases(project)
        self._members = {
            str(data["name"]): directory(path)
            for path, data in manifests.tables.items()
            if path.endswith("package.json") and isinstance(data.get("name"), str)
            and not _is_namesake(manifests, str(data["name"]), path)
        }  # fmt: skip
        if not wanted and not custom:
            return
        self.paths = [path for path in project.suffixed(*_SUFFIXES) if _is_source(project, path)]
        known = frozenset(self.paths)
        named: dict[str, list[str]] = {}
        for path in self.paths:
            text = project.text(path)
            names = named[path] = list(dict.fromkeys(_IMPORT.findall(_TYPE_ONLY.sub("", text))))
            self.imports.add(path, filter(None, (self._resolve(path, n, known) for n in names)))
        self._with_bull = frozenset(path for path, names in named.items() if "bull" in names)
        for path, names in named.items():
            sites = tuple(self._find_sites(path, project.text(path), names))
            if sites:
                self.sites[path] = sites

    # ---- sites ----------------------------------------------------------------------------------

    def _find_sites(self, path: str, text: str, names: Sequence[str]) -> Iterator[Site]:
        about = [name for name in names if name in _MAKERS or name in _NEST]
        bull = not about and ".process(" in text and self._is_bull(path, text)
        if not about and not bull:
            return
        found = calls(text, path.rpartition(".")[2])
        framework = next((_MAKERS.get(n) or _NEST[n] for n in about), "bull")
        for call in found:
            if self._makes_worker(call, text, framework, about):
                yield Site(
                    framework, path, call.line, self.project.lines(path)[call.line - 1],
                    self._queues(path, text, call, found), _concurrency(call, text),
                )  # fmt: skip
        if not any(_is_maker(call) for call in found) and re.search(
            r"class\s+\w+\s+extends\s+(bullmq\.)?Worker\b", text
        ):
            line = text.count("\n", 0, text.find("extends")) + 1
            yield Site(framework, path, line, self.project.lines(path)[line - 1])

    def _is_bull(self, path: str, text: str) -> bool:
        """Tell if a file that does not import Bull is about its queues: named so, or given one."""
        package = self.manifests.package_of(path, "node")
        named = re.search(r"queue|worker|job|process|consumer", path.lower()) is not None
        given = _ON_A_QUEUE.search(text) is not None and any(
            each in self._with_bull for each in self.imports.of(path)
        )
        if package is None or not (named or given):
            return False
        return any(d.name == "bull" and d.dir == package.dir for d in self.manifests.dependencies)

    def _makes_worker(self, call: Call, text: str, framework: str, about: Sequence[str]) -> bool:
        if _is_maker(call):
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

    # ---- imports --------------------------------------------------------------------------------

    def _resolve(self, path: str, name: str, known: frozenset[str]) -> str:
        if name.startswith("."):
            return self._file(posixpath.normpath(posixpath.join(directory(path), name)), known)
        for prefix in ("@/", "~/", "#", "src/", "@app/", "$lib/"):
            if name.startswith(prefix):
                package = self.manifests.package_of(path, "node")
                base = package.dir if package else "."
                tail = name[len(prefix) :].lstrip("/")
                for root in (f"{base}/src", base, f"{base}/app", "src", "."):
                    found = self._file(posixpath.normpath(f"{root}/{tail}"), known)
                    if found:
                        return found
        for alias, target in self._aliases:
            if name == alias or (alias.endswith("/") and name.startswith(alias)):
                found = self._file(posixpath.normpath(target + name[len(alias) :]), known)
                if found:
                    return found
        for member, dir in self._members.items():
            if name == member or name.startswith(f"{member}/"):
                return self._member_file(dir, name[len(member) + 1 :], known)
        return ""

    def _member_file(self, dir: str, tail: str, known: frozenset[str]) -> str:
        tries = [f"{dir}/src/{tail}", f"{dir}/{tail}"] if tail else []
        data = self.manifests.tables.get(f"{dir}/package.json", {})
        exported = table(data, "exports").get(f"./{tail}" if tail else ".")
        if isinstance(exported, dict):
            exported = next((v for v in table(exported).values() if isinstance(v, str)), None)
        for main in (exported, data.get("main"), data.get("types")) if not tail or exported else ():
            if isinstance(main, str):
                tries.append(f"{dir}/{re.sub(r'^(./)?(dist|build|lib)/', 'src/', main)}")
                tries.append(f"{dir}/{main}")
        tries += [f"{dir}/src/index", f"{dir}/index"] if not tail else []
        for each in tries:
            found = self._file(posixpath.normpath(each), known)
            if found:
                return found
        return ""

    def _file(self, base: str, known: frozenset[str]) -> str:
        base = base.removeprefix("./")
        if base in known:
            return base
        stem = re.sub(r"\.(d\.ts|[cm]?jsx?)$", "", base)
        for each in (stem, f"{stem}/index", f"{stem}/src/index"):
            for suffix in _SUFFIXES:
                if f"{each}.{suffix}" in known:
                    return f"{each}.{suffix}"
        return ""

    def works(self, path: str) -> list[Site]:
        """Return the sites that a program reaches."""
        reached = places(self.sites, self.imports.reached(path))
        return [site for each in reached for site in self.sites[each]]

    @cached_property
    def of_app(self) -> frozenset[str]:
        """Return the files with workers that a program makes which serves."""
        entries = set(self.paths) - self.imports.imported
        found = [path for path in sorted(entries) if self.works(path) and self.serves(path)]
        return frozenset(
            site.path
            for path in found
            if not self.is_for_work(path) and not DEDICATED.search(path)
            for site in self.works(path)
        )

    @cached_property
    def has_app(self) -> bool:
        """Tell if a program serves that makes no workers: then the others are there for work."""
        entries = set(self.paths) - self.imports.imported
        return any(not self.works(path) and self.serves(path) for path in entries)

    def serves(self, path: str) -> bool:
        """Tell if a program is (also) a web server."""
        text = self.project.text(path)
        if _NEST_CONTEXT.search(text) and "NestFactory.create(" not in text:
            return False
        near = [path, *self.imports.of(path)]
        return any(_SERVES.search(self.project.text(each)) for each in near)

    def is_for_work(self, path: str) -> bool:
        """Tell if a program's package is there for workers, by its directory's or its own name."""
        package = self.manifests.package_of(path, "node")
        if package is None:
            return False
        if _WORK_DIR.search(posixpath.basename(package.dir)):
            return True
        # A program that serves before all is the app, however its package is called.
        called = _WORKER_NAME.search(package.name) is not None
        return called and _SERVES.search(self.project.text(path)) is None

    def is_board(self, path: str) -> bool:
        """Tell if a program shows queues, and makes no worker itself."""
        return path not in self.sites and _BOARD.search(self.project.text(path)) is not None

    def entry(self, words: Sequence[str], dir: str) -> str:
        """Return the source file that a command of Node runs."""
        known = frozenset(self.paths)
        if words[0] in ("nest", "nx"):
            found = monorepos.entry(self.project, words, dir)
            return self._file(posixpath.normpath(found), known) if found else ""
        name = _script_of(words)
        if not name:
            return ""
        tail = name.lstrip("/")
        parts = tail.split("/")
        for base in (dir, "."):
            for at in range(min(len(parts), 4)):
                rest = "/".join(parts[at:])
                for each in _built_from(rest):
                    found = self._file(posixpath.normpath(f"{base}/{each}"), known)
                    if found:
                        return found
        return ""


def _is_namesake(manifests: Manifests, name: str, path: str) -> bool:
    """Tell if a package depends on one of its own name: then that one is what is imported."""
    return any(each.name == name and each.path == path for each in manifests.dependencies)


def _aliases(project: Project) -> list[tuple[str, str]]:
    """Return what ``paths`` of the tsconfig files say: prefix and where it leads."""
    found: list[tuple[str, str]] = []
    for path in project.matching(r"tsconfig[\w.-]*\.json"):
        text = project.text(path)
        at = text.find('"paths"')
        if at < 0 or project.is_aside(path):
            continue
        base = re.search(r'"baseUrl"\s*:\s*"([^"]*)"', text)
        root = posixpath.normpath(posixpath.join(directory(path), base[1] if base else "."))
        block = text[at : at + 6_000].partition("}")[0]
        for alias, target in re.findall(r'"([^"\n]+)"\s*:\s*\[\s*"([^"\n]+)"', block):
            joined = posixpath.normpath(posixpath.join(root, target.rstrip("*")))
            slash = "/" if target.endswith("/*") else ""
            found.append((alias.rstrip("*"), joined.removeprefix("./") + slash))
    return sorted(found, key=lambda pair: -len(pair[0]))


def _is_maker(call: Call) -> bool:
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


def _is_source(project: Project, path: str) -> bool:
    if project.is_aside(path) or re.search(
        r"\.(d|test|spec|stories|config|e2e-spec|min)\.[cm]?[jt]sx?$", path
    ):
        return False
    return not re.search(r"(^|/)(public|static|assets|build|migrations|locales)/", path)


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
