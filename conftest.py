"""What holds for every test: pages are tests too, and what must not run side by side does not."""

from pathlib import Path

from hypothesis import settings

from tests.docs.examples import examples
from tests.servers.kinds import OFFERED, Kind

pytest_plugins = ["tests.servers.fixtures"]

# A deadline per example measures the machine's other work, not ours.
settings.register_profile("stoker", deadline=None)
settings.load_profile("stoker")


def pytest_report_header() -> list[str]:
    missing = [str(kind) for kind in Kind if kind not in OFFERED]
    return [f"NOT RUN: tests on {kind}, which has no package for this Python" for kind in missing]


pytest_collect_file = examples(Path(__file__).parent).pytest()
