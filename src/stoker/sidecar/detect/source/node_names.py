"""What a file of Node calls the class of BullMQ that works."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar import bull

_PACKAGE = rf"""["'](?:{"|".join(map(re.escape, bull.PACKAGES["bullmq"].own))})["']"""
_LOADED = rf"(?:await\s+)?(?:require|import)\(\s*{_PACKAGE}\s*\)"
_ASSIGNED = r"(?<![\w$])([\w$]++)\s*+=\s*+"
_TAKEN = re.compile(
    rf"import\s+(?:[\w$]+\s*,\s*)?\{{([^{{}}]*)\}}\s*from\s*{_PACKAGE}|"
    rf"\{{([^{{}}]*)\}}\s*=\s*{_LOADED}|"
    rf"import\(\s*{_PACKAGE}\s*\)\s*\.then\(\s*(?:async\s*)?\(?\s*\{{([^{{}}]*)\}}"
)
"""Names out of the package: ``{ Worker as MailWorker }``, ``{ Worker: MailWorker }``."""
_WHOLE = re.compile(
    rf"import\s+(?:\*\s*as\s+)?([\w$]+)\s*(?:,\s*\{{[^{{}}]*\}}\s*)?from\s*{_PACKAGE}|"
    rf"{_ASSIGNED}{_LOADED}(?!\s*\.)|"
    rf"import\(\s*{_PACKAGE}\s*\)\s*\.then\(\s*(?:async\s*)?\(?\s*([\w$]+)"
)
"""The package as one thing: ``import * as mq``."""
_PART = re.compile(rf"{_ASSIGNED}\(?{_LOADED}\)?\s*\.Worker(?:Pro)?\b")
_TAKEN_OF_WHOLE = re.compile(r"\{([^{}]*)\}\s*=\s*([\w$]++)(?!\.)")
_PART_OF_WHOLE = re.compile(rf"{_ASSIGNED}([\w$]++)\.Worker(?:Pro)?\b")
"""The same out of something that has a name: the text is gone through once, whatever it imports."""
_NAME = re.compile(r"^\s*Worker(?:Pro)?\s*(?:(?:\bas\b|:)\s*([\w$]+))?\s*(?:=[^,]*)?$")


def worker_names(text: str) -> frozenset[str]:
    """Return what the class is called in a file: ``Worker``, ``mq.Worker``; nothing without it."""
    return frozenset(_names(text))


def _names(text: str) -> Iterator[str]:
    for found in _TAKEN.finditer(text):
        yield from _taken("".join(filter(None, found.groups())))
    yield from (found[1] for found in _PART.finditer(text))
    wholes = {found[1] or found[2] or found[3] for found in _WHOLE.finditer(text)}
    if not wholes:
        return
    yield from (f"{whole}.{name}" for whole in wholes for name in ("Worker", "WorkerPro"))
    for found in _TAKEN_OF_WHOLE.finditer(text):
        if found[2] in wholes:
            yield from _taken(found[1])
    yield from (part[1] for part in _PART_OF_WHOLE.finditer(text) if part[2] in wholes)


def _taken(names: str) -> Iterator[str]:
    for each in names.split(","):
        if found := _NAME.match(each):
            yield found[1] or each.strip().partition("=")[0].strip()
