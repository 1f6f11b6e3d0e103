"""``stoker sidecar`` and ``stoker init`` where their extra is not installed."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from tests.cli.support import stoker

COMMANDS = ("sidecar detect", "sidecar plan", "sidecar explain", "sidecar generate")


@pytest.mark.parametrize("module", ["ruamel.yaml", "tree_sitter", "tree_sitter_go"])
@pytest.mark.parametrize("command", [*COMMANDS, "sidecar remove", "init"])
def test_a_missing_extra_is_named_with_its_remedy(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, module: str
) -> None:
    for loaded in list(sys.modules):
        if loaded.startswith((module, "stoker.sidecar.")):
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setattr(sys, "meta_path", [_Without(module), *sys.meta_path])

    result = stoker(*command.split(), str(folder))

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: stoker sidecar needs the package {module}, which is not installed\n"
        "hint: pip install 'stoker[sidecar]', or in a clone of Stoker: pip install '.[sidecar]'\n"
    )


def test_what_is_not_collected_while_a_project_is_seen_is_collected_afterwards(
    folder: Path,
) -> None:
    assert stoker("sidecar", "detect", "--json", str(folder)).exit_code == 0

    assert gc.isenabled()


class _Without:
    """Finds no module of this name, as if it were not installed."""

    def __init__(self, module: str) -> None:
        self._module = module

    def find_spec(self, name: str, *_: object) -> None:
        if name == self._module:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
