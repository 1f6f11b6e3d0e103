"""Where Node's files make workers of Bull, BullMQ and Faktory."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterator, Mapping, Sequence

from stoker.sidecar import bull
from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.source.node_calls import Callers
from stoker.sidecar.detect.source.node_imports import Resolver
from stoker.sidecar.detect.source.node_names import worker_names
from stoker.sidecar.detect.source.node_passed import Passing
from stoker.sidecar.detect.source.programs import Imports
from stoker.sidecar.detect.source.syntax import Call, calls
from stoker.sidecar.project import Project

_MAKERS = {
    **{name: framework for framework, each in bull.PACKAGES.items() for name in each.own},
    "faktory-worker": "faktory",
}
_NEST = {name: framework for framework, each in bull.PACKAGES.items() for name in each.nest}
PACKAGES = frozenset({*_MAKERS, *_NEST})
"""What makes workers."""
IMPORTING = re.compile(
    rb"""(?:from|require\()\s*["'](?:%s)["']""" % "|".join(sorted(PACKAGES)).encode()
)
"""How a file has one of them, whatever the manifests say."""
_ON_A_QUEUE = re.compile(r"(?:queue|bull)\w*\.process\(", re.IGNORECASE)
_OF_A_QUEUE = re.compile(r"queue|bull|^this\.process$", re.IGNORECASE)
"""What a call is on that has a queue's jobs worked on, or a class that is a queue's own."""
_FUNCTION = re.compile(r"=>|function|^[\w.\[\]()]+$")
"""What may be one."""
_MAKING = re.compile(rb"Worker|@?\bProcessor\(|@QueueProcess|\bBullMQ\.worker\b")
"""One of these is where a worker of BullMQ is made."""
_CLASSES = ("Worker", "WorkerPro")
_OF_ADONIS = "BullMQ.worker"
"""What the service for Adonis makes one by."""
_DECORATORS = ("Processor", "QueueProcess")
_OWN_QUEUE = re.compile(r"class\s+\w+(?:<[^{]*>)?\s+extends\s+(?:Queue|Bull)\b")
"""A class that is a queue of Bull: what it processes is its own."""


class Sites:
    """Looks through files for the places that make workers."""

    def __init__(
        self, project: Project, manifests: Manifests, imports: Imports,
        named: Mapping[str, Sequence[str]], files: Resolver,
    ) -> None:  # fmt: skip
        self.project, self.manifests, self.imports, self.named = project, manifests, imports, named
        self.callers = Callers(project, imports, files)
        self.passing = Passing(project, named, files, {**_MAKERS, **_NEST})
        self._with_bull = frozenset(path for path, names in named.items() if "bull" in names)
        self._of_bull = {each.dir for each in manifests.dependencies if each.name == "bull"}
        """The packages that depend on it, or have files that import it."""
        for path in self._with_bull:
            package = manifests.package_of(path, "node")
            self._of_bull.add(package.dir if package else ".")

    def found(self) -> dict[str, tuple[Site, ...]]:
        """Return the places by their files, without those that nobody comes to."""
        found: dict[str, tuple[Site, ...]] = {}
        for path, names in self.named.items():
            sites = tuple(
                site for site in self._of_file(path, names) if self.callers.is_called(site)
            )  # fmt: skip
            if sites:
                found[path] = sites
        return found

    def _of_file(self, path: str, names: Sequence[str]) -> Iterator[Site]:
        about = [name for name in names if name in _MAKERS or name in _NEST]
        passed = None if about else self.passing.taken(path)
        package, taken = passed or ("", {})
        about += [package] if package else []
        if not about and not self._is_bull(path):
            return
        framework = next((_MAKERS.get(n) or _NEST[n] for n in about), "bull")
        decorated = next((_NEST[n] for n in about if n in _NEST), framework)
        if framework == "bullmq" and not (taken or _MAKING.search(self.project.data(path))):
            return  # most files only add jobs
        text = self.project.text(path)
        made = worker_names(text) | {new for new, old in taken.items() if old in _CLASSES}
        found = calls(text, path.rpartition(".")[2])
        for call in found:
            if is_maker(call, made) or _works(call, text, framework, about):
                of = decorated if call.name.lstrip("@") in _DECORATORS else framework
                yield Site(
                    of, path, call.line, self.project.line(path, call.line),
                    self._queues(path, text, call, found), _concurrency(call, text),
                    within=call.within,
                )  # fmt: skip
        extended = _extended(text, made)
        if extended and not any(is_maker(call, made) for call in found):
            line = text.count("\n", 0, extended.start()) + 1
            yield Site(
                framework, path, line, self.project.line(path, line), within=extended[1]
            )  # fmt: skip

    def _is_bull(self, path: str) -> bool:
        """Tell if a file that does not import Bull is about its queues: named so, or given one."""
        if not self._of_bull or b".process(" not in self.project.data(path):
            return False
        package = self.manifests.package_of(path, "node")
        named = re.search(r"queue|worker|job|process|consumer", path.lower()) is not None
        if named and (package.dir if package else ".") in self._of_bull:
            return True
        on_a_queue = _ON_A_QUEUE.search(self.project.text(path)) is not None
        return on_a_queue and not self._with_bull.isdisjoint(self.imports.reached(path))

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
        first, last = name.partition(".")[0], name.rpartition(".")[2]
        told = r"""\s*["'`]([^"'`$\n]+)["'`]"""
        # A name by itself is a constant; ``name:`` is a field of just anything.
        sign = "[:=]" if first != last else r"(?::\s*\w+\s*)?="
        pattern = rf"\b{re.escape(last)}\b\s*{sign}{told}"
        own = re.search(pattern, text)
        if own or not _is_imported(first, text):
            return own[1] if own else ""
        near = self.imports.of(path)[:20]
        further = dict.fromkeys(each for p in near for each in self.imports.of(p)[:20])
        for where in (self.project.text(p) for p in (*near, *further) if p != path):
            found = re.search(pattern, where) if last in where else None
            if found:
                return found[1]
        return ""


def _is_imported(name: str, text: str) -> bool:
    """Tell if a file has a name from another one: else it is a parameter, or its own."""
    word = re.escape(name)
    return (
        re.search(
            rf"""\bimport\b[^;'"]*\b{word}\b[^;'"]*\bfrom\b|"""
            rf"""\b{word}\b[^;=()]*=\s*(?:await\s+)?(?:require|import)\(""",
            text,
        )
        is not None
    )


def _extended(text: str, made: Collection[str]) -> re.Match[str] | None:
    """Return where a class extends BullMQ's worker, with its name."""
    names = "|".join(map(re.escape, made))
    return re.search(rf"class\s+(\w+)\s+extends\s+(?:{names})\b", text) if made else None


def is_maker(call: Call, names: Container[str]) -> bool:
    """Tell if a call constructs BullMQ's worker, by what it is called in its file."""
    return call.name.startswith("new ") and call.name[4:] in names


def _works(call: Call, text: str, framework: str, about: Sequence[str]) -> bool:
    """Tell if a call has jobs worked on, in one of the other ways."""
    if call.name == "@Processor" or (call.name == "@QueueProcess" and "nest-bull" in about):
        return True
    if call.name == "Processor":  # in a decorator of the project's own
        return not call.decorates and any(name in _NEST for name in about)
    if framework == "faktory" and call.last in ("work", "register"):
        return True
    if call.name == _OF_ADONIS:
        return framework == "bullmq"
    if framework != "bull" or call.last != "process" or call.name == "process":
        return False
    if call.name.startswith("this.process") and not _OWN_QUEUE.search(text):
        return False
    if not call.arguments or _OF_A_QUEUE.search(call.name):
        return bool(call.arguments)
    # In Nest much else has such a method; where Bull is not at hand, it is known by its function.
    return "@nestjs/" not in text and (
        "bull" in about or _FUNCTION.search(call.arguments[-1]) is not None
    )


def _concurrency(call: Call, text: str) -> int | None:
    for argument in reversed(call.arguments):
        found = re.search(r"concurrency\s*:\s*(\d+)", argument)
        if found:
            return int(found[1])
        if call.last == "process" and re.fullmatch(r"\d+", argument):
            return int(argument)
    return None
