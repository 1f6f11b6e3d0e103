"""Dockerfile instructions from values. Nothing that a value holds can end its instruction."""

from __future__ import annotations

import json
import posixpath
import shlex
from collections.abc import Iterable, Sequence

from stoker.sidecar.plan import Image
from stoker.sidecar.render.places import HOME, OWNER, UID, USER


def array(words: Iterable[str]) -> str:
    """Return the exec form: no shell reads it."""
    return json.dumps(list(words))


def variable(place: str) -> str:
    """Return a place in quotes, for an instruction that replaces variables."""
    escaped = place.replace("$", "\\$")
    return (
        escaped
        if escaped.isascii() and " " not in escaped and '"' not in escaped
        else (json.dumps(escaped, ensure_ascii=False))
    )


def copy(sources: Sequence[str], to: str, *, stage: str = "", own: bool = False) -> str:
    """Copy ``sources`` of the context, or of a stage, into the directory ``to``."""
    options = f"--from={stage} " if stage else ""
    options += f"--chown={OWNER} " if own else ""
    return f"COPY {options}{array([*map(_literal, sources), _unexpanded(to)])}"


def copy_manifests(manifests: Sequence[str]) -> list[str]:
    """Copy each manifest to its own place: what is installed is cached until one changes."""
    folders: dict[str, list[str]] = {}
    for manifest in manifests:
        folders.setdefault(posixpath.dirname(manifest), []).append(manifest)
    return [copy(files, f"./{folder}/" if folder else "./") for folder, files in folders.items()]


def install_between(image: Image, install: Sequence[str]) -> list[str]:
    """Install after the manifests and before the source: it is cached until one of them changes."""
    if image.scattered:
        return [copy(["."], "./"), *install]
    schemas = [file for client in image.clients for file in client.files]
    return [*copy_manifests([*image.manifests, *schemas]), *install, copy(["."], "./")]


def run(command: Sequence[str], caches: Sequence[str] = ()) -> list[str]:
    """Run a command, without a shell, with directories that outlive the build."""
    return [f"RUN {_mounts(caches)}{array(command)}"]


def run_each(*commands: Sequence[str], caches: Sequence[str] = ()) -> list[str]:
    """Run several one after another, by the shell: for words of our own, nothing else."""
    if any(shlex.join(command) != " ".join(command) for command in commands):
        raise ValueError("these words are not for a shell")
    joined = " \\\n    && ".join(" ".join(command) for command in commands)
    return [f"RUN {_mounts(caches)}{joined}"]


def _mounts(caches: Sequence[str]) -> str:
    return "".join(f"--mount=type=cache,target={cache} " for cache in caches)


def packages(names: Sequence[str]) -> list[str]:
    """Install Debian packages."""
    if not names:
        return []
    return [
        # Debian keeps only the newest of each release, so that a pinned one cannot be had later.
        "# hadolint ignore=DL3008",
        "RUN apt-get update \\\n"
        f"    && apt-get install --yes --no-install-recommends {' '.join(sorted(names))} \\\n"
        "    && rm -rf /var/lib/apt/lists/*",
    ]


def user(*, alpine: bool = False) -> str:
    """Make the user that workers run as: its home is where it may always write."""
    made = (
        f"addgroup -g {UID} {USER} \\\n    && adduser -D -H -h /tmp -u {UID} -G {USER} {USER}"
        if alpine
        else f"groupadd --gid {UID} {USER} \\\n"
        f"    && useradd --no-log-init --home-dir /tmp --uid {UID} --gid {UID} {USER}"
    )
    return f"RUN {made} \\\n    && install -d -o {USER} -g {USER} {HOME}"


def _literal(source: str) -> str:
    """Docker takes sources as patterns, and replaces variables in them."""
    for letter in "[*?":
        source = (
            source.replace(letter, f"[{letter}]") if letter != "[" else source.replace("[", "[[]")
        )
    return _unexpanded(source)


def _unexpanded(place: str) -> str:
    return place.replace("$", "\\$")
