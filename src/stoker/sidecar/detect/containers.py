"""The container files that a project has already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from stoker.sidecar.detect.written.compose import compose_files
from stoker.sidecar.detect.written.contents import insides
from stoker.sidecar.detect.written.dockerfiles import copied, dockerfiles
from stoker.sidecar.detect.written.entrypoints import programs, starting
from stoker.sidecar.detect.written.programs import choice
from stoker.sidecar.detection import Choice
from stoker.sidecar.inside import Inside
from stoker.sidecar.project import Project

_VARIABLES = re.compile(r"(?!/)(?!(.*/)?\.\.(/|\Z))([^\s!#\\]*/)?\.env([.*][^\s/\\]*)?")
"""What a file of variables is called, as a pattern of files may have it, too."""
_PLAIN = re.compile(r"[\w.@+-]+(?:/[\w.@+-]+)*")
_BUILT = re.compile(r"(?:bin|target|coverage)(?:/|\Z)")
"""What is made anew in most projects, and lies in git in others."""
_KUBERNETES = (b"kind: Deployment", b"kind: StatefulSet", b"kind: CronJob")


def container_files(project: Project) -> dict[str, tuple[str, ...]]:
    """Return them by kind."""
    found = {
        "compose": compose_files(project),
        "dockerfile": [path for path in dockerfiles(project) if not project.is_aside(path)],
        "devcontainer": project.named("devcontainer.json", ".devcontainer.json"),
        "kubernetes": _kubernetes(project),
        "dockerignore": project.named(".dockerignore"),
        "env": project.matching(r"\.env[.\w-]*|env\.(example|sample)|[\w.-]*\.env"),
    }
    copies = [each for path in found["dockerfile"] for each in copied(project, path)]
    found["copied"] = list(dict.fromkeys(_left_out(project, copies)))
    found["starting"] = [each for path in found["dockerfile"] for each in starting(project, path)]
    return {kind: tuple(paths) for kind, paths in found.items() if paths}


def _left_out(project: Project, copies: Sequence[str]) -> Iterator[str]:
    """Yield what Dockerfiles copy by name, and contexts else go without: without it they fail."""
    yield from filter(_VARIABLES.fullmatch, copies)
    yield from (each for each in copies if _BUILT.match(each) and _PLAIN.fullmatch(each))
    for path in project.suffixed("pem", "key"):
        inside = (each != "." and f"{path}/".startswith(f"{each}/") for each in copies)
        if _PLAIN.fullmatch(path) and any(inside):
            yield path


def choices(project: Project, files: Mapping[str, Sequence[str]]) -> dict[str, Choice]:
    """Return how those Dockerfiles are told what to build that build one of several programs."""
    found = {path: choice(project, path) for path in files.get("dockerfile", ())}
    return {path: each for path, each in found.items() if each}


def programs_of(project: Project, files: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return what images start if they are told nothing: Dockerfiles, and their stages."""
    return dict(each for path in files.get("dockerfile", ()) for each in programs(project, path))


def stages_of(project: Project, files: Mapping[str, Sequence[str]]) -> dict[str, Inside]:
    """Return what of the project is in the images of its Dockerfiles, and of their stages."""
    return dict(e for path in files.get("dockerfile", ()) for e in insides(project, path).items())


def _kubernetes(project: Project) -> list[str]:
    found = project.named("Chart.yaml", "kustomization.yaml")
    for path in project.suffixed("yaml", "yml"):
        if any(part in path.lower() for part in ("k8s", "kube", "manifest", "deploy", "helm")):
            head = project.data(path)[:4_096]
            if b"apiVersion:" in head and any(kind in head for kind in _KUBERNETES):
                found.append(path)
    return found
