"""Node: which file makes workers, which program reaches it, and whether that one also serves."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from stoker.sidecar.detect.candidates import Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.packages import Manifests, directory, table
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
from stoker.sidecar.detection import Embedded, Evidence
from stoker.sidecar.project import Project

_SUFFIXES = ("ts", "tsx", "mts", "cts", "js", "mjs", "cjs")
_IMPORT = re.compile(
    r"""(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*|processor\s*:\s*|path\.(?:join|resolve)\(__dirname,\s*)["']([^"'\n]{1,300})["']"""
)
_TYPE_ONLY = re.compile(r"import\s+type\b[^;\n]*?from\s*[\"'][^\"'\n]+[\"']")
_SERVES = re.compile(
    r"""NestFactory\.create\s*(?:<[^>]*>)?\(|\.listen\s*\(|\bcreateServer\s*\(|\bserve\s*\(|Bun\.serve|"""
    r"""\bnew\s+(?:Hono|Elysia|Koa)\b|express\s*\(\)|[fF]astify\s*\("""
)
_NEST_CONTEXT = re.compile(r"createApplicationContext\s*(?:<[^>]*>)?\(|createMicroservice")
_NEST_START = re.compile(r"NestFactory\.create|NestFactory\.createApplicationContext|bootstrap\(")
_MAKERS = {"bullmq": "bullmq", "bull": "bull", "groupmq": "bullmq", "faktory-worker": "faktory"}
_NEST = {"@nestjs/bullmq": "bullmq", "@nestjs/bull": "bull"}
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
        self.imports: dict[str, tuple[str, ...]] = {}
        self.sites: dict[str, tuple[Site, ...]] = {}
        self._reached: dict[str, frozenset[str]] = {}
        self._aliases = _aliases(project)
        self._members = {
            str(data["name"]): directory(path)
            for path, data in manifests.tables.items()
            if path.endswith("package.json") and isinstance(data.get("name"), str)
        }
        if not wanted and not custom:
            return
        self.paths = [path for path in project.suffixed(*_SUFFIXES) if _is_source(path)]
        known = frozenset(self.paths)
        for path in self.paths:
            text = project.text(path)
            names = list(dict.fromkeys(_IMPORT.findall(_TYPE_ONLY.sub("", text))))
            self.imports[path] = tuple(filter(None, (self._resolve(path, n, known) for n in names)))
            sites = tuple(self._find_sites(path, text, names))
            if sites:
                self.sites[path] = sites

    # ---- sites ----------------------------------------------------------------------------------

    def _find_sites(self, path: str, text: str, names: Sequence[str]) -> Iterator[Site]:
        about = [name for name in names if name in _MAKERS or name in _NEST]
        bull = not about and ".process(" in text and self._is_bull(path)
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

    def _is_bull(self, path: str) -> bool:
        package = self.manifests.package_of(path, "node")
        if package is None or not re.search(r"queue|worker|job|process|consumer", path.lower()):
            return False
        return any(d.name == "bull" and d.dir == package.dir for d in self.manifests.dependencies)

    def _makes_worker(self, call: Call, text: str, framework: str, about: Sequence[str]) -> bool:
        if _is_maker(call):
            return "worker_threads" not in text or bool({"bullmq", "groupmq"} & set(about))
        if call.name == "@Processor":
            return True
        if framework == "faktory" and call.last in ("work", "register"):
            return True
        return framework == "bull" and call.last == "process" and bool(call.arguments) and (
            "=>" in call.arguments[-1] or "function" in call.arguments[-1]
            or re.fullmatch(r"[\w.\[\]()]+", call.arguments[-1]) is not None
        ) and not call.name.startswith("this.process") and call.name != "process"  # fmt: skip

    def _queues(self, path: str, text: str, call: Call, found: Sequence[Call]) -> tuple[str, ...]:
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
        for where in (text, *(self.project.text(p) for p in self.imports.get(path, ())[:20])):
            found = re.search(pattern, where)
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

    def reached(self, path: str) -> frozenset[str]:
        """Return all files that a program imports, itself included."""
        if path not in self._reached:
            seen = {path}
            waiting = [path]
            while waiting:
                for each in self.imports.get(waiting.pop(), ()):
                    if each not in seen:
                        seen.add(each)
                        waiting.append(each)
            self._reached[path] = frozenset(seen)
        return self._reached[path]

    def works(self, path: str) -> list[Site]:
        """Return the sites that a program reaches."""
        return [site for each in sorted(self.reached(path)) for site in self.sites.get(each, ())]

    def serves(self, path: str) -> bool:
        """Tell if a program is (also) a web server."""
        text = self.project.text(path)
        if _NEST_CONTEXT.search(text) and "NestFactory.create(" not in text:
            return False
        near = [path, *self.imports.get(path, ())]
        return any(_SERVES.search(self.project.text(each)) for each in near)

    def entry(self, words: Sequence[str], dir: str) -> str:
        """Return the source file that a command of Node runs."""
        name = _script_of(words)
        if not name:
            return ""
        known = frozenset(self.paths)
        if words[0] in ("nest",):
            return self._file(posixpath.normpath(f"{dir}/src/{name}"), known)
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


def _aliases(project: Project) -> list[tuple[str, str]]:
    """Return what ``paths`` of the tsconfig files say: prefix and where it leads."""
    found: list[tuple[str, str]] = []
    for path in project.matching(r"tsconfig[\w.-]*\.json"):
        text = project.text(path)
        at = text.find('"paths"')
        if at < 0 or is_aside(path):
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


def _is_source(path: str) -> bool:
    if is_aside(path) or re.search(
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
    if program == "nest" and words[1:2] == ("start",):
        at = next((i for i, w in enumerate(words) if w in ("--entryFile", "-e")), 0)
        return words[at + 1] if at and at + 1 < len(words) else "main"
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


def node_program(source: NodeSource, start: Start, dir: str) -> Launch | None:
    """Return what a command of Node starts, if it is a worker."""
    path = source.entry(start.step.words, dir)
    if not path:
        return None
    sites = source.works(path)
    if not sites:
        return None
    text = " ".join([path.removeprefix(f"{dir}/"), *(w for via in start.via for w in via)])
    dedicated = (
        WORKERISH.search(text) is not None or WORKERISH.search(posixpath.basename(dir)) is not None
    )
    if source.serves(path) and not dedicated:
        return None
    return Launch(
        _main(sites), "worker", start.step.words, path, merged_queues(sites),
        merged_concurrency(sites),
    )  # fmt: skip


def _main(sites: Sequence[Site]) -> str:
    names = [site.framework for site in sites]
    return max(dict.fromkeys(names), key=names.count)


def infer(source: NodeSource) -> Sources:
    """Return the programs that work, and the workers inside of programs that serve."""
    found = Sources()
    if not source.sites:
        return found
    imported = {each for paths in source.imports.values() for each in paths}
    for path in source.paths:
        if path in imported:
            continue
        sites = source.works(path)
        if not sites:
            continue
        if all(site.text.lstrip().startswith("@") for site in sites) and not _NEST_START.search(
            source.project.text(path)
        ):
            continue  # a module of Nest is started by none but Nest
        package = source.manifests.package_of(path, "node")
        dir = package.dir if package else "."
        relative = path if dir == "." else path.removeprefix(f"{dir}/")
        evidence = tuple(site.evidence for site in sites[:3])
        dedicated = WORKERISH.search(relative) or WORKERISH.search(posixpath.basename(dir))
        if dedicated or (not source.serves(path) and not _is_part(path)):
            words = _start_words(source, relative, dir)
            found.inferred.append(Inferred(
                _main(sites), "worker", words, dir, "node", evidence, path, merged_queues(sites),
                merged_concurrency(sites), 0.6,
            ))  # fmt: skip
        else:
            reason = "workers are made inside of the program that also serves"
            found.embedded.append(Embedded(_main(sites), dir, reason, evidence))
    if not found.inferred and not found.embedded:
        sites = [site for each in source.sites.values() for site in each]
        package = source.manifests.package_of(sites[0].path, "node")
        reason = "workers are made, and no program of their own was found"
        evidence = tuple(site.evidence for site in sites[:3])
        found.embedded.append(
            Embedded(_main(sites), package.dir if package else ".", reason, evidence)
        )
    return found


def _is_part(path: str) -> bool:
    """Tell if a file is started by a web framework: routes, pages, server hooks."""
    return (
        re.search(r"(^|/)(pages|app|routes|api|middleware|instrumentation|plugins)(/|\.)", path)
        is not None
    )


def _start_words(source: NodeSource, relative: str, dir: str) -> tuple[str, ...]:
    if relative.endswith((".js", ".mjs", ".cjs")):
        return ("node", relative)
    prefix = "" if dir == "." else f"{dir}/"
    scripts = source.manifests.scripts.get(f"{prefix}package.json", {})
    lines = " ".join(scripts.values())
    if (
        re.search(r"\btsc\b|nest build|tsup|tsdown|swc|esbuild|rollup|vite build", lines)
        or "dist/" in lines
    ):
        built = re.sub(r"^src/", "", relative) if "dist/src" not in lines else relative
        return ("node", "dist/" + re.sub(r"\.([cm]?)tsx?$", r".\1js", built))
    runner = "bun" if "bun " in lines else "ts-node" if "ts-node" in lines else "tsx"
    return (runner, relative)


def embedded_evidence(sites: Sequence[Site]) -> tuple[Evidence, ...]:
    """Return the places of the first sites."""
    return tuple(site.evidence for site in sites[:3])
