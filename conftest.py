"""What holds for every test: pages are tests too, and what must not run side by side does not."""

from pathlib import Path

import pytest
from hypothesis import settings
from sybil.integration.pytest import SybilItem

from tests.docs.examples import examples

# A deadline per example measures the machine's other work, not ours.
settings.register_profile("stoker", deadline=None)
settings.load_profile("stoker")

pytest_collect_file = examples(Path(__file__).parent).pytest()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep in one test process what belongs together (see `--dist loadgroup` in the Makefile)."""
    for item in items:
        if isinstance(item, SybilItem):
            # The blocks of a page share its names and its folder.
            item.add_marker(pytest.mark.xdist_group(item.path.name))
        elif item.get_closest_marker("system") and not item.get_closest_marker("xdist_group"):
            # Real processes and real time: two such tests at once disturb each other.
            item.add_marker(pytest.mark.xdist_group("system"))
