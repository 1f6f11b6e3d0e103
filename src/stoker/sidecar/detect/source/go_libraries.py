"""The worker frameworks of Go: how a worker is made with each, and what it is told."""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Iterator

import msgspec


class Library(msgspec.Struct, frozen=True):
    """How a worker is made with a framework."""

    framework: str
    path: str
    functions: frozenset[str] = frozenset()
    """Called on the package: ``asynq.NewServer(``."""
    methods: frozenset[str] = frozenset()
    """Called on what the package made: ``server.NewWorker(``."""
    schedulers: frozenset[str] = frozenset()
    """Functions that make what may run only once."""
    wrapped: frozenset[str] = frozenset()
    """Called on a package of somebody else's that is named after it, and brings it along."""
    registering: frozenset[str] = frozenset()
    """Functions that make what handlers are told to: as good as a worker, where none is made."""
    told: tuple[str, str] = ("", "")
    """What it is set up with, and what has to be in there for it to work, and not only to add."""

    @property
    def makers(self) -> frozenset[str]:
        """Return all of them: a file without any only adds jobs."""
        made = self.functions | self.methods | self.schedulers
        return made | self.wrapped | self.registering

    def only_adds(self, text: str) -> bool:
        """Tell if what a file makes is told to add jobs, and to work on none."""
        settings, needed = self.told
        return bool(settings) and settings in text and needed not in text


LIBRARIES = (
    Library(
        "asynq", "github.com/hibiken/asynq",
        frozenset({"NewServer", "NewServerFromRedisClient"}),
        schedulers=frozenset({
            "NewScheduler", "NewSchedulerFromRedisClient", "NewPeriodicTaskManager",
        }),
        wrapped=frozenset({"NewServer", "NewConsumer", "NewWorker"}),
        registering=frozenset({"NewServeMux"}),
    ),
    Library(
        "river", "github.com/riverqueue/river",
        frozenset({"NewWorkers", "AddWorker", "AddWorkerSafely"}),
        told=("river.Config{", "Queues"),
    ),
    Library(
        "gocraft", "github.com/gocraft/work",
        frozenset({"NewWorkerPool", "NewWorkerPoolWithOptions"}),
    ),
    Library(
        "machinery", "github.com/RichardKnop/machinery",
        methods=frozenset({"NewWorker", "NewCustomQueueWorker"}),
    ),
    Library("faktory", "github.com/contribsys/faktory_worker_go", frozenset({"NewManager"})),
)  # fmt: skip


@functools.lru_cache(4_096)
def library_of(name: str) -> Library | None:
    """Return the framework of an imported package; a fork is one, as long as it keeps the name."""
    base = re.sub(r"/v\d+(/|$)", r"\1", name)
    for library in LIBRARIES:
        if base == library.path:
            return library
        if library.methods and base.startswith(f"{library.path}/"):
            return library
    parts = base.split("/")
    if len(parts) != 3 or parts[0] not in ("github.com", "gitlab.com"):
        return None
    called = re.sub(r"-v\d+$", "", parts[2])
    return next((each for each in LIBRARIES if each.path.endswith(f"/{called}")), None)


def wrapped_by(name: str) -> Library | None:
    """Return the framework that a package of somebody else's is named after: ``…/queue/asynq``."""
    last = posixpath.basename(re.sub(r"/v\d+$", "", name))
    return next((each for each in LIBRARIES if each.wrapped and each.framework == last), None)


def local_names(alias: str, name: str) -> tuple[str, ...]:
    """Return what an import is called in its file: the alias, or what the path ends in."""
    if alias:
        return ("",) if alias == "." else (alias,)
    base = posixpath.basename(re.sub(r"/v\d+$", "", name))
    return base, base.removesuffix("_go")


def queues(text: str, framework: str) -> Iterator[str]:
    """Yield the queues that a file says its worker serves."""
    if framework == "asynq":
        for block in re.finditer(r"Queues\s*:\s*map\[string\]int\{([^}]*)\}", text):
            entries = re.sub(r"//[^\n]*", "", block[1])
            for line in entries.split(","):
                name = line.partition(":")[0].strip()
                yield from _literal(name, text)
    elif framework == "river":
        for block in re.finditer(r"map\[string\]river\.QueueConfig\{(.*?)\n\s*\}", text, re.DOTALL):
            for name in re.findall(
                r'(?m)(?:^|,)\s*("[\w.:-]+"|[A-Za-z_][\w.]*)\s*:\s*\{', block[1]
            ):
                known = name == "river.QueueDefault"
                yield from ("default",) if known else _literal(name, text)
    elif framework == "faktory":
        for block in re.finditer(
            r"ProcessStrictPriorityQueues\(([^)]*)\)|ProcessWeightedPriorityQueues\(([^)]*)\)", text
        ):
            yield from re.findall(r'"([\w-]+)"', block[0])


def _literal(name: str, text: str) -> Iterator[str]:
    if re.fullmatch(r'"[\w.:-]+"', name):
        yield name.strip('"')
    elif re.fullmatch(r"[\w.]+", name):
        found = re.search(rf'\b{re.escape(name.rpartition(".")[2])}\s*=\s*"([\w.:-]+)"', text)
        if found:
            yield found[1]
