"""Nothing is written outside of the project, through a link, or by halves."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from stoker.errors import ConfigError
from stoker.sidecar.write import Change, Folder


def create(path: str, text: str = "new\n") -> Change:
    return Change(path, "create", None, text)


def everything(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*")}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    root = tmp_path / "project"
    root.mkdir()
    return root


@pytest.mark.parametrize("path", ["../a", "/tmp/a", "a/../b", "./a", "a//b", "", "a\0b"])
def test_a_path_that_leads_elsewhere_is_refused(project: Path, path: str) -> None:
    with pytest.raises(ConfigError, match="no path below the project"):
        Folder(project).apply([create(path)])

    assert everything(project.parent) == {"outside", "project"}


@pytest.mark.parametrize("path", ["link/compose.yaml", "a/link/b/compose.yaml"])
def test_no_folder_is_entered_through_a_link(project: Path, path: str) -> None:
    link = project / path.partition("link")[0] / "link"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(project.parent / "outside")

    for attempt in (
        lambda: Folder(project).apply([create(path)]),
        lambda: Folder(project).read([path]),
    ):
        with pytest.raises(ConfigError, match="'link' is a link or no folder"):
            attempt()

    assert not list((project.parent / "outside").iterdir())


def test_a_link_in_a_files_place_is_neither_read_nor_replaced(project: Path) -> None:
    secret = project.parent / "outside" / "secret"
    secret.write_text("secret")
    (project / "Dockerfile").symlink_to(secret)

    for attempt in (
        lambda: Folder(project).apply([create("Dockerfile")]),
        lambda: Folder(project).read(["Dockerfile"]),
    ):
        with pytest.raises(ConfigError, match="Dockerfile is a link"):
            attempt()

    assert secret.read_text() == "secret"
    assert (project / "Dockerfile").is_symlink()


def test_a_pipe_in_a_files_place_is_not_waited_for(project: Path) -> None:
    os.mkfifo(project / "Dockerfile")

    with pytest.raises(ConfigError, match="no ordinary file"):
        Folder(project).read(["Dockerfile"])


@pytest.mark.parametrize(
    ("there", "path"), [("Compose.yaml", "compose.yaml"), ("KUBERNETES/x", "kubernetes/a.yaml")]
)
def test_names_that_are_one_on_other_systems_are_refused(
    project: Path, there: str, path: str
) -> None:
    (project / there).parent.mkdir(exist_ok=True)
    (project / there).write_text("")

    with pytest.raises(ConfigError, match="is there already, the same name on some systems"):
        Folder(project).apply([create(path)])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a\nb\xff\n", "Dockerfile, line 2: not UTF-8"),
        ("FROM a".encode("utf-16"), "Dockerfile, line 1: not UTF-8"),
        (b"a" * 1_048_577, "Dockerfile is larger than 1,048,576 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused(project: Path, data: bytes, problem: str) -> None:
    (project / "Dockerfile").write_bytes(data)

    with pytest.raises(ConfigError, match=problem) as caught:
        Folder(project).read(["Dockerfile"])

    assert caught.value.hint


def test_a_file_keeps_its_permissions_and_leaves_no_other_behind(project: Path) -> None:
    file = project / "Dockerfile"
    file.write_text("old\n")
    file.chmod(0o640)

    Folder(project).apply([Change("Dockerfile", "update", "old\n", "new\n")])

    assert file.read_text() == "new\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert everything(project) == {"Dockerfile"}


def test_a_write_that_fails_leaves_the_file_as_it_was(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "Dockerfile").write_text("old\n")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        Folder(project).apply([Change("Dockerfile", "update", "old\n", "new\n")])

    assert (project / "Dockerfile").read_text() == "old\n"
    assert everything(project) == {"Dockerfile"}


def test_a_folder_that_was_made_goes_with_its_last_file(project: Path) -> None:
    folder = Folder(project)
    folder.apply([create("kubernetes/a.yaml"), create("kubernetes/b.yaml")])

    folder.apply([Change("kubernetes/a.yaml", "delete", "new\n", None)])
    assert everything(project) == {"kubernetes", "kubernetes/b.yaml"}
    folder.apply([Change("kubernetes/b.yaml", "delete", "new\n", None)])

    assert everything(project) == set()
