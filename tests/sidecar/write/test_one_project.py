"""Files for development and for production are one Compose project: their volumes are the same."""

from __future__ import annotations

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


def test_none_is_called_otherwise_than_after_the_directory(tmp_path: Path) -> None:
    root = tmp_path / "My_shop.v2"

    assert names(root, {"compose.yaml": APP}) == dict.fromkeys(FILES)
    text = (root / "compose.prod.yaml").read_text()
    assert "my_shopv2_default" in text, "as Compose makes a name of a directory's"


def test_a_name_is_the_same_everywhere(tmp_path: Path) -> None:
    found = names(tmp_path, {"compose.yaml": f"name: my_shop\n{APP}"})

    assert found == dict.fromkeys(FILES, "my_shop")


def test_files_of_ours_have_a_name(tmp_path: Path) -> None:
    assert set(names(tmp_path / "Shop", {}).values()) == {"shop"}


def test_a_file_in_another_directory_is_called_after_that(tmp_path: Path) -> None:
    app = APP.replace("build: .", "build: ..")

    found = names(tmp_path / "shop", {"deploy/compose.yaml": app})

    assert (found["deploy/compose.yaml"], found["compose.prod.yaml"]) == (None, "deploy")


@pytest.mark.parametrize("said", ["", "name: live\n"])
def test_layers_of_a_persons_keep_what_they_say(said: str, tmp_path: Path) -> None:
    layer = f"{said}services:\n  web:\n    restart: always\n"

    found = names(tmp_path, {"compose.yaml": APP, "compose.prod.yaml": layer})

    assert found["compose.yaml"] is None
    assert found["compose.prod.yaml"] == ((said and "live") or None)


def test_a_file_for_development_beside_one_for_production_has_none(tmp_path: Path) -> None:
    found = names(tmp_path, {"docker-compose.prod.yml": APP})

    assert found["compose.yaml"] is None
