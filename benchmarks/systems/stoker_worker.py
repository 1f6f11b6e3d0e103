"""What ``stoker worker`` loads."""

from benchmarks.stamps import Stamps
from benchmarks.systems.stoker_app import make

app = make(stamps=Stamps()).app
