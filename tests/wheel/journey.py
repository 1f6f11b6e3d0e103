"""The road of one job, with the installed package alone: add, claim, run, finish."""

import subprocess
import sys
from pathlib import Path

from hello import add

import stoker

if not Path(stoker.__file__).is_relative_to(sys.prefix):
    sys.exit(f"stoker came from {stoker.__file__}, not from the wheel")

handle = add.enqueue_sync(1, 2)
command = Path(sys.executable).with_name("stoker")
subprocess.run([command, "worker", "hello:app", "--burst"], check=True, timeout=60)
result = handle.wait_sync(timeout=10)
if result != 3:
    sys.exit(f"add(1, 2) ran as a job and gave {result!r}")
print(f"add(1, 2) ran as a job and gave {result}")
