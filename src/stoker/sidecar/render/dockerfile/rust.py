"""Rust: one binary, and nothing else."""

from __future__ import annotations

from stoker.sidecar.plan import Image
from stoker.sidecar.render.dockerfile.instructions import array, copy, packages, user
from stoker.sidecar.render.places import OWNER

_RELEASE = "bookworm"
"""Of Debian, for building and running: a binary finds no older C library than it was built with."""
_CACHES = (
    "--mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/app/target "
)


def stages(image: Image) -> list[str]:
    """Return the stages up to the worker's files."""
    name = image.program
    locked = ["--locked"] if any(file.endswith("Cargo.lock") for file in image.manifests) else []
    member = ["--package", image.package] if image.package else []
    build = ["cargo", "install", *locked, *member, "--bin", name, "--root", "/out", "--path"]
    return [
        f"FROM rust:{image.version}-{_RELEASE} AS base",
        "WORKDIR /app",
        *packages(image.system_packages),
        copy(["."], "./"),
        "",
        "FROM base AS dev",
        "ENV HOME=/tmp CARGO_TARGET_DIR=/tmp/target",
        f"USER {OWNER}",
        "",
        "FROM base AS build",
        # `install` and not `build`: the cached target directory is no part of the stage.
        f"RUN {_CACHES}{array([*build, image.package_dir])}",
        "",
        f"FROM debian:{_RELEASE}-slim AS {image.target or 'worker'}",
        user(),
        *packages(("ca-certificates",)),
        "WORKDIR /app",
        "ENV PATH=/app:$PATH",
        copy([f"/out/bin/{name}"], f"/app/{name}", stage="build"),
    ]
