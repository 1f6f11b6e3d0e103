"""Whether anybody comes to a worker that a function or a class makes."""

from __future__ import annotations

import re

from stoker.sidecar.detect.source import Site
from stoker.sidecar.detect.source.programs import Imports
from stoker.sidecar.project import Project

_BY_A_FRAMEWORK = re.compile(
    r"(^|/)(pages|app|routes|api|plugins|commands|instrumentation|(hooks|entry)\.server)(/|\.)"
)
"""Files whose functions a framework calls by names of its own."""
_COMMENTS = re.compile(
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|//[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)
_IMPORTED = re.compile(
    r"""\bimport\b[^;'"()]*?\bfrom\s*["'][^"'\n]+["']|"""
    r"""(?:const|let|var)\s*\{[^{}]*\}\s*=\s*(?:await\s+import|require)\(\s*["'][^"'\n]+["']\s*\)"""
)
_EXPORTED = re.compile(
    r"""\bexport\s*\{[^{}]*\}(?!\s*from)|\bmodule\.exports\s*=\s*(?:\{[\w\s,]*\}|\w+)|"""
    r"""\bexports\.\w+\s*=\s*\w+"""
)
_RENAMED = (
    r"(?:export\s+default|module\.exports\s*=)\s+"
    r"(?:async\s+)?(?:(?:abstract\s+)?class\s+|function\s*\*?\s*)?{0}\b|\b{0}\s+as\b"
)
"""A name that others need not know: what is exported as the whole, or as something else."""
_OTHERS_INJECT = re.compile(r"^\s*@\w", re.MULTILINE)


def is_called(project: Project, imports: Imports, site: Site) -> bool:
    """Tell if what makes a worker is spoken of anywhere but where it is declared.

    A function that nobody calls makes none, nor does a class that is never constructed, nor a
    processor of Nest's that no module provides. An import alone is no call, and what is commented
    out is none. In doubt there is one: what is exported without its name may have another, and a
    framework finds what has decorators.
    """
    name, text = site.within, project.text(site.path)
    if not name or _BY_A_FRAMEWORK.search(site.path):
        return True
    if _OTHERS_INJECT.search(text) and "@nestjs/" not in text:
        return True
    if re.search(_RENAMED.format(re.escape(name)), text):
        return True
    spoken = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
    own = _EXPORTED.sub("", _COMMENTS.sub("", text))
    if len(spoken.findall(own)) > 1:
        return True
    told = re.compile(spoken.pattern.encode())
    return any(
        spoken.search(_without_imports(project.text(path)))
        for path in project.telling(imports.names, told)
        if path != site.path
    )


def _without_imports(text: str) -> str:
    """Return a text without its comments, and without what it imports under the name it has."""
    text = _COMMENTS.sub(lambda found: found[1] or "", text)
    return _IMPORTED.sub(lambda found: found[0] if re.search(r"\bas\b", found[0]) else "", text)
