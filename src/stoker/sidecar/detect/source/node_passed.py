"""The classes of BullMQ that files of a project pass on to others: its own package for queues."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from stoker.sidecar.detect.source.node_imports import Resolver
from stoker.sidecar.project import Project

_GIVES = re.compile(rb"\bexport\s*(?:\*|\{)|\bexports\b")
_FROM = re.compile(r"""\bexport\s*(?:(\*)|\{([^{}]*)\})\s*from\s*["']([^"'\n]+)["']""")
_OWN = re.compile(r"\bexport\s*\{([^{}]*)\}(?!\s*from)|\bexports\s*=\s*\{([^{}]*)\}")
_TAKEN = re.compile(
    r"""\bimport\s+(?:[\w$]+\s*,\s*)?\{([^{}]*)\}\s*from\s*["']([^"'\n]+)["']|"""
    r"""\{([^{}]*)\}\s*=\s*(?:await\s+import|require)\(\s*["']([^"'\n]+)["']\s*\)"""
)
_WHOLE = re.compile(
    r"""\bimport\s*\*\s*as\s+([\w$]+)\s+from\s*["']([^"'\n]+)["']|"""
    r"""(?<![\w$])([\w$]+)\s*=\s*(?:await\s+import|require)\(\s*["']([^"'\n]+)["']\s*\)"""
)
_AS = re.compile(r"\s*(?:type\s+)?([\w$]+)(?:\s*(?:\bas\b|:)\s*([\w$]+))?")
_ROUNDS = 3

Names = dict[str, str]
"""What something is called, and the name that it has in its package: ``MailWorker``, ``Worker``."""


class Passing:
    """What the files of a project have from packages that make workers, by way of each other."""

    def __init__(
        self, project: Project, named: Mapping[str, Sequence[str]], files: Resolver,
        packages: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._project, self._named, self._files = project, named, files
        self._packages = packages
        self.given: dict[str, tuple[str, Names]] = {}
        """By the file: the package whose classes it passes on, and their names for the others."""
        waiting = [
            path for path, names in named.items()
            if any(name in packages for name in names) and _GIVES.search(project.data(path))
        ]  # fmt: skip
        for _ in range(_ROUNDS):
            for path in waiting:
                if path not in self.given and (found := self._passed(path)):
                    self.given[path] = found
            if not self.given:
                return
            waiting = [
                path for path in named if path not in self.given
                and self.sources(path) and _GIVES.search(project.data(path))
            ]  # fmt: skip

    def sources(self, path: str) -> dict[str, str]:
        """Return the files that pass something on and that a file imports, by their names there."""
        if not self.given:
            return {}
        found: dict[str, str] = {}
        for name in self._named[path]:
            for file in self._files.resolved(path, [name]):
                if file in self.given and file != path:
                    found[name] = file
        return found

    def taken(self, path: str) -> tuple[str, Names] | None:
        """Return the package that a file has classes from in this way, and what it calls them."""
        sources = self.sources(path)
        package = next((self.given[file][0] for file in sources.values()), "")
        names = {
            local: self.given[sources[source]][1][name]
            for local, name, source in _imports(self._project.text(path) if sources else "")
            if source in sources and name in self.given[sources[source]][1]
        }
        for whole in _WHOLE.finditer(self._project.text(path) if sources else ""):
            local, source = whole[1] or whole[3], whole[2] or whole[4]
            if source in sources:
                given = self.given[sources[source]][1]
                names |= {f"{local}.{name}": own for name, own in given.items()}
        return (package, names) if names else None

    def _passed(self, path: str) -> tuple[str, Names] | None:
        text = self._project.text(path)
        sources = self.sources(path)
        packages = [name for name in self._named[path] if name in self._packages]
        package = next(iter(packages), "") or next((self.given[f][0] for f in sources.values()), "")
        found: Names = {}
        for every, names, source in _FROM.findall(text):
            known = self._known(source, sources)
            if known is not None and every:
                found |= known
            elif known is not None:
                found |= {new: known[old] for new, old in _listed(names) if old in known}
        local = {
            name: known[old] for name, old, source in _imports(text)
            if (known := self._known(source, sources)) is not None and old in known
        }  # fmt: skip
        for each in _OWN.finditer(text):
            found |= {new: local[old] for new, old in _listed(each[1] or each[2] or "", ":")
                      if old in local}  # fmt: skip
        return (package, found) if found else None

    def _known(self, source: str, sources: Mapping[str, str]) -> Names | None:
        """Return the classes that an import may be of, if it is of a package for them."""
        if source in self._packages:
            return {name: name for name in _CLASSES}
        return self.given[sources[source]][1] if source in sources else None


_CLASSES = ("Worker", "WorkerPro", "Processor", "WorkerHost")


def _imports(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield what a file has from others: its name here, its name there, and the others'."""
    for found in _TAKEN.finditer(text):
        for new, old in _listed(found[1] or found[3] or ""):
            yield new, old, found[2] or found[4]


def _listed(names: str, renaming: str = "as") -> Iterator[tuple[str, str]]:
    """Yield the new and the old name of each: ``{ Worker as Mail }``, or ``{ Mail: Worker }``."""
    for each in names.split(","):
        found = _AS.match(each)
        if found and renaming == ":" and found[2] and " as " not in each:
            yield found[1], found[2]
        elif found:
            yield found[2] or found[1], found[1]
