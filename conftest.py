"""What holds for every test: pages are tests too, and what must not run side by side does not."""

from pathlib import Path

from hypothesis import settings

from tests.docs.examples import examples

pytest_plugins = ["tests.servers.fixtures"]

# A deadline per example measures the machine's other work, not ours.
settings.register_profile("stoker", deadline=None)
settings.load_profile("stoker")

pytest_collect_file = examples(Path(__file__).parent).pytest()
