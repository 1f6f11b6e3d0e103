"""The manifests of every kind: what a project depends on, and the scripts that it names."""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

import msgspec

from stoker.sidecar.detect.setup_py import asked_for
from stoker.sidecar.detection import Evidence, Language, Package
from stoker.sidecar.project import Project


class Dependency(msgspec.Struct, frozen=True):
    """A package that a manifest asks for."""

    name: str
    """Python names as PEP 503 has them, others as they are."""
    language: Language
    dir: str
    path: str
    line: int
    version: str = ""
    dev: bool = False
    direct: bool = True
    """``False``: only a lock file names it."""

    @property
    def evidence(self) -> Evidence:
        """Return the place."""
        return Evidence(self.path, self.line, f"{self.name} {self.version}".strip(), "dependency")


class Manifests(msgspec.Struct, dict=True):
    """What all manifests say. All of it is added before the first question."""

    dependencies: list[Dependency] = []
    packages: list[Package] = []
    scripts: dict[str, dict[str, str]] = {}
    """package.json → its scripts."""
    tables: dict[str, dict[str, Any]] = {}
    """pyproject.toml, Cargo.toml and package.json as they are."""

    def has(self, *names: str, language: Language | None = None) -> Dependency | None:
        """Return the first dependency of one of these names."""
        found = (each for name in names for each in self._by_name.get(name, ()))
        fitting = ((at, each) for at, each in found if language in (None, each.language))
        return min(fitting, key=lambda each: each[0], default=(0, None))[1]

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[int, Dependency]]]:
        found: dict[str, list[tuple[int, Dependency]]] = {}
        for at, dependency in enumerate(self.dependencies):
            found.setdefault(dependency.name, []).append((at, dependency))
        return found

    def package_of(self, path: str, language: Language | None = None) -> Package | None:
        """Return the innermost package that a file or directory lies in."""
        dir = path
        while True:
            for package in self._by_dir.get(dir, ()):
                if language in (None, package.language):
                    return package
            if dir == ".":
                return None
            dir = directory(dir)

    @cached_property
    def _by_dir(self) -> dict[str, list[Package]]:
        found: dict[str, list[Package]] = {}
        for package in self.packages:
            found.setdefault(package.dir, []).append(package)
        return found


def directory(path: str) -> str:
    """Return the directory of a file, ``.`` for the root."""
    return path.rpartition("/")[0] or "."


def python_name(text: str) -> str:
    """Normalise a name as PEP 503 does, without extras."""
    return re.sub(r"[-_.]+", "-", text.partition("[")[0].strip()).lower()


def find_line(text: str, *needles: str) -> int:
    """Return the line on which the needles follow each other first; 0 if they do not."""
    at = 0
    for needle in needles:
        at = text.find(needle, at)
        if at < 0:
            return 0
    return text.count("\n", 0, at) + 1


