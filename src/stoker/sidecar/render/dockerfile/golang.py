"""Go: one static binary, and nothing else."""

from __future__ import annotations

import posixpath

from stoker.sidecar.plan import Image
from stoker.sidecar.render.dockerfile.instructions import copy, copy_manifests, packages, run, user
from stoker.sidecar.render.places import CACHE, OWNER

_GOCACHE = f"{CACHE}/go-build"
_FINAL = "alpine:3.22"  # a shell and certificates
_ZONES = ("-tags", "timetzdata")  # which that image has not: schedules name them


def stages(image: Image) -> list[str]:
    """Return the stages up to the worker's files."""
    name = image.program
    build = list(image.build) or [
        *("go", "build", "-trimpath", *_ZONES, "-o", f"/out/{name}", image.binary or ".")
    ]
    # What lies in vendor comes with the source, and the compiler takes it by itself.
    install = [*copy_manifests(image.manifests), *run(["go", "mod", "download"])]
    made = f"/out/{name}" if not image.build else f"/app/{_output(image, name)}"
    return [
        f"FROM golang:{image.version} AS base",
        "WORKDIR /app",
        *packages(image.system_packages),
        *([] if image.vendored else install),
        copy(["."], "./"),
        "",
        "FROM base AS dev",
        "ENV HOME=/tmp",
        f"USER {OWNER}",
        "",
        "FROM base AS build",
        "ENV CGO_ENABLED=0",
        *run(build, caches=[_GOCACHE]),
        "",
        f"FROM {_FINAL} AS {image.target or 'worker'}",
        user(alpine=True),
        "WORKDIR /app",
        "ENV PATH=/app:$PATH",
        copy([made], f"/app/{name}", stage="build"),
    ]


def _output(image: Image, name: str) -> str:
    """Return what the project's own build command writes."""
    words = list(image.build)
    return posixpath.normpath(words[words.index("-o") + 1]) if "-o" in words[:-1] else name
