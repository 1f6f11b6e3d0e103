"""Files for development and for production are one Compose project: their volumes are the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.support import ok
from tests.sidecar.reading import compose_values
from tests.sidecar.write.test_chosen_programs import put
from tests.sidecar.write.test_restart_and_logging import APP, PROJECT

FILES = ("compose.yaml", "compose.prod.yaml", ".devcontainer/compose.yaml")


def names(root: Path, compose: dict[str, str]) -> dict[str, str | None]:
    """Return what each file calls the project, by a name that is not the directory's."""
    put(root, PROJECT, compose)
    for _ in range(2):
        ok("sidecar", "generate", str(root), "--target", "all")
    found = (each for each in {*FILES, *compose} if (root / each).exists())
    return {each: compose_values((root / each).read_text()).get("name") for each in found}


def test_ours_has_the_name_that_compose_makes_of_the_directorys(tmp_path: Path) -> None:
    root = tmp_path / "My_shop.v2"
    ours = "my_shopv2"

    assert names(root, {"compose.yaml": APP}) == {
        "compose.yaml": None, "compose.prod.yaml": ours, ".devcontainer/compose.yaml": ours,
    }  # fmt: skip
    assert f"{ours}_default" in (root / "compose.prod.yaml").read_text()


def test_a_clone_in_another_directory_has_the_same_written(tmp_path: Path) -> None:
    names(tmp_path / "My.shop_v2", {"compose.yaml": APP})

    shutil.copytree(tmp_path / "My.shop_v2", tmp_path / "clone")

    ok("sidecar", "generate", str(tmp_path / "clone"), "--target", "all", "--check")


def test_a_name_is_the_same_everywhere(tmp_path: Path) -> None:
    found = names(tmp_path, {"compose.yaml": f"name: my_shop\n{APP}"})

    assert found == dict.fromkeys(FILES, "my_shop")


def test_files_of_ours_have_a_name(tmp_path: Path) -> None:
    assert set(names(tmp_path / "Shop", {}).values()) == {"shop"}


@pytest.mark.parametrize("said", ["", "name: live\n"])
def test_layers_of_a_persons_keep_what_they_say(said: str, tmp_path: Path) -> None:
    layer = f"{said}services:\n  web:\n    restart: always\n"

    found = names(tmp_path, {"compose.yaml": APP, "compose.prod.yaml": layer})

    assert found["compose.yaml"] is None
    assert found["compose.prod.yaml"] == ((said and "live") or None)
