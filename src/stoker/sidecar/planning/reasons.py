"""Why something was decided, in the words of ``stoker sidecar explain``."""

from __future__ import annotations

from urllib.parse import urlsplit

from stoker.sidecar.detect.written import SOURCES
from stoker.sidecar.detection import BrokerUse, Embedded, Unit
from stoker.sidecar.frameworks import FRAMEWORKS

CERTAIN = 0.9
"""More sure than this, nobody asks how sure."""
NOTHING_WORKS = "nothing was seen that takes jobs in a process of its own"
ONLY_GUESSED = "a loop that sleeps may be a worker, or a command that ends; this is only a guess"
AS_THE_APP = (
    "none of the project's compose files starts it, so it is the app's image with another "
    "command, and has the app's settings"
)
ON_TOP = (
    "one has services that only the other one says how to start, so both are read, and a worker is "
    "in each as the app is"
)
IN_PRODUCTION = (
    "what it would have is a developer's, and this one lies beside it; what a file of variables "
    "says instead counts, and what a compose file for production does"
)
SHARED = (
    ", on a volume that all share who add or run jobs: containers of one host, on its own disk and "
    "no network file system; for several hosts it takes Redis"
)
NO_ROOM_FOR_ALL = (
    "it would have a process for each CPU of the host, in a container with the memory for a few; "
    "with worker_concurrency in its settings, or -c in its command, it is what that says"
)
NO_ROOM_FOR_TIMES = (
    "beat notes when it last ran each task in a file of its working directory, and in a container "
    "only /tmp is sure to be writable"
)


def started(unit: Unit) -> str:
    """Return who says how a unit is started, or what it was worked out from."""
    [seen, *_] = unit.evidence or [None]
    if seen is None:
        return "no file says how it is started"
    if seen.note == "docs":
        return f"{seen.path} tells people to start it like this"
    if seen.note in SOURCES and seen.note != "source":
        return f"{seen.path} starts it like this"
    sure = "" if unit.confidence > CERTAIN else f" ({unit.confidence:.0%} sure)"
    return f"no file says how it is started; {seen.path} {_shows(seen.note)}{sure}"


def _shows(note: str) -> str:
    """Return what a file shows, as what it does."""
    if note in _SHOWN:
        return _SHOWN[note]
    made, by, maker = note.partition("made by ")
    if by and not made:
        return f"makes a {maker}"
    return note if note.startswith(("makes ", "names ")) else f"has {note}"


_SHOWN = {
    "": "shows it",
    "source": "is what serves",
    "queues": "names its queues",
    "dependency": "asks for the package",
    "an installed app": "has it among INSTALLED_APPS",
    "a queue of RQ": "makes a queue of RQ",
    "actors": "declares actors",
}


def embedded(each: Embedded) -> str:
    """Return why what works inside the app gets no container beside it."""
    return (
        f"{each.reason}; one more in a container would take jobs from the same queues, so that "
        "more of them would run at once than the app says"
    )


def what_is_embedded(each: Embedded) -> str:
    """Return what gets no container, by the name that people know it by."""
    framework = FRAMEWORKS.get(each.framework)
    title = framework.title if framework else each.framework
    place = "" if each.dir == "." else f" in {each.dir}"
    return f"no container for {title}{place}: it works inside the app"


def broker(use: BrokerUse, *, planned: bool) -> str:
    """Return where a broker comes from, and which variables lead to it.

    It is not ``planned`` where nothing in a container needs it.
    """
    return f"{_origin(use, planned=planned)}{_address(use)}"


def what_is_outside(use: BrokerUse) -> str:
    """Return which broker gets no container, and where it is instead."""
    return f"no container for {use.kind}: it is at {urlsplit(use.outside).hostname or ''}"


def outside(use: BrokerUse) -> str:
    """Return how it is known that a broker is none of the project's own services."""
    says = f"{use.evidence[0].path} says so, and no service of the project's own is called that"
    return f"{says}{_address(use)}"


def beside(use: BrokerUse) -> str:
    """Return why workers have one more server than their broker."""
    where = f"{use.given[0].path} has it already, as {use.service}" if use.given else ""
    added = "the workers need it; no compose file of the project has it, so it is added"
    return f"{where or added}{_address(use)}"


def asked(use: BrokerUse) -> str:
    """Return why a database's address is asked for."""
    why = "it is none that is written beside workers, so .env is to say where it is"
    if use.left:
        why = "the app has from .env where it is, and no service of the project's own is one"
    return f"{why}{_address(use)}"


def _address(use: BrokerUse) -> str:
    if not use.variables:
        return ""
    names = tuple(use.variables)
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return f"; its address is read from {listed}"


def _origin(use: BrokerUse, *, planned: bool) -> str:
    if use.service:
        where = use.given[0].path if use.given else "the compose file"
        return f"{where} has it already, as {use.service}"
    if use.kind == "sqs":
        return "it is Amazon's, and no container; nothing is added"
    if use.engine == "mysql":
        return "it is MySQL, and workers get what the app is given for it; nothing is added"
    if use.engine == "sqlite":
        return "it is a file of SQLite's, in the app's own container; nothing is added"
    if use.kind == "sqlite":
        return f"the jobs are in one file{SHARED if planned else ''}"
    if planned:
        return "the workers need it; no compose file of the project has it, so it is added"
    return "the app's own workers need it; nothing is added for them"
