"""Packages that others install: what they start is for themselves, or shows what they can do."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from stoker.sidecar.detect.candidates import Candidate
from stoker.sidecar.detect.containers import container_files
from stoker.sidecar.detect.manifests import python_name, table
from stoker.sidecar.detect.source.python_apps import web_apps
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.frameworks import FRAMEWORKS, LIBRARIES
from stoker.sidecar.project import Project

_PUBLISHED = re.compile(
    r"""["'\s](?:Framework|Intended Audience|License|Operating System|Topic) :: """
)
"""What an index of packages is told of one."""
_FOR_DEVELOPERS = re.compile(
    r"Intended Audience :: Developers|:: Software Development :: (?:Libraries|Testing)"
)
_ADDED_TO = re.compile(r"Framework :: \w+ :: (?:Add-?on|Extension|Plugin)\b", re.IGNORECASE)
_INSTALLS = r"\b(?:pip3? install (?:-U |--upgrade )?|(?:uv|poetry|pdm) add |pipenv install )"
_SAMPLE = re.compile(
    r"(?:^|[-_])(?:examples?|samples?|demos?|tests?|testing|dummy|sandbox|playground|testbed)"
    r"(?:app|proj|project|site|server)?s?(?:$|[-_\d])",
    re.IGNORECASE,
)
"""How a directory or a module is called that is there to try a package with."""
_FRAMEWORKS: dict[str, frozenset[str]] = {
    language: frozenset(
        each.name for each in FRAMEWORKS.values() if language in each.packages
    ) - {"stoker"}
    for language in ("python", "node")
}  # fmt: skip
"""What frameworks are called, by the language that they are for."""
_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)""")


def is_library(source: PythonSource) -> bool:
    """Tell if the project is a queue library or its dashboard: what it starts is for itself."""
    project, manifests = source.project, source.manifests
    roots = [each for each in manifests.packages if each.dir == "."]
    own = {name for each in roots for name in (each.name, python_name(each.name))} & LIBRARIES
    if any(not manifests.has(name, python_name(name)) for name in own):
        return True  # what depends on itself only has the name
    node = manifests.tables.get("package.json", {})
    if "vscode" in table(node, "engines") and "contributes" in node:
        return True  # an extension: it runs in the editor
    if _ADDED_TO.search(_told(project)):
        return True  # it runs in what it is added to
    if _is_only_installed(source) or _is_about_a_framework(source):
        return True
    gem = any("/" not in path for path in project.suffixed("gemspec"))
    return gem and "config/application.rb" not in project.files


def without_samples(source: PythonSource, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates without those that a package for others is tried with.

    A package beside which a whole project lies, for its demonstration or its tests, has that
    project's workers started in its compose file: nobody deploys them.
    """
    package = _Package(source)
    return [each for each in candidates if not package.is_sample(each)]


def _is_only_installed(source: PythonSource) -> bool:
    """Tell if the project is a package of Python for other programs, and starts none itself.

    They install it by its name: it is published as such, or its README says so. What has a
    container, a web app or a command of its own is a program all the same.
    """
    project = source.project
    files = container_files(project)
    programs = project.named("Procfile", "manage.py")
    if {"compose", "dockerfile"} & files.keys() or not all(map(project.is_aside, programs)):
        return False
    told = _told(project)
    if "scripts]" in told or "console_scripts" in told:
        return False
    package = _Package(source)
    published = bool(package.names) and _PUBLISHED.search(told) is not None
    return (package.is_installed or published) and not web_apps(source)


def _is_about_a_framework(source: PythonSource) -> bool:
    """Tell if the project is for developers, and has a framework's name in its own.

    A library of Python that they install, or a command of Node.
    """
    package = _Package(source)
    named = any(_FRAMEWORKS["python"] & _parts(name) for name in package.names)
    if named and (package.is_installed or _FOR_DEVELOPERS.search(_told(source.project))):
        return True
    data = source.manifests.tables.get("package.json", {})
    command = "bin" in data and data.get("private") is not True
    return command and bool(_FRAMEWORKS["node"] & _parts(str(data.get("name", ""))))


def _parts(name: str) -> set[str]:
    return set(re.split(r"[-_./@]", name.lower()))


def _told(project: Project) -> str:
    return "".join(project.text(path) for path in ("pyproject.toml", "setup.py", "setup.cfg"))


class _Package:
    """The package of Python that the project's root is, for others to install."""

    def __init__(self, source: PythonSource) -> None:
        self.project = source.project
        packages = source.manifests.packages
        roots = [each for each in packages if (each.dir, each.language) == (".", "python")]
        self.names = [each.name for each in roots if each.name]

    @cached_property
    def is_installed(self) -> bool:
        """Tell if the README says how other programs install it."""
        readme = "".join(self.project.text(path) for path in ("README.md", "README.rst"))
        return any(
            re.search(rf"""{_INSTALLS}["']?{re.escape(name)}(?![\w-])""", readme, re.IGNORECASE)
            for name in self.names
        )

    @cached_property
    def _is_application(self) -> bool:
        """Tell if those who install it are to use it: its project is how they do."""
        told = _told(self.project)
        return "Intended Audience :: " in told and not _FOR_DEVELOPERS.search(told)

    @cached_property
    def modules(self) -> frozenset[str]:
        """What it brings along for them to import.

        The directories that are called as the package is, more or less; or all that are packages,
        if it has a name of none of them and says itself that it is made of packages.
        """
        inits = (path.split("/") for path in self.project.named("__init__.py"))
        tops = {parts[-2] for parts in inits if len(parts) == 2 or parts[:-2] == ["src"]}
        tops = {top for top in tops if not _SAMPLE.search(top)}
        names = [_squeezed(name) for name in self.names]
        own = {top for top in tops if any(_squeezed(top) in name for name in names)}
        made = re.search(r"^\s*packages\s*=", self.project.text("setup.py"), re.MULTILINE)
        return frozenset(own or (tops if made else ()))

    def is_sample(self, each: Candidate) -> bool:
        """Tell if what a command leads to is a project to try the package with."""
        names = [name for name in self._leading_to(each) if name not in ("", ".", "src")]
        if "tests" in names and "tests" in self.project.dirs:
            return True
        if not names or not self.modules or self.modules & set(names) or self._is_application:
            return False
        return self.is_installed or any(map(_SAMPLE.search, names))

    def _leading_to(self, each: Candidate) -> Iterator[str]:
        """Yield the directories and modules that a command of Python's leads to."""
        if each.language != "python":
            return
        yield from each.dir.split("/")
        manage = next((word for word in each.words[:2] if word.endswith("manage.py")), "")
        path = posixpath.normpath(posixpath.join(each.dir, manage.lstrip("/")))
        found = _SETTINGS.search(self.project.text(path)) if manage else None
        yield from re.split(r"[./:\s]", found[1] if found else each.app)


def _squeezed(name: str) -> str:
    return re.sub(r"[-_.]", "", name).lower()
