"""What never goes into an image: history, secrets, and what is made anew."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from stoker.sidecar.detection import Language
from stoker.sidecar.plan import Plan, started
from stoker.sidecar.render.files import File
from stoker.sidecar.render.places import in_context

_ALWAYS = (
    ".git",
    ".github",
    ".devcontainer",
    "**/.env",
    "**/.env.*",
    "!**/.env.example",
    "**/*.pem",
    "**/*.key",
    "compose*.yaml",
    "compose*.yml",
    "docker-compose*.yaml",
    "docker-compose*.yml",
    "kubernetes",
)
_PLAIN = re.compile(r"[\w.@+-]+(/[\w.@+-]+)*")
_OF: dict[Language, tuple[str, ...]] = {
    "python": (
        "**/__pycache__",
        "**/*.py[cod]",
        "**/.venv",
        "**/venv",
        "**/.pytest_cache",
        "**/.mypy_cache",
        "**/.ruff_cache",
        "**/*.egg-info",
    ),
    "node": ("**/node_modules", "**/.next", "**/.turbo", "**/coverage", "**/npm-debug.log*"),
    "ruby": (".bundle", "vendor/bundle", "log/*", "tmp/*", "config/master.key", "coverage"),
    "go": ("bin", "**/*.test"),
    "rust": ("target",),
}


def render(plan: Plan) -> Iterator[File]:
    """Yield one for each build context."""
    languages: dict[str, set[Language]] = {}
    for image in plan.images:
        languages.setdefault(image.context, set()).add(image.language)
    for context, found in languages.items():
        kept = {place for image in plan.images if image.context == context for place in image.kept}
        files = sorted(set(_of_variables(plan, context)) - kept)
        lines = [
            *_ALWAYS,
            *(line for language in sorted(found) for line in _OF[language]),
            *files,
            *(f"!{place}" for place in sorted(kept)),
        ]
        yield File(in_context(context, ".dockerignore"), "\n".join(lines) + "\n", join="lines")


def _of_variables(plan: Plan, context: str) -> Iterator[str]:
    """Yield the files of variables that services are given, and git has not: they may be secret.

    What is called ``.env`` is left out already, and what a variable names is nobody's to know.
    """
    for service in started(plan):
        for given in service.given:
            for place in given.env_file.keys() - given.said.keys():
                path = posixpath.normpath(posixpath.join(posixpath.dirname(given.path), place))
                inside = posixpath.relpath(path, context)
                name = posixpath.basename(path)
                plain = _PLAIN.fullmatch(inside) and not inside.startswith(("..", "/"))
                if plain and name != ".env" and not name.startswith(".env."):
                    yield inside
