"""Ruby: the gems, then the source."""

from __future__ import annotations

import posixpath

from stoker.sidecar.plan import Image
from stoker.sidecar.render.dockerfile.instructions import copy, copy_manifests, packages, run, user
from stoker.sidecar.render.places import CACHE, OWNER

_GEMS = "/usr/local/bundle"
_CACHE = f"{CACHE}/bundle"
_COMPILE = ("build-essential", "git", "libpq-dev", "libyaml-dev", "pkg-config")


def stages(image: Image) -> list[str]:
    """Return the stages up to the worker's files."""
    names = {posixpath.basename(file) for file in image.manifests}
    locked = ["    BUNDLE_DEPLOYMENT=1 \\"] if "Gemfile.lock" in names else []
    install = ["bundle", "install", "--jobs", "4"]
    return [
        f"FROM ruby:{image.version}-slim AS base",
        f"ENV BUNDLE_PATH={_GEMS} \\",
        *locked,
        "    BUNDLE_WITHOUT=development:test \\",
        "    BUNDLE_GLOBAL_GEM_CACHE=true \\",
        f"    BUNDLE_USER_CACHE={_CACHE} \\",
        "    RAILS_ENV=production \\",
        "    RACK_ENV=production",
        user(),
        "WORKDIR /app",
        *packages(image.system_packages),
        "",
        "FROM base AS build",
        *packages(_COMPILE),
        *copy_manifests(image.manifests),
        *run(install, caches=[_CACHE]),
        "",
        "FROM build AS dev",
        "ENV BUNDLE_WITHOUT= RAILS_ENV=development RACK_ENV=development",
        *run(install, caches=[_CACHE]),
        copy(["."], "/app/", own=True),
        f"USER {OWNER}",
        "",
        f"FROM base AS {image.target or 'worker'}",
        copy([f"{_GEMS}/"], f"{_GEMS}/", stage="build"),
        copy(["."], "/app/", own=True),
    ]
