"""Python's own programs: ``python worker.py``, ``python -m app.worker``, a console script."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from stoker.sidecar.detect.expand import Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.manifests import table
from stoker.sidecar.detect.source import DEDICATED, WORKERISH, Program, Site, merged_queues
from stoker.sidecar.detect.source.python_branches import for_others, names_in, reached
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_parsing import Definition
from stoker.sidecar.detect.source.python_reloaders import reloaded
from stoker.sidecar.detect.source.python_sites import every_site, program_sites
from stoker.sidecar.detect.source.python_web import serves

_PYTHON = re.compile(r"(?:\S*/)?(python[0-9.]*|pypy3?)(\.exe)?$")

_LOOKS = re.compile(r"doctor|check|status|health(?:check)?|ping|inspect|stats|info|ls|list|help")
"""The commands of a program that only look at how it does."""
_MEASURES = re.compile(
    r"(?:^|[/_ -])(?:bench(?:marks?)?|load[_-]?test)(?:[_-]\w+)?(?:\.py)?(?: |$)"
)
"""A program that starts workers to see how fast they are."""
_INSTANCE = re.compile(r"--(?:\w+[-_])?(?:id|port|num(?:ber)?)")
"""What tells one of several that are the same from the others; its value is no sub-command."""


class _Script(NamedTuple):
    path: str
    arguments: tuple[str, ...]
    function: str = ""
    """The one that a console script calls."""


def python_program(source: PythonSource) -> Program:
    """Return what tells whether a command is a worker's script."""
    scripts = console_scripts(source)

    def program(start: Start, dir: str) -> Launch | None:
        script = _script(source, start.step.words, dir, scripts)
        if script is None or _MEASURES.search(f"{start.step.words[0]} {script.path}"):
            return None
        if launch := reloaded(source, script.path):
            return launch
        sites = _sites(source, script, for_work=start.for_work)
        if not sites:
            return None
        roles = {site.role for site in sites}
        role = "worker" if "worker" in roles else sites[0].role
        app = " ".join((script.path, *script.arguments))
        return Launch(sites[0].framework, role, start.step.words, app, merged_queues(sites))

    return program


def _sites(source: PythonSource, script: _Script, *, for_work: bool) -> Sequence[Site]:
    """Return where a script makes workers, for the arguments that it is given."""
    if any(map(_LOOKS.fullmatch, script.arguments[:1])):
        return ()
    module = source.modules.get(script.path)
    body = module and reached(module, script.arguments, script.function)
    named = " ".join((posixpath.basename(script.path), *script.arguments))
    is_for_work = for_work or DEDICATED.search(named) is not None
    if module is None or body is None:
        follow = for_work or WORKERISH.search(named) is not None
        if serves(source, script.path) and not is_for_work:
            return ()
        sites = program_sites(source, script.path, follow=follow)
        if module is not None and not sites:
            run = [each for each in module.tree.body if not isinstance(each, Definition)]
            sites = [each for each in every_site(source, script.path) if _is_in(each, run)]
        other = for_others(module) if module and script.arguments else []
        return [s for s in sites if s.path != script.path or not _is_in(s, other)]
    own = [site for site in every_site(source, script.path) if _is_in(site, body)]
    if own:
        return own
    for name in sorted(names_in(body) & module.names.keys()):
        found = source.find(module.names[name], posixpath.dirname(script.path) or ".")
        if found and serves(source, found[0]) and not is_for_work:
            continue
        sites = program_sites(source, found[0], follow=True) if found else ()
        if sites and found and found[0] != script.path:
            return sites
    return ()


def _is_in(site: Site, body: Sequence[ast.stmt]) -> bool:
    return any(each.lineno <= site.line <= (each.end_lineno or each.lineno) for each in body)


def console_scripts(source: PythonSource) -> dict[str, str]:
    """Return the commands that a project installs, each with the function that it calls."""
    found: dict[str, str] = {}
    for path, data in source.manifests.tables.items():
        if path.endswith("pyproject.toml"):
            groups: list[dict[str, Any]] = [
                table(data, "project", "scripts"),
                table(data, "tool", "poetry", "scripts"),
            ]
            for group in groups:
                found |= {name: str(value) for name, value in group.items()}
    for path in source.project.named("setup.py", "setup.cfg"):
        listed = _CONSOLE_SCRIPTS.search(source.project.text(path))
        found |= dict(_ENTRY_POINT.findall(listed[1])) if listed else {}
    return found


_CONSOLE_SCRIPTS = re.compile(r"""\bconsole_scripts\b[]"':=\s[]*([^]\[]*)""")
_ENTRY_POINT = re.compile(r"(?<![\w.-])([\w.-]++)\s*+=\s*+([\w.]++:\w+)")


def _script(
    source: PythonSource, words: Sequence[str], dir: str, scripts: dict[str, str]
) -> _Script | None:
    if _PYTHON.match(words[0]) and len(words) > 1:
        named = zip(words[1:], words, strict=False)
        rest = [
            word
            for word, before in named
            if word == "-m" or not (word.startswith("-") or _INSTANCE.fullmatch(before))
        ]
        if rest[:1] == ["-m"] and len(rest) > 1:
            found = source.find(rest[1], dir)
            return _Script(_main_of(source, found[0]), tuple(rest[2:])) if found else None
        name, arguments = rest[0] if rest else "", tuple(rest[1:])
    elif words[0].endswith(".py"):
        name, arguments = words[0], tuple(word for word in words[1:] if not word.startswith("-"))
    elif words[0] in scripts:
        module, _, function = scripts[words[0]].partition(":")
        found = source.find(module, dir)
        return _Script(found[0], tuple(words[1:]), function) if found else None
    else:
        return None
    for base in (dir, "."):
        path = posixpath.normpath(posixpath.join(base, name.lstrip("/")))
        if path in source.project.files:
            return _Script(path, arguments)
    close = [path for path in source.paths if f"/{path}".endswith(f"/{posixpath.basename(name)}")]
    return _Script(close[0], arguments) if len(close) == 1 else None


def _main_of(source: PythonSource, path: str) -> str:
    """Return what ``python -m`` runs of a package."""
    main = re.sub(r"__init__\.py$", "__main__.py", path)
    return main if main in source.project.files else path
