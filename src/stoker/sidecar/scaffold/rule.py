"""The one-way rule as an import contract: worker → application, never the other way round."""

from __future__ import annotations

import json

from stoker.sidecar.scaffold.layout import WORKER, Layout

_CONTRACT = f"""\
[[tool.importlinter.contracts]]
id = "{WORKER}"
name = "The application does not import its worker"
type = "protected"
protected_modules = ["{WORKER}"]
allowed_importers = ["{WORKER}"]
"""


def contract(layout: Layout) -> str | None:
    """Return what ``pyproject.toml`` needs for it; nothing without packages to check."""
    if not layout.has_pyproject or not layout.packages:
        return None
    if layout.has_contracts:
        return _CONTRACT
    packages = json.dumps([*layout.packages, WORKER])
    return f"[tool.importlinter]\nroot_packages = {packages}\n\n{_CONTRACT}"
