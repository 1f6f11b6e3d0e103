"""Node: everything to build, then only what runs."""

from __future__ import annotations

import posixpath

from stoker.sidecar.plan import Image
from stoker.sidecar.render.dockerfile.instructions import (
    copy,
    copy_manifests,
    packages,
    run,
    user,
)
from stoker.sidecar.render.places import CACHE

_PNPM = "pnpm@10.34.8"  # changes by itself to the version that a package.json asks for
_YARN = "yarn@1.22.22"
_BERRY = "@yarnpkg/cli-dist@4.18.1"
_CACHES = {
    "npm": ("npm_config_cache", f"{CACHE}/npm"),
    "pnpm": ("npm_config_store_dir", f"{CACHE}/pnpm"),
    "yarn": ("YARN_CACHE_FOLDER", f"{CACHE}/yarn"),
    "bun": ("BUN_INSTALL_CACHE_DIR", f"{CACHE}/bun"),
}
"""What tells each where its cache is."""


def stages(image: Image) -> list[str]:
    """Return the stages up to the worker's files."""
    variable, place = _CACHES[image.manager]
    cache = [place]
    base = (
        f"oven/bun:{image.version}-slim"
        if image.manager == "bun"
        else (f"node:{image.version}-slim")
    )
    return [
        f"FROM {base} AS base",
        user(),
        "WORKDIR /app",
        *packages(image.system_packages),
        "",
        "FROM base AS build",
        f"ENV {variable}={place}",
        *_tool(image),
        *copy_manifests(image.manifests),
        *run(_install(image), caches=cache),
        copy(["."], "./"),
        *(run(image.build) if image.build else []),
        "",
        "FROM build AS dev",
        "ENV NODE_ENV=development",
        "",
        "FROM build AS production",
        *run(_prune(image), caches=cache),
        "",
        f"FROM base AS {image.target or 'worker'}",
        "ENV NODE_ENV=production",
        copy(["/app/"], "/app/", stage="production", own=True),
    ]


def _tool(image: Image) -> list[str]:
    """Install the manager from its own registry: newer Nodes come without Corepack."""
    tools = {"pnpm": _PNPM, "yarn": _BERRY if _is_berry(image) else _YARN}
    if image.manager not in tools:
        return []
    install = ["npm", "install", "--global", "--force", tools[image.manager]]
    return ["ENV CI=true", *run(install)]


def _install(image: Image) -> list[str]:
    match image.manager:
        case "pnpm":
            return ["pnpm", "install", *_if(image, "pnpm-lock.yaml", "--frozen-lockfile")]
        case "yarn":
            lock = "--immutable" if _is_berry(image) else "--frozen-lockfile"
            return ["yarn", "install", *_if(image, "yarn.lock", lock)]
        case "bun":
            return ["bun", "install", *_if(image, "bun.lock", "--frozen-lockfile")]
        case _:
            return ["npm", "ci" if _if(image, "package-lock.json", "ci") else "install"]


def _prune(image: Image) -> list[str]:
    """Return what leaves only the packages that run."""
    match image.manager:
        case "pnpm":  # `pnpm prune` does not know workspaces
            return [*_install(image), "--prod"]
        case "yarn" if _is_berry(image):
            focus = [image.package] if image.package else ["--all"]
            return ["yarn", "workspaces", "focus", "--production", *focus]
        case "yarn":
            return [*_install(image), "--production"]
        case "bun":
            return [*_install(image), "--production"]
        case _:
            return ["npm", "prune", "--omit=dev"]


def _is_berry(image: Image) -> bool:
    return bool(_if(image, ".yarnrc.yml", "yes"))


def _if(image: Image, lock: str, option: str) -> list[str]:
    """Return the option, if the lock is there."""
    return [option] if lock in {posixpath.basename(file) for file in image.manifests} else []
