"""Node: everything to build, then only what runs."""

from __future__ import annotations

import posixpath

from stoker.sidecar.plan import Client, Image
from stoker.sidecar.render.dockerfile.instructions import (
    copy,
    install_between,
    packages,
    run,
    user,
    variable,
)
from stoker.sidecar.render.places import CACHE, HOME, inside

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

_OWN = {"yarn": ("yarn", "run"), "bun": ("bun", "x", "--bun")}
_BY_NPX = ("npx", "--no-install")
"""What starts a program of a package."""


def stages(image: Image) -> list[str]:
    """Return the stages up to the worker's files."""
    setting, place = _CACHES[image.manager]
    cache = [place]
    base = (
        f"oven/bun:{image.version}-slim"
        if image.manager == "bun"
        else (f"node:{image.version}-slim")
    )
    prune = ["", "FROM build AS production", *run(_prune(image), caches=cache)]
    return [
        f"FROM {base} AS base",
        user(),
        f"ENV PATH={_programs(image)}:$PATH",
        "WORKDIR /app",
        *packages(image.system_packages),
        "",
        "FROM base AS build",
        f"ENV {setting}={place}",
        *_tool(image),
        *install_between(image, run(_install(image), caches=cache)),
        *(line for client in image.clients for line in _made(client, image.manager)),
        *(_apart(image) if image.build else []),
        "",
        "FROM build AS dev",
        "ENV NODE_ENV=development",
        *([] if image.dev_packages else prune),
        "",
        f"FROM base AS {image.target or 'worker'}",
        "ENV NODE_ENV=production",
        copy(["/app/"], "/app/", stage="build" if image.dev_packages else "production", own=True),
    ]


def _made(client: Client, manager: str) -> list[str]:
    """Make a client with the project's own Prisma, and never with one that is fetched for it."""
    schema = ["--schema", posixpath.relpath(client.schema, client.dir)] if client.schema else []
    made = run([*_OWN.get(manager, _BY_NPX), "prisma", "generate", *schema])
    if client.dir == ".":
        return made
    return [f"WORKDIR {variable(inside(client.dir))}", *made, f"WORKDIR {HOME}"]


def _apart(image: Image) -> list[str]:
    """Build, in a step of its own: a client that was made stays when the build fails."""
    follows = any(client.dir == "." for client in image.clients)
    return [*(["# hadolint ignore=DL3059"] if follows else []), *run(_build(image))]


def _programs(image: Image) -> str:
    """Return where the programs of packages are, the member's own first."""
    places = dict.fromkeys([inside(image.package_dir), HOME])
    return ":".join(variable(f"{place}/node_modules/.bin") for place in places)


def _build(image: Image) -> list[str]:
    """Return what builds the package, and not the workspace that it is a member of."""
    if not image.package or list(image.build[:2]) != [image.manager, "run"]:
        return list(image.build)
    script = image.build[2:]
    match image.manager:
        case "npm":
            return ["npm", "run", *script, "--workspace", image.package_dir]
        case "pnpm":  # with what it depends on before it
            return ["pnpm", "--filter", f"{image.package}...", "run", *script]
        case "yarn":
            return ["yarn", "workspace", image.package, "run", *script]
        case _:
            return ["bun", "run", "--cwd", image.package_dir, *script]


def _tool(image: Image) -> list[str]:
    """Install the manager from its own registry: newer Nodes come without Corepack."""
    tools = {"pnpm": _PNPM, "yarn": _BERRY if _is_berry(image) else _YARN}
    if image.manager not in tools:
        return []
    install = ["npm", "install", "--global", "--force", tools[image.manager]]
    # A project may keep a Yarn of its own, which is not among what is copied for an install.
    own = ["ENV YARN_IGNORE_PATH=1"] if image.manager == "yarn" and _is_berry(image) else []
    return ["ENV CI=true", *own, *run(install)]


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