# ---- Python -------------------------------------------------------------------------------------

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?\s*([^#;]*)")
_FROM_GIT = re.compile(r"(?:git|hg|svn|bzr)\+\S+?/([\w.-]+?)(?:\.git)?(?:@[^#\s]*)?(?:#(\S*))?\s*$")


def _requirement(text: str) -> tuple[str, str, str] | None:
    """Return name, extras and version of one line of requirements."""
    text = text.strip()
    git = _FROM_GIT.search(text.partition(" ;")[0])
    named = re.match(r"([A-Za-z0-9._-]+)(\[[^\]]*\])?\s*@\s", text)
    if git and not named:
        egg = re.search(r"egg=([\w.-]+)", git[2] or "")
        return python_name(egg[1] if egg else git[1]), "", ""
    found = _REQUIREMENT.match(text)
    if not found or text.startswith(("-", "#", "http:", "https:", ".", "/")):
        return None
    return python_name(found[1]), (found[2] or "").strip("[]"), found[3].strip()


def _add_python(
    found: Manifests, path: str, line: int, text: str, *, dev: bool = False, dir: str = ""
) -> None:
    parsed = _requirement(text)
    if parsed is None:
        return
    name, extras, version = parsed
    where = dir or directory(path)
    add = found.dependencies.append
    add(Dependency(name, "python", where, path, line, version, dev))
    for extra in filter(None, (extra.strip().lower() for extra in extras.split(","))):
        add(Dependency(f"{name}[{extra}]", "python", where, path, line, version, dev))


def _requirements(project: Project, path: str, found: Manifests) -> None:
    dev = re.search(r"(^|[/_.-])(dev|test|tests|testing|lint|docs?)\b", path.lower()) is not None
    own = directory(path)
    dir = own
    if own.rpartition("/")[2] in ("requirements", "reqs", "deps"):
        dir = directory(own)
    for number, line in enumerate(project.lines(path), 1):
        _add_python(found, path, number, line.removeprefix("-e "), dev=dev, dir=dir)


_IN_CONDA = re.compile(r"""\s*-\s+["']?(?:[\w-]+::)?([A-Za-z0-9][^"':#]*?)["']?\s*(?:#.*)?""")


def _conda(project: Project, path: str, found: Manifests) -> None:
    """Read what Conda installs, and pip for it; by the line, as its selectors are comments."""
    inside = False
    for number, line in enumerate(project.lines(path), 1):
        if re.match(r"[A-Za-z]", line):
            inside = line.startswith("dependencies:")
        elif inside and (given := _IN_CONDA.fullmatch(line)):
            _add_python(found, path, number, given[1])


def _pixi(project: Project, path: str, found: Manifests) -> None:
    data, text = _toml(project, path), project.text(path)
    for group in ("dependencies", "pypi-dependencies"):
        for name in table(data, group):
            _add_python(found, path, find_line(text, name), name)


def _toml(project: Project, path: str) -> dict[str, Any]:
    text = project.text(path)
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        at = re.search(r"line (\d+)", str(error))
        project.note(path, f"not readable as TOML: {error}", "correct it", int(at[1]) if at else 0)
        return {}


def table(value: Any, *keys: str) -> dict[str, Any]:
    """Return the table at a path of keys, an empty one where there is none."""
    for key in keys:
        value = cast(dict[str, Any], value).get(key) if isinstance(value, dict) else None
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def strings(value: Any) -> list[str]:
    """Return the strings of a list, none where there is no list."""
    if not isinstance(value, list):
        return []
    return [item for item in cast(list[Any], value) if isinstance(item, str)]


def _pyproject(project: Project, path: str, found: Manifests) -> None:
    data = found.tables[path] = _toml(project, path)
    text = project.text(path)

    def add(line: str, *, dev: bool = False) -> None:
        _add_python(found, path, find_line(text, line), line, dev=dev)

    for line in strings(table(data, "project").get("dependencies")):
        add(line)
    for group in table(data, "project", "optional-dependencies").values():
        for line in strings(group):
            add(line)
    for name, group in table(data, "dependency-groups").items():
        for line in strings(group):
            add(line, dev=name in ("dev", "test", "tests", "lint", "docs"))
    for name, group in table(data, "tool", "pdm", "dev-dependencies").items():
        for line in strings(group):
            add(line, dev=name in ("dev", "test", "lint"))
    for line in strings(table(data, "tool", "uv").get("dev-dependencies")):
        add(line, dev=True)
    poetry = table(data, "tool", "poetry")
    _poetry(found, path, text, table(poetry, "dependencies"), dev=False)
    _poetry(found, path, text, table(poetry, "dev-dependencies"), dev=True)
    for name in table(poetry, "group"):
        group = table(poetry, "group", name, "dependencies")
        _poetry(found, path, text, group, dev=name in ("dev", "test", "lint", "docs"))


def _poetry(found: Manifests, path: str, text: str, names: Mapping[str, Any], *, dev: bool) -> None:
    for name, wanted in names.items():
        options: dict[str, Any] = table(wanted)
        version = wanted if isinstance(wanted, str) else str(options.get("version", ""))
        extras = ",".join(strings(options.get("extras")))
        line = find_line(text, f"\n{name}") + 1 if f"\n{name}" in text else find_line(text, name)
        _add_python(found, path, line, f"{name}[{extras}] {version.replace('*', '')}", dev=dev)


def _pipfile(project: Project, path: str, found: Manifests) -> None:
    data, text = _toml(project, path), project.text(path)
    _poetry(found, path, text, table(data, "packages"), dev=False)
    _poetry(found, path, text, table(data, "dev-packages"), dev=True)


def _setup_py(project: Project, path: str, found: Manifests) -> None:
    for line, asked in asked_for(project.text(path)):
        _add_python(found, path, line, asked)


def _setup_cfg(project: Project, path: str, found: Manifests) -> None:
    parser = configparser.RawConfigParser(strict=False)
    text = project.text(path)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        project.note(path, f"not readable as INI: {str(error).splitlines()[0]}", "correct it")
        return
    for line in parser.get("options", "install_requires", fallback="").splitlines():
        _add_python(found, path, find_line(text, line), line)


# ---- Node ---------------------------------------------------------------------------------------


def _package_json(project: Project, path: str, found: Manifests) -> None:
    text = project.text(path)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        project.note(path, f"not readable as JSON: {error}", "correct it", line)
        return
    data = found.tables[path] = table(data)
    for group in ("dependencies", "optionalDependencies", "peerDependencies", "devDependencies"):
        for name, version in table(data, group).items():
            line = find_line(text, f'"{group}"', f'"{name}"')
            dev = group in ("devDependencies", "peerDependencies")
            found.dependencies.append(
                Dependency(name, "node", directory(path), path, line, str(version), dev)
            )
    found.scripts[path] = {
        name: line for name, line in table(data, "scripts").items() if isinstance(line, str)
    }


# ---- Ruby ---------------------------------------------------------------------------------------

_GEM = re.compile(r"""^\s*gem[\s(]+["']([\w.-]+)["'](?:\s*,\s*["']([^"']*)["'])?""")
_GROUP = re.compile(r"^\s*group\b(.*)\bdo\b")


def _gemfile(project: Project, path: str, found: Manifests) -> None:
    dev = 0
    for number, line in enumerate(project.lines(path), 1):
        group = _GROUP.match(line)
        if group:
            dev = 1 if re.search(r":(development|test)\b", group[1]) else 0
        elif re.match(r"end\b", line):
            dev = 0
        gem = _GEM.match(line)
        if gem:
            where = directory(path)
            found.dependencies.append(
                Dependency(gem[1], "ruby", where, path, number, gem[2] or "", bool(dev))
            )


def _gemfile_lock(project: Project, path: str, found: Manifests) -> None:
    for number, line in enumerate(project.lines(path), 1):
        gem = re.match(r"    ([\w.-]+) \(([^)]*)\)$", line)
        if gem:
            where = directory(path)
            found.dependencies.append(
                Dependency(gem[1], "ruby", where, path, number, gem[2], direct=False)
            )


# ---- Go and Rust --------------------------------------------------------------------------------


def _go_mod(project: Project, path: str, found: Manifests) -> None:
    for number, line in enumerate(project.lines(path), 1):
        module = re.match(r"\s*(?:require\s+)?([\w.-]+\.[\w.-]+/\S+)\s+(v\S+)", line)
        if module:
            # A version from 2 on is part of the path, and no part of the name.
            name = re.sub(r"/v\d+$", "", module[1])
            where = directory(path)
            found.dependencies.append(Dependency(name, "go", where, path, number, module[2]))


_BEFORE_GO_MOD = ("Gopkg.toml", "Gopkg.lock", "glide.yaml", "Godeps.json")
"""What a project of Go asked for its dependencies in, before there were modules."""
_BEFORE_MODULES = re.compile(
    r"""^\s*(?:-\s*package:|name\s*=|"(?:ImportPath|path)"\s*:)\s*["']?([\w.-]+\.\w+/[^\s"',]+)"""
)
"""Of Glide, of dep and of Godep: a package by its path, without a version on the line."""


def _go_before_modules(project: Project, path: str, found: Manifests) -> None:
    for number, line in enumerate(project.lines(path), 1):
        named = _BEFORE_MODULES.match(line)
        if named:
            found.dependencies.append(Dependency(named[1], "go", directory(path), path, number))


def _cargo(project: Project, path: str, found: Manifests) -> None:
    data, text = _toml(project, path), project.text(path)
    found.tables[path] = data
    groups = [table(data, "dependencies"), table(data, "workspace", "dependencies")]
    groups += [table(each, "dependencies") for each in table(data, "target").values()]
    for group in groups:
        for name, wanted in group.items():
            options: dict[str, Any] = table(wanted)
            version = wanted if isinstance(wanted, str) else str(options.get("version", ""))
            crate = str(options.get("package", name))
            line = find_line(text, "dependencies", f"\n{name}")
            line = line + 1 if line else find_line(text, name)
            add, where = found.dependencies.append, directory(path)
            add(Dependency(crate, "rust", where, path, line, version))
            for feature in strings(options.get("features")):
                add(Dependency(f"{crate}[{feature}]", "rust", where, path, line, version))


_READERS: dict[str, Callable[[Project, str, Manifests], None]] = {
    "package.json": _package_json,
    "pyproject.toml": _pyproject,
    "Pipfile": _pipfile,
    "pixi.toml": _pixi,
    "setup.py": _setup_py,
    "setup.cfg": _setup_cfg,
    "Gemfile": _gemfile,
    "gems.rb": _gemfile,
    "Gemfile.lock": _gemfile_lock,
    "go.mod": _go_mod,
    **dict.fromkeys(_BEFORE_GO_MOD, _go_before_modules),
    "Cargo.toml": _cargo,
}


OF_CONDA = re.compile(r"(?:conda[\w.-]*|environment[\w.-]*|env)\.ya?ml|pixi\.toml")
"""What Conda makes an environment of, and no other manager of Python's packages."""


def reader_of(name: str, path: str) -> Callable[[Project, str, Manifests], None] | None:
    """Return what reads a manifest of this name, if it is one."""
    if name in _READERS:
        return _READERS[name]
    if name.endswith((".txt", ".in")) and ("require" in name or "/requirements/" in f"/{path}"):
        return _requirements
    if OF_CONDA.fullmatch(name):
        return _conda
    return None
