"""Python: the dependencies in a virtual environment outside of the source."""

from __future__ import annotations

import posixpath

from stoker.sidecar.plan import Image
from stoker.sidecar.render.dockerfile.instructions import (
    copy,
    copy_manifests,
    install_between,
    packages,
    run,
    run_each,
    user,
)
from stoker.sidecar.render.places import CACHE

VENV = "/opt/venv"
_PIP = f"{CACHE}/pip"
_UV = f"{CACHE}/uv"
_TOOL = "/opt/tool"
"""The manager's own environment: what it needs is none of the project's."""
_TOOLS = {
    "uv": ("uv==0.13.9",),
    "poetry": ("poetry==2.5.1",),
    "pdm": ("pdm==2.29.4", "hishel==1.4.0"),  # it does not work with hishel 2
    "pipenv": ("pipenv==2026.10.3",),
}
_EXPORTED = "/tmp/requirements.txt"
_NAMED = (
    "project = tomllib.load(open('pyproject.toml', 'rb'))['project']; "
    f"open('{_EXPORTED}', 'w').write('\\n'.join(project.get('dependencies', [])))"
)
"""A program that writes down what a ``pyproject.toml`` says that the project depends on."""
_NOT_FOR_WORKERS = ("dev", "test", "lint", "doc", "constraint", "type", "ci")


def stages(image: Image) -> list[str]:
    """Return the stages up to the worker's files."""
    return [
        f"FROM python:{image.version}-slim AS base",
        "ENV PYTHONUNBUFFERED=1 \\",
        "    PYTHONDONTWRITEBYTECODE=1 \\",
        "    PYTHONPATH=/app:/app/src \\",  # what starts from its source is not installed
        f"    VIRTUAL_ENV={VENV} \\",
        f"    PATH={VENV}/bin:$PATH",
        user(),
        "WORKDIR /app",
        *packages(image.system_packages),
        "",
        "FROM base AS build",
        *_install(image),
        *_additional(image),
        "",
        f"FROM base AS {image.target or 'worker'}",
        f"COPY --from=build {VENV} {VENV}",
        copy(["."], "/app/", own=True),
    ]


def _install(image: Image) -> list[str]:
    match image.manager:
        case "uv":
            return _uv(image)
        case "poetry":
            return _with_tool(
                image,
                [
                    f"{_TOOL}/bin/poetry",
                    "install",
                    "--only",
                    "main",
                    "--no-root",
                    "--no-interaction",
                ],
            )
        case "pdm":
            export = [f"{_TOOL}/bin/pdm", "export", "--prod", "--no-hashes", "--output", _EXPORTED]
            return _with_tool(image, export, ["pip", "install", "--requirement", _EXPORTED])
        case "pipenv":
            return _with_tool(image, [f"{_TOOL}/bin/pipenv", "sync"])
        case _:
            return _pip(image)


def _additional(image: Image) -> list[str]:
    """Install what is needed beyond: the source is there, as wheels may lie in it."""
    if not image.additional:
        return []
    pip = [f"{_TOOL}/bin/uv", "pip"] if image.manager == "uv" else ["pip"]
    cache = _UV if image.manager == "uv" else _PIP
    options = [word for file in image.additional for word in ("--requirement", file)]
    return [copy(["."], "./"), *run([*pip, "install", *options], [cache])]


def _pip(image: Image) -> list[str]:
    wanted = [
        file
        for file in image.manifests
        if file.endswith(".txt")
        and not any(word in posixpath.basename(file) for word in _NOT_FOR_WORKERS)
    ]
    if not wanted and image.uninstalled:
        return [
            *run(["python", "-m", "venv", VENV]),
            *copy_manifests(image.manifests),
            "# Only what the project depends on: setuptools refuses several packages side by side.",
            *run(["python", "-c", _reader(image) + _NAMED]),
            *run(["pip", "install", "--requirement", _EXPORTED], [_PIP]),
        ]
    if not wanted:  # the project itself names them
        return [
            *run(["python", "-m", "venv", VENV]),
            copy(["."], "./"),
            *run(["pip", "install", "."], [_PIP]),
        ]
    options = [word for file in wanted for word in ("--requirement", file)]
    return [
        *run(["python", "-m", "venv", VENV]),
        *([copy(["."], "./")] if image.scattered else copy_manifests(image.manifests)),
        *run(["pip", "install", *options], [_PIP]),
    ]


def _reader(image: Image) -> str:
    """Return what imports a reader of TOML: Python has one since 3.11, and pip had its own."""
    older = image.version in ("3.8", "3.9", "3.10")
    return "from pip._vendor import tomli as tomllib; " if older else "import tomllib; "


def _uv(image: Image) -> list[str]:
    frozen = ["--frozen"] if _has(image, "uv.lock") else []
    member = ["--package", image.package] if image.package else []
    sync = [f"{_TOOL}/bin/uv", "sync", *frozen, "--no-dev", *member]
    return [
        f"ENV UV_PROJECT_ENVIRONMENT={VENV} \\",
        "    UV_PYTHON_DOWNLOADS=never \\",
        "    UV_LINK_MODE=copy \\",
        "    UV_COMPILE_BYTECODE=1",
        *_tool(image),
        *install_between(
            image,
            run([*sync, "--no-install-workspace" if member else "--no-install-project"], [_UV]),
        ),
        *([] if image.uninstalled else run(sync, [_UV])),
    ]


def _with_tool(image: Image, *commands: list[str]) -> list[str]:
    """Install into the environment by the project's own tool, which has another."""
    return [
        *_tool(image, ["python", "-m", "venv", VENV]),
        *copy_manifests(image.manifests),
        *run_each(*commands, caches=[_PIP]),
    ]


def _tool(image: Image, *more: list[str]) -> list[str]:
    made = ["python", "-m", "venv", _TOOL]
    installed = [f"{_TOOL}/bin/pip", "install", *_TOOLS[image.manager]]
    return run_each(*more, made, installed, caches=[_PIP])


def _has(image: Image, name: str) -> bool:
    return any(posixpath.basename(file) == name for file in image.manifests)
