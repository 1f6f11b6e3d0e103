"""What ``huey_consumer`` loads."""

import os

from benchmarks.stamps import Stamps
from benchmarks.systems.huey_app import make

PATH = "BENCH_HUEY"
huey = make(os.environ[PATH], Stamps()).huey
