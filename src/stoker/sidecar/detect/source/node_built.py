"""Whether a package's TypeScript is built, and where what is made of it lies."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from stoker.sidecar.detect.shell import Step, steps
from stoker.sidecar.detect.unwrapping import unwrap
from stoker.sidecar.project import Project

_BUILDERS = re.compile(r"nest build|tsup|tsdown|swc|esbuild|rollup|vite build")
_TSC = re.compile(r"(?:.*/)?(?:vue-)?tsc(?:-watch)?")
_NO_EMIT = re.compile(r'^(?!\s*//).*?"(?:noEmit|emitDeclarationOnly)"\s*:\s*(true|false)', re.M)
_EXTENDS = re.compile(r'^(?!\s*//).*?"extends"\s*:\s*"(\.[^"\n]*)"', re.MULTILINE)
_COMPILED = re.compile(r'^\s*"(outDir|rootDir)"\s*:\s*"(?:\./)?([\w./-]*?)/?"', re.MULTILINE)


def is_built(project: Project, dir: str, scripts: Mapping[str, str]) -> bool:
    """Tell if the scripts of a package build what ``node`` can run.

    tsc writes nothing where it is only to check the types. A script that runs something in
    ``dist`` is believed, as long as that is not all there is to build it.
    """
    lines = " ".join(scripts.values())
    if _BUILDERS.search(lines):
        return True
    every = [each for line in scripts.values() for each in _steps(line)]
    compiling = [each for each in every if _is_tsc(each)]
    if re.search(r"\btsc\b", lines) and not compiling:
        return True  # in a way that is not understood
    if any(_writes(project, dir, each) for each in compiling):
        return True
    build = _steps(scripts.get("build", ""))
    return "dist/" in lines and not (build and all(map(_is_tsc, build)))


def compiled(project: Project, dir: str) -> tuple[str, str | None]:
    """Return where tsc puts what it makes, and what of a path it leaves out, if it is said."""
    given: dict[str, str] = dict(_COMPILED.findall(project.text(_in(dir, "tsconfig.json"))))
    root = given.get("rootDir")
    return given.get("outDir", ""), None if root is None else f"{root}/" if root.strip(".") else ""


def _steps(line: str) -> list[Step]:
    return [each for step in steps(line) for each in unwrap(step)]


def _is_tsc(step: Step) -> bool:
    return any(map(_TSC.fullmatch, step.words[:2]))


def _writes(project: Project, dir: str, step: Step) -> bool:
    """Tell if a command of tsc writes JavaScript, by its options or by its settings."""
    words = [word.lower() for word in step.words]
    if "--noemit" in words:
        return words[words.index("--noemit") + 1 :][:1] == ["false"]
    if {"-b", "--build"} & set(words):
        return True
    at = next((at for at, word in enumerate(words) if word in ("-p", "--project")), len(words))
    given = "".join(step.words[at + 1 : at + 2]) or "tsconfig.json"
    path = _in(_in(dir, step.dir), given)
    return not _only_checks(project, path if path.endswith(".json") else f"{path}/tsconfig.json")


def _only_checks(project: Project, path: str, depth: int = 0) -> bool:
    text = project.text(posixpath.normpath(path))
    told, base = _NO_EMIT.findall(text), _EXTENDS.search(text)
    if told or base is None or depth > 4:
        return "true" in told
    name = base[1] if base[1].endswith(".json") else f"{base[1]}.json"
    return _only_checks(project, posixpath.join(posixpath.dirname(path), name), depth + 1)


def _in(dir: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(dir, name))
