"""Whether anybody comes to a worker that a function or a class makes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.source.node_imports import Resolver
from stoker.sidecar.detect.source.programs import Imports
from stoker.sidecar.project import Project

_BY_A_FRAMEWORK = re.compile(
    r"(^|/)(instrumentation|middleware|route|\+\w+|(\+?\w+)\.server)\.[cm]?[jt]sx?$"
)
"""Files whose functions Next, SvelteKit or Remix call, by names of their own."""
_BY_A_PLATFORM = frozenset({"handler", "handle", "main", "register", "bootstrap"})
"""What functions are called that a platform calls."""
_COMMENTS = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|//[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)
_UNCOMMENTED = re.compile(
    r"""((?:[^"'`/]++|"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+'|`(?:[^`\\]|\\.)*+`|["'`]|/(?![/*]))++)|"""
    r"""//[^\n]*+|/\*.*?\*/""",
    re.DOTALL,
)
"""The same the other way round: from one comment to the next is one find, not one a string."""
_IMPORTED = re.compile(
    r"""\bimport\b[^;'"()]*?\bfrom\s*["'][^"'\n]+["']|"""
    r"""(?:const|let|var)\s*\{[^{}]*\}\s*=\s*(?:await\s+import|require)\(\s*["'][^"'\n]+["']\s*\)"""
)
_EXPORTED = re.compile(
    r"""\bexport\s*\{[^{}]*\}(?!\s*from)|\bmodule\.exports\s*=\s*(?:\{[\w\s,]*\}|\w+)|"""
    r"""\bexports\.\w+\s*=\s*\w+"""
)
_NAMESPACE = re.compile(
    r"""(?:\bimport\s+(?:[\w$]+\s*,\s*)?\*\s*as\s+([\w$]+)\s+from\s*|"""
    r"""\b(?:const|let|var)\s+([\w$]+)\s*=\s*(?:await\s+import|require)\(\s*)"""
    r"""["']([^"'\n]+)["']"""
)
"""A module as one thing: ``import * as workers``."""
_AS_ONE = re.compile(
    r"(?:\.\.\.|[(,:?{[]|(?<!\})(?<!\}\s)=|\b(?:of|in|return|default)\s)\s*+"
    r"([\w$]++)(?!\s*\??\.)|(?<![\w$.])([\w$]++)\s*+(?:\?\.)?\["
)
"""Where something with a name is used by other than a name in it: passed on, or gone through."""
_PASSED_ON = re.compile(r"\bexport\s*(?:\*|\{([^{}]*)\})\s*from\b")
"""What a module has from another one for those that import it: all, or some names."""
_RENAMED = re.compile(
    r"(?:export\s+default|module\.exports\s*=)\s+"
    r"(?:async\s+)?(?:(?:abstract\s+)?class\s+|function\s*\*?\s*)?([\w$]++)|"
    r"(?<![\w$])([\w$]++)\s+as\b"
)
"""A name that others need not know: what is exported as the whole, or as something else."""
_OTHERS_INJECT = re.compile(r"^\s*@\w", re.MULTILINE)
"""Decorators, by which a container finds its classes."""


class Callers:
    """Who speaks of the functions and classes that make workers."""

    def __init__(self, project: Project, imports: Imports, files: Resolver) -> None:
        self.project, self.imports, self.files = project, imports, files
        self._as_one: dict[str, frozenset[str]] = {}
        self._speaking: dict[tuple[str, str], frozenset[str] | None] = {}

    def is_called(self, site: Site) -> bool:
        """Tell if what makes a worker is spoken of anywhere but where it is declared.

        A function that nobody calls makes none, nor does a class that is never constructed, nor a
        processor of Nest's that no module provides. An import alone is no call, and what is
        commented out is none.
        """
        speaking = self._of(site)
        return speaking is None or bool(speaking)

    def comes_to(self, reached: frozenset[str], site: Site) -> bool:
        """Tell if a program that imports all these files may call what makes a worker.

        What is in a file beside what it needs, and what it does not speak of, it does not make.
        """
        speaking = self._of(site)
        return speaking is None or not speaking.isdisjoint(reached)

    def _of(self, site: Site) -> frozenset[str] | None:
        """Return the files that speak of what makes a worker; nothing where names say nothing.

        What is exported without its name may have another, who goes through all that a module has
        needs no names, and a framework finds what it wants in files of its own, or by decorators.
        """
        if not site.within:
            return None
        key = site.path, site.within
        if key not in self._speaking:
            self._speaking[key] = self._found(site)
        return self._speaking[key]

    def _found(self, site: Site) -> frozenset[str] | None:
        name, text = site.within, self.project.text(site.path)
        if _BY_A_FRAMEWORK.search(site.path) or name in _BY_A_PLATFORM:
            return None
        if _OTHERS_INJECT.search(text) and "@nestjs/" not in text:
            return None
        if any(name in found.groups() for found in _RENAMED.finditer(text)):
            return None
        spoken = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
        own = _EXPORTED.sub("", _COMMENTS.sub("", text))
        found = {site.path} if len(spoken.findall(own)) > 1 else set[str]()
        coming = self.imports.leading_to([site.path]) & frozenset(self.imports.names)
        if self._is_gone_through(site.path, coming, spoken):
            return None
        found |= self._among(coming - {site.path}, spoken, name)
        if not found:  # an import may lead where nobody can follow it
            found |= self._among(set(self.imports.names) - coming, spoken, name)
        return frozenset(found)

    def _is_gone_through(self, path: str, coming: frozenset[str], spoken: re.Pattern[str]) -> bool:
        """Tell if a module, or one that passes on what it has, is used as one thing."""
        used = {target for each in coming for target in self._used_as_one(each)} & coming
        passed = (each for p in used - {path} for each in _PASSED_ON.finditer(self.project.text(p)))
        return path in used or any(each[1] is None or spoken.search(each[1]) for each in passed)

    def _used_as_one(self, path: str) -> frozenset[str]:
        """Return the modules that a file has as one thing each, and uses as this."""
        if path not in self._as_one:
            names = used_as_one(self.project.text(path))
            self._as_one[path] = frozenset(self.files.resolved(path, names))
        return self._as_one[path]

    def _among(self, paths: Iterable[str], spoken: re.Pattern[str], name: str) -> set[str]:
        told = name.encode()
        return {
            path for path in paths
            if told in self.project.data(path)
            and spoken.search(_without_imports(self.project.text(path)))
        }  # fmt: skip


def used_as_one(text: str) -> list[str]:
    """Return what a file imports as one thing, and uses other than by names in it."""
    if "* as" not in text and "require(" not in text and "import(" not in text:
        return []
    text = "".join(_UNCOMMENTED.findall(text))
    modules = {found[1] or found[2]: found[3] for found in _NAMESPACE.finditer(text)}
    if not modules:
        return []
    used = {found[1] or found[2] for found in _AS_ONE.finditer(text)}
    return [module for name, module in modules.items() if name in used]


def _without_imports(text: str) -> str:
    """Return a text without its comments, and without what it imports under the name it has."""
    text = "".join(_UNCOMMENTED.findall(text))
    return _IMPORTED.sub(lambda found: found[0] if re.search(r"\bas\b", found[0]) else "", text)
