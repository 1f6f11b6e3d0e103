"""Where the source tells apps of Stoker that their jobs are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from stoker.sidecar.detect.source.python_constants import text_of
from stoker.sidecar.detect.source.python_modules import PythonSource


class AppURL(NamedTuple):
    """What one app is told."""

    path: str
    line: int
    asks: bool
    """Nothing: it looks into the environment."""
    url: str
    """Nothing for one that is not known before it runs."""
    by: str = "Stoker"
    """What framework the app is of."""


def told(source: PythonSource) -> Iterator[AppURL]:
    """Yield what each app is told. Told, it reads no variable, whatever there is."""
    for path, module in source.modules.items():
        text = source.project.text(path)
        for full, call in module.calls if "Stoker" in text and "stoker" in text else ():
            if full.rpartition(".")[2] == "Stoker":
                given = url_of(call)
                url = text_of(source, module, given) if given else ""
                yield AppURL(path, call.lineno, given is None, url)


def url_of(call: ast.Call) -> ast.expr | None:
    """Return what an app is given for its URL, if it is given one that is seen."""
    given = [each for each in call.args[:1] if not isinstance(each, ast.Starred)]
    given += [each.value for each in call.keywords if each.arg == "url"]
    nothing = not given or (isinstance(given[0], ast.Constant) and given[0].value is None)
    return None if nothing else given[0]
