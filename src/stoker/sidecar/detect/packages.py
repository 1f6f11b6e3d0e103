"""Which directories are packages, and what an image of each is built from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from stoker.sidecar.detect.flat_layout import side_by_side
from stoker.sidecar.detect.manifests import OF_CONDA, Manifests, directory, reader_of, table
from stoker.sidecar.detect.prisma import schema
from stoker.sidecar.detection import Language, Package
from stoker.sidecar.project import Project


def read_manifests(project: Project) -> Manifests:
    """Read every manifest of every kind."""
    found = Manifests([], [], {}, {})
    for path in project.ordered:
        name = path.rpartition("/")[2]
        if project.is_aside(path):
            continue
        reader = reader_of(name, path)
        if reader is not None:
            reader(project, path, found)
    found.packages = list(_packages(project, found))
    return found


_MANAGERS: tuple[tuple[Language, str, tuple[str, ...]], ...] = (
    ("node", "package.json", ("pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb",
                              "package-lock.json")),
    ("python", "pyproject.toml", ("uv.lock", "poetry.lock", "pdm.lock")),
    ("python", "Pipfile", ("Pipfile.lock",)),
    ("python", "requirements.txt", ()),
    ("python", "setup.py", ()),
    ("ruby", "Gemfile", ("Gemfile.lock",)),
    ("go", "go.mod", ("go.sum",)),
    ("rust", "Cargo.toml", ("Cargo.lock",)),
)  # fmt: skip
_TAKES_VENDOR = (1, 14)
_VENDOR = re.compile(r"^(?:\*\*)?/?vendor(?:/\**)?\s*$", re.MULTILINE)
"""A line of ``.gitignore`` that has it: it is no part of the project, but of one clone."""
_BY_LOCK = {
    "pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun",
    "package-lock.json": "npm", "uv.lock": "uv", "poetry.lock": "poetry", "pdm.lock": "pdm",
    "Pipfile.lock": "pipenv",
}  # fmt: skip
_NAMED = (("project",), ("package",), ("tool", "poetry"))
"""Where a manifest in TOML says what its package is called."""
_USUAL = {"node": "npm", "python": "pip", "ruby": "bundler", "go": "go", "rust": "cargo"}


def _packages(project: Project, found: Manifests) -> Iterator[Package]:
    seen: set[tuple[str, Language]] = set()
    for language, manifest, locks in _MANAGERS:
        for path in project.named(manifest):
            dir = directory(path)
            if not project.is_aside(path) and (dir, language) not in seen:
                seen.add((dir, language))
                yield _package(project, found, dir, language, path, locks)
    for dependency in found.dependencies:  # requirements/base.txt, requirements-prod.txt
        known = (dependency.dir, "python") in seen or dependency.language != "python"
        if not known and not OF_CONDA.fullmatch(dependency.path.rpartition("/")[2]):
            seen.add((dependency.dir, "python"))
            yield Package(dependency.dir, "python", "pip", (dependency.path,))


def _package(
    project: Project, found: Manifests, dir: str, language: Language, path: str,
    locks: tuple[str, ...],
) -> Package:  # fmt: skip
    data = found.tables.get(path, {})
    root, lock = _nearest(project, dir, locks)
    manager = _BY_LOCK.get(lock, _USUAL[language])
    if path.endswith("Pipfile"):
        manager = "pipenv"
    if path.endswith("pyproject.toml") and not lock and table(data, "tool", "poetry"):
        manager = "poetry"
    manifests = [path] if not lock else [path, f"{root}/{lock}".removeprefix("./")]
    if language == "python" and manager == "pip":
        manifests += [p for p in project.named("requirements.txt") if directory(p) == dir]
    settings = f"{root}/.yarnrc.yml".removeprefix("./")
    if manager == "yarn" and settings in project.files:
        manifests.append(settings)  # it says that this is not the first Yarn
    workspace = root if root != dir and lock else ""
    named = (data, *(table(data, *keys) for keys in _NAMED))
    name = next((each["name"] for each in named if each.get("name")), None)
    version = _version(project, dir, language, data)
    made_of, schema_files = schema(project, dir, data) if language == "node" else ("", ())
    return Package(
        dir=dir,
        language=language,
        manager=manager,
        manifests=tuple(dict.fromkeys(manifests)),
        version=version,
        workspace=workspace,
        name=name if isinstance(name, str) else _setup_name(project, dir),
        build=_build(language, manager, found.scripts.get(path, {})),
        schema=made_of,
        schema_files=schema_files,
        vendored=language == "go" and _is_vendored(project, dir, version),
        side_by_side=side_by_side(project, dir, data) if path.endswith("pyproject.toml") else (),
    )


def _is_vendored(project: Project, dir: str, version: str) -> bool:
    """Tell if Go builds a module of its ``vendor``, by itself, wherever the project is cloned.

    It does so since 1.14, and without a version in ``go.mod``, too.
    """
    prefix = "" if dir == "." else f"{dir}/"
    if f"{prefix}vendor/modules.txt" not in project.files:
        return False
    if version and tuple(map(int, version.split("."))) < _TAKES_VENDOR:
        return False
    ignored = (project.text(path) for path in {".gitignore", f"{prefix}.gitignore"})
    return not any(map(_VENDOR.search, ignored))


def _setup_name(project: Project, dir: str) -> str:
    prefix = "" if dir == "." else f"{dir}/"
    text = project.text(f"{prefix}setup.py")
    given = re.search(r"""\bname\s*=\s*(?:["']([\w.-]+)["']|([A-Za-z_]\w*)\s*[,)])""", text)
    if given and given[1]:
        return given[1]
    # By a variable, as in ``setup(name=NAME)``, that says it itself.
    pattern = rf"""^{given[2]}\s*=\s*["']([\w.-]+)["']""" if given else r"(?!)"
    found = re.search(pattern, text, re.MULTILINE) or re.search(
        r"^name\s*=\s*([\w.-]+)", project.text(f"{prefix}setup.cfg"), re.MULTILINE
    )
    return found[1] if found else ""


def _nearest(project: Project, dir: str, locks: tuple[str, ...]) -> tuple[str, str]:
    """Return the lock file of a package: its own, or that of the workspace above it."""
    for parent in (PurePosixPath(dir), *PurePosixPath(dir).parents):
        for lock in locks:
            if f"{parent}/{lock}".removeprefix("./") in project.files:
                return str(parent), lock
    return dir, ""


def _build(language: Language, manager: str, scripts: Mapping[str, str]) -> tuple[str, ...]:
    if language == "node" and "build" in scripts:
        return (manager, "run", "build")
    return ()


def _version(project: Project, dir: str, language: Language, data: dict[str, Any]) -> str:
    """Return the version of the language that a package asks for, as ``3.12`` or ``22``."""
    asked = {
        "node": table(data, "engines").get("node"),
        "python": table(data, "project").get("requires-python")
        or table(data, "tool", "poetry", "dependencies").get("python"),
        "rust": table(data, "package").get("rust-version"),
    }.get(language)
    prefix = "" if dir == "." else f"{dir}/"
    files = {"node": (".nvmrc", ".node-version"), "ruby": (".ruby-version",),
             "python": (".python-version", "runtime.txt")}.get(language, ())  # fmt: skip
    for name in files:
        asked = project.text(prefix + name).strip() or asked
    if language == "go":
        found = re.search(r"^go (\S+)", project.text(f"{prefix}go.mod"), re.MULTILINE)
        asked = found[1] if found else None
    if language == "ruby" and not asked:
        found = re.search(r"""^ruby\s+["']([^"']+)""", project.text(f"{prefix}Gemfile"), re.M)
        asked = found[1] if found else None
    number = re.search(r"\d{1,9}(\.\d{1,9})?", asked) if isinstance(asked, str) else None
    if number is None or (isinstance(asked, str) and asked.lstrip().startswith("<")):
        return ""
    return number[0].partition(".")[0] if language == "node" else number[0]
