"""Where Nest and Nx keep the programs of a monorepo, by the name that their commands have."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Sequence
from typing import Any

from stoker.sidecar.detect.manifests import directory, table
from stoker.sidecar.project import Project

_INSIDE = re.compile(r"((?:apps|packages|services|libs)/[\w-]+)/src/(.+)\.[cm]?tsx?$")


def entry(project: Project, words: Sequence[str], dir: str) -> str:
    """Return the source file that ``nest start worker`` or ``nx serve worker`` runs."""
    if words[0] == "nest":
        return _nest(project, words[1:], dir) if words[1:2] == ("start",) else ""
    names = [word for word in words[1:] if not word.startswith("-")]
    name = next((n for n in names if n not in ("run", "serve", "start")), "").partition(":")[0]
    return _nx(project, name) if name else ""


def _nest(project: Project, words: Sequence[str], dir: str) -> str:
    prefix = "" if dir == "." else f"{dir}/"
    data = _json(project, f"{prefix}nest-cli.json")
    given = next((i for i, w in enumerate(words) if w in ("--entryFile", "-e")), 0)
    file = words[given + 1] if given and given + 1 < len(words) else ""
    name = words[1] if len(words) > 1 and not words[1].startswith("-") else ""
    if name:
        data = table(data, "projects", name)
    root = data.get("sourceRoot") or (f"apps/{name}/src" if name else "src")
    return f"{prefix}{root}/{file or data.get('entryFile') or 'main'}"


def _nx(project: Project, name: str) -> str:
    for path in project.named("project.json"):
        dir = directory(path)
        if name in (_json(project, path).get("name"), posixpath.basename(dir)):
            return f"{dir}/src/main"
    return ""


def built(project: Project, relative: str, dir: str) -> str:
    """Return what Nest or Nx make of a program's file; empty where neither builds it."""
    prefix = "" if dir == "." else f"{dir}/"
    found = _INSIDE.match(relative)
    nest = bool(table(_json(project, f"{prefix}nest-cli.json"), "projects"))
    if found and (nest or f"{prefix}nx.json" in project.files):
        return f"dist/{found[1]}/{found[2]}.js"
    return ""


def _json(project: Project, path: str) -> dict[str, Any]:
    try:
        return table(json.loads(project.text(path) or "{}"))
    except (ValueError, RecursionError):
        return {}  # with comments: nobody's mistake
