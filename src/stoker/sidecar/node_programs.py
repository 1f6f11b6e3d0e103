"""Which programs of Node's a shell finds by itself, and what finds the others."""

from __future__ import annotations

_ON_PATH = frozenset({
    "node", "npm", "npx", "pnpm", "pnpx", "yarn", "yarnpkg", "bun", "bunx", "corepack", "deno",
    "sh", "bash", "ash", "env", "exec", "timeout", "nice", "tini", "dumb-init", "make",
})  # fmt: skip


def is_of_package(program: str) -> bool:
    """Tell if a program is in ``node_modules/.bin``, which a shell does not look into."""
    return "/" not in program and "$" not in program and program not in _ON_PATH


def finder(manager: str) -> str:
    """Return the program that finds those of packages."""
    return "bunx" if manager == "bun" else "npx"
