"""Commands whose secrets the operator says: what they were written down with stays out of files."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable, Iterator, Sequence

from stoker.sidecar.plan import Service
from stoker.sidecar.secrets import secrets_in

_ENV_FILE = ("--env-file", "--env-file-if-exists")
_OPTION = re.compile(r"--?([A-Za-z][\w-]*)(?:[=\s]|\Z)")


def filled(
    service: Service, words: Sequence[str],
    escape: Callable[[str], str], put_in: Callable[[str], str],
) -> list[str]:  # fmt: skip
    """Return a service's command as a file has it, with what puts in its secrets."""
    words = _in_container(service, words)
    names = _names(service, words)
    made: list[str] = []
    for word, spans in zip(words, secrets_in(words), strict=True):
        parts, at = "", 0
        for start, end in spans:
            parts += escape(word[at:start]) + put_in(next(names))
            at = end
        made.append(parts + escape(word[at:]))
    return made


def of_image(service: Service) -> list[str]:
    """Return its command as an image has it: where it has secrets, a shell puts them in."""
    if not asked(service, service.command):
        return _in_container(service, service.command)
    words = filled(service, service.command, _in_shell, lambda name: f'"${name}"')
    return ["sh", "-c", f"exec {' '.join(words)}"]


def _in_container(service: Service, words: Sequence[str]) -> list[str]:
    """Return a command without the option that Node reads a ``.env`` by.

    No image has that file, and Node ends at once where there is none; a container has its variables
    as it is. What an image of the project's own starts by itself is left as it is there; what its
    compose file starts may have had the file from a directory of the host's.
    """
    if service.evidence and service.evidence[0].note == "Dockerfile":
        return list(words)
    return [
        word
        for before, word in itertools.pairwise(("", *words))
        if word.partition("=")[0] not in _ENV_FILE and before not in _ENV_FILE
    ]


def _in_shell(text: str) -> str:
    return shlex.quote(text) if text else ""


def asked(service: Service, words: Sequence[str]) -> list[str]:
    """Return the variables that a command's secrets are taken from."""
    return list(_names(service, words))


def _names(service: Service, words: Sequence[str]) -> Iterator[str]:
    """Yield a name for each, after the service and the option that it is for."""
    taken: set[str] = set()
    for at, spans in enumerate(secrets_in(words)):
        for start, _ in spans:
            before = " ".join((*words[max(0, at - 1) : at], words[at][:start]))
            options = _OPTION.findall(before)
            base = re.sub(r"\W|-", "_", f"{service.name}_{options[-1] if options else 'secret'}")
            name = base = base.upper()
            count = 1
            while name in taken:
                count += 1
                name = f"{base}_{count}"
            taken.add(name)
            yield name
