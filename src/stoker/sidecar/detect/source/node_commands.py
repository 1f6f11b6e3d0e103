"""Which file a command of Node runs, and what that was built from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_RUNTIMES = frozenset({
    "node", "ts-node", "tsx", "bun", "swc-node", "ts-node-esm", "babel-node", "vite-node", "esr",
    "pm2-runtime", "pm2", "deno", "sucrase-node", "jiti",
})  # fmt: skip
_RUN_FLAGS = frozenset({
    "-r", "--require", "--import", "--loader", "-P", "--project", "--env-file", "--tsconfig", "-e",
    "--conditions", "-C",
})  # fmt: skip
"""The options of one of them that have a value."""
BUNDLER = r"(?:\w*build|tsup|tsdown|webpack|rollup|vite|rspack)[\w.-]*\.(?:[cm]?[jt]s|json)"
"""What a file is called that says what a bundler makes of which file."""


def script_of(words: Sequence[str]) -> str:
    """Return the file that a command runs, as it is written there; empty if it runs none."""
    program = words[0].rpartition("/")[2]
    if program not in _RUNTIMES:
        return ""
    skip = False
    for word in words[1:]:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in _RUN_FLAGS
        elif word not in ("run", "watch", "start"):
            return word if re.search(r"[./]|worker|index|main", word) else ""
    return ""


def argument_of(words: Sequence[str]) -> str:
    """Return what a command says to the file that it runs, if that is a word."""
    name = script_of(words)
    rest = words[words.index(name) + 1 :] if name else ()
    return rest[0] if rest and re.fullmatch(r"[A-Za-z][\w:.-]*", rest[0]) else ""


def built_from(path: str) -> Iterator[str]:
    """Yield where the source of a built file may be: ``dist/worker.js`` is ``src/worker.ts``."""
    yield path
    for out in ("dist", "build", "lib", "out", ".build", "output"):
        if path.startswith(f"{out}/"):
            rest = path[len(out) + 1 :]
            yield f"src/{rest}"
            yield rest
            if rest.startswith("src/"):
                yield rest[4:]
            if rest.startswith("apps/"):
                yield re.sub(r"^(apps/[^/]+)/", r"\1/src/", rest)
