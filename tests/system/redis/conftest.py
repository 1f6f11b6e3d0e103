"""Fixtures of the fault tests on Redis."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from tests.servers.server import Server
from tests.system.redis.scene import Scene

_SCENE = pytest.StashKey[Scene]()

MakeScene = Callable[..., Scene]
"""``make_scene(url, connect)``: a queue at a URL, read by the test through ``connect``."""


@pytest.fixture
def make_scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeScene]:
    """A scene ends before its servers do; a failure shows its report, ``-rP`` all of them."""
    with ExitStack() as stack:

        def make(url: str, connect: Callable[[], redis.Redis], prefix: str = "bull") -> Scene:
            folder = Path(tempfile.mkdtemp(dir=tmp_path))
            scene = Scene(folder, url, connect, prefix)
            request.node.stash[_SCENE] = scene
            stack.callback(scene.close)
            return scene

        yield make


@pytest.fixture
def make_scene_on(make_scene: MakeScene) -> Callable[[Server], Scene]:
    """A scene on one server."""
    return lambda server: make_scene(server.url, lambda: server.connect(decode_responses=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    scene = item.stash.get(_SCENE, None)
    if scene is not None and (report.failed or report.when == "call"):
        report.sections.append(("scene", scene.report()))
    return report
