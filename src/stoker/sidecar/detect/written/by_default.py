"""Which secrets a compose file has a default for: ``${QUEUE_PASSWORD:-local}``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from stoker.sidecar.project import Project
from stoker.sidecar.secrets import is_secret

_MAY_TELL = re.compile(rb"\$\{\w+:?-")
_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_PUT_IN = re.compile(
    r"(?<!\$)\$(?:\{(?P<name>[A-Za-z_]\w{0,127})(?:(?P<default>:?-[^{}$'\"\\\n]{1,200})\}|(?!\w))"
    r"|(?P<plain>[A-Za-z_]\w*))"
)


def by_default(project: Project, paths: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return by file how secrets are put in, where each time it is with the same default."""
    telling = project.telling(paths, _MAY_TELL)
    found = {path: _of_text(project.text(path)) for path in telling}
    return {path: forms for path, forms in found.items() if forms}


def _of_text(text: str) -> dict[str, str]:
    forms: dict[str, set[str]] = {}
    for each in _PUT_IN.finditer(_COMMENT.sub("", text)):
        name, default = each["name"] or each["plain"], each["default"]
        forms.setdefault(name, set()).add(f"${{{name}{default}}}" if default else "")
    only = ((name, every.pop()) for name, every in forms.items() if len(every) == 1)
    return {name: form for name, form in only if form and is_secret(name, form.partition("-")[2])}
