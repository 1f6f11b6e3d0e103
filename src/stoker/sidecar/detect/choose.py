"""Of everything that was seen: one unit for each process, by the best evidence for it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

import msgspec

from stoker.sidecar.detect.candidates import Candidate, Words
from stoker.sidecar.detect.grammar.words import options
from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.source import DEDICATED
from stoker.sidecar.detect.watchers import DEV_FLAGS
from stoker.sidecar.detection import Embedded, Unit
from stoker.sidecar.frameworks import FRAMEWORKS

_TAILS = (".celery.app", ".celery.celery", ".celery_app.celery_app", ".celery.celery_app",
          ".celery_app", ".celery", ".app", ".celeryapp")  # fmt: skip

_DEPLOYED = ("compose", "Procfile", "Dockerfile", "supervisor")
_BROUGHT = {("celery", "flower")}
Key = tuple[str, str, str]
"""A framework, or an app without one; a role; the package's directory."""


def choose(candidates: Sequence[Candidate], manifests: Manifests) -> list[Unit]:
    """Return the units.

    Within a package, the kind of place that is nearest to production decides which processes of
    a framework there are: what others say in addition is an alternative, not one more worker.
    """
    groups: dict[Key, list[Candidate]] = {}
    for each in sorted(candidates, key=lambda each: (each.dev, each.rank)):
        package = manifests.package_of(each.dir, each.language)
        home = package.dir if package else each.dir
        groups.setdefault((each.framework or f"?{each.app}", each.role, home), []).append(each)
    _attach(groups)
    _leave_guesses(groups, manifests)
    units: list[Unit] = []
    for every in groups.values():
        found = [each for each in every if not each.lost] or every
        group = [each for each in found if not _is_asked_more(each, found)]
        chosen = _with_changed(_best([each for each in group if not each.ours]), group)
        others = [each for each in group if each not in chosen]
        units += [_unit(each, _same(each, others, alone=len(chosen) == 1)) for each in chosen]
    units = [_as_worker(unit, units) for unit in units]
    return [unit for unit in units if not _is_inside(unit, units) and not _is_guess(unit, units)]


def _best(group: list[Candidate]) -> list[Candidate]:
    """Return those of the best kind that there is, each once."""
    settled = _settled(list(filter(_is_written, group)), group)
    best = min((each.rank[0] for each in settled), default=0)
    return _distinct([each for each in settled if each.rank[0] == best])


def _with_changed(chosen: list[Candidate], group: Sequence[Candidate]) -> list[Candidate]:
    """Return them with what a person changed of them since Stoker wrote it, in its place.

    It is no evidence against the others: Stoker wrote each of them.
    """
    for each in _distinct([each for each in group if each.ours]):
        alike = (at for at, known in enumerate(chosen) if _is_changed(each, known, chosen))
        at = next(alike, len(chosen))
        known = chosen[at].environment if at < len(chosen) else {}
        chosen[at : at + 1] = [msgspec.structs.replace(each, environment=known | each.environment)]
    return chosen


def _is_changed(each: Candidate, known: Candidate, chosen: Sequence[Candidate]) -> bool:
    if known.ours:
        return False
    alone = len(chosen) == 1
    return alone or _is_same(each, known) or app_key(each.app) == app_key(known.app)


def beside_app(candidates: Sequence[Candidate], embedded: Sequence[Embedded]) -> list[Candidate]:
    """Return the candidates without those that nobody deploys, where the app works itself.

    A README tells what could be done as well, a Makefile is for one's own desk: neither shows
    that what the app's own process does is done once more beside it.
    """
    inside = {each.framework for each in embedded}
    deployed = {each.framework for each in candidates if not _is_told(each)}
    return [each for each in candidates if each.framework not in inside - deployed]


def _is_told(each: Candidate) -> bool:
    """Tell if a framework's own command is only documented or possible, or for development.

    Outside of Python the commands of the project's own programs are not: the source was asked
    if these work. So it was of Python's that are called workers.
    """
    if each.source in ("docs", "source", "Makefile") and each.language == "python":
        return each.source != "source" or not _is_called_so(each)
    if each.source in ("docs", "source") or (each.source, each.language) == ("shell", "ruby"):
        return each.source != "source" and each.language == "ruby"
    return each.rank[1] > 0 and each.source in ("Makefile", "Procfile", "script", "shell")


def _is_called_so(each: Candidate) -> bool:
    """Tell if what the source says is a program of its own that is called a worker."""
    return each.words[0] == "python" and DEDICATED.search(each.app.rpartition("/")[2]) is not None


def _is_asked_more(each: Candidate, group: Sequence[Candidate]) -> bool:
    """Tell if a program of Node is elsewhere told what to work on, and here it is not.

    A file for machines that has it both ways means both; a text that names it tells of the other.
    """
    return each.language == "node" and any(
        known.language == "node" and known.app.startswith(f"{each.app} ")
        and (each.source == "docs" or known.evidence[0].path != each.evidence[0].path)
        for known in group
    )  # fmt: skip


def _is_guess(unit: Unit, units: Sequence[Unit]) -> bool:
    """Tell if a worker without a framework is a guess, where one with a framework is known.

    So is a program that loops and may be anything, where it is known as a worker.
    """
    if unit.framework is not None:
        return False
    if unit.role == "worker":
        known = [each for each in units if each.framework]
        return bool(known) and not _is_beside(unit, known)
    known = ((u.dir, u.command[-1:]) for u in units if u.role == "worker")
    return unit.confidence < 1 and (unit.dir, unit.command[-1:]) in known


def _is_beside(unit: Unit, known: Sequence[Unit]) -> bool:
    """Tell if a compose file has a service for it alone, beside those of the others.

    So may a Procfile have: a task of Rake's was looked for, and is there.
    """
    own = unit.evidence[0]
    beside = [e for each in known for e in each.evidence if e.path == own.path]
    told = own.note == "compose" or (own.note, unit.language) == ("Procfile", "ruby")
    return told and bool(beside) and all(e.line != own.line for e in beside)


def _settled(written: list[Candidate], group: list[Candidate]) -> list[Candidate]:
    """Return the candidates that could run in production, the best kind that there is.

    A command that something restarts (``watchmedo … -- celery``) is one without it, and so is one
    that a flag of its framework's restarts; one that restarts itself (``node --watch``) is not, and
    gives way to what the source says. So does one
    that runs what the project builds from its source (``ts-node-dev src/worker.ts``).
    """
    built = {each.app for each in group if each.source == "source" and each.words[0] == "node"}
    return (
        [each for each in written if not (each.dev or each.unwatched)]
        or [each for each in written if each.unwatched]
        or [each for each in written if not DEV_FLAGS & set(each.words) and each.app not in built]
        or [each for each in group if each.source == "source"]
        or written
    )


def _is_inside(unit: Unit, units: Sequence[Unit]) -> bool:
    """Tell if a scheduler is only inferred, and a worker brings it along (``celery worker -B``)."""
    return (
        unit.role == "scheduler"
        and unit.confidence < 1
        and any(
            other.framework == unit.framework and {"-B", "--beat"} & set(other.command)
            for other in units
        )
    )


def _as_worker(unit: Unit, units: Sequence[Unit]) -> Unit:
    """Return a unit; a scheduler that is only inferred is given its app as the worker was.

    Where the worker is started, its app may have another name than the source alone shows.
    """
    if unit.role != "scheduler" or unit.confidence == 1 or unit.command[:2] != ("celery", "-A"):
        return unit
    for worker in units:
        known = [words[:3] for words in worker.alternatives]
        if worker.role == "worker" and unit.command[:3] in known:
            app = options(worker.command, "-A", "--app")[:1]
            if app and "$" not in app[0]:
                command = (*unit.command[:2], *app, *unit.command[3:])
                return msgspec.structs.replace(unit, command=command, dir=worker.dir)
    return unit


def _leave_guesses(groups: dict[Key, list[Candidate]], manifests: Manifests) -> None:
    """Leave out what only Python's source shows, and cannot be what is started.

    Who wrote down for a machine what runs on it wrote down all of it: an app of the same
    framework in another package is a client, or a copy. What a package writes down speaks for
    itself alone, and not for others that have a manifest, or an image. And what no manifest asks
    for, where one asks for another framework, was left behind when the project changed to that. A
    package of Stoker's that was begun for it has no manifest: its image installs what it needs.
    """
    deployed = {
        (key[0], _spoken_for(each, key[2])) for key, group in groups.items() for each in group
        if each.source in _DEPLOYED and each.role == "worker" and not each.ours
    }  # fmt: skip
    homes = {key[::2] for key, group in groups.items() if any(map(_is_written, group))}
    asked = {key[0] for key in groups if _is_asked_for(key[0], manifests)}
    known = FRAMEWORKS.keys() - {"stoker"}
    for key in list(groups):
        if all(each.source == "source" and each.language == "python" for each in groups[key]):
            told = {scope for framework, scope in deployed if framework == key[0]}
            is_own = "." not in told and _stands_alone(key[2], manifests)
            is_copy = bool(told) and key[::2] not in homes and not is_own
            if is_copy or (asked and key[0] in known - asked):
                del groups[key]


def _spoken_for(each: Candidate, home: str) -> str:
    """Return the directory for which a place says what runs: its package, or else everything."""
    return home if each.evidence[0].path.startswith(f"{home}/") else "."


def _stands_alone(dir: str, manifests: Manifests) -> bool:
    """Tell if a directory is a package of its own."""
    package = manifests.package_of(dir, "python")
    return package is not None and package.dir == dir


def _is_asked_for(framework: str, manifests: Manifests) -> bool:
    """Tell if a manifest has a framework of Python, or what is called after it and brings it."""
    known = FRAMEWORKS.get(framework)
    packages = known.packages.get("python", ()) if known else ()
    names = {each.name for each in manifests.dependencies if each.language == "python"}
    return any(
        name in packages or framework in name.split("-") or (framework, name) in _BROUGHT
        for name in names
    )


def _is_written(each: Candidate) -> bool:
    return each.source != "source"


def _attach(groups: dict[Key, list[Candidate]]) -> None:
    """Put what the source says, and copies elsewhere, to the group that it is about."""
    for key in list(groups):
        framework, role, _ = key
        group = groups[key]
        for other in groups:
            if other == key or other[:2] != (framework, role) or not groups[other]:
                continue
            written = list(filter(_is_written, groups[other]))
            if written and all(_is_about(each, written, other[2]) for each in group):
                groups[other] += group
                del groups[key]
                break


def _is_about(each: Candidate, written: Sequence[Candidate], home: str) -> bool:
    if each.source == "source":
        return (
            home == "."
            or any(e.path.startswith(f"{home}/") for e in each.evidence)
            or any(
                each.app and known.app and each.app.endswith(f".{known.app}") for known in written
            )
            or any(each.app and each.app == known.app.partition(" ")[0] for known in written)
        )
    return any(
        (known.words == each.words or _is_file(each, known))
        and known.dir != each.dir and known.rank < each.rank
        for known in written
    )  # fmt: skip


def _is_file(one: Candidate, other: Candidate) -> bool:
    """Tell if two commands run the same file: Node's are known by their source."""
    return one.language == other.language == "node" and one.app == other.app != ""


def _distinct(group: Sequence[Candidate]) -> list[Candidate]:
    """Return one of each that start the same; the first is the best."""
    found: list[Candidate] = []
    for each in group:
        if not any(_is_same(each, known) for known in found):
            found.append(each)
    return found


def _is_same(one: Candidate, other: Candidate) -> bool:
    if one.name and one.name == other.name and one.evidence[0].path != other.evidence[0].path:
        return not _is_of_another_project(one, other)
    if one.framework is None:
        return (one.app, one.queues) == (other.app, other.queues)
    if _is_part(one, other):
        return True
    if one.evidence[0] == other.evidence[0] and bool(one.app) != bool(other.app):
        return True  # one place, which runs Django's command or the framework's own
    if (_queues(one), _shape(one)) != (_queues(other), _shape(other)):
        return False
    return app_key(one.app) == app_key(other.app) or one.origin == other.origin != ""


def _is_of_another_project(one: Candidate, other: Candidate) -> bool:
    """Tell if two are called alike in files of two folders, and share no queue.

    Two files of one name, each in its folder, are two Compose projects, or one in two variants,
    which work on the same queues.
    """
    (folder, name), (elsewhere, alike) = (posixpath.split(e.evidence[0].path) for e in (one, other))
    own, others = _queues(one), _queues(other)
    apart = bool(own) and bool(others) and own.isdisjoint(others)
    return apart and folder != elsewhere and name == alike


def _queues(each: Candidate) -> frozenset[str]:
    """Return the queues that a worker is told to serve; ``*`` is all, as if it were told none."""
    return frozenset(each.queues) - {"*"}


def _is_part(one: Candidate, other: Candidate) -> bool:
    """Tell if a text shows one worker for some of the queues that another takes, as another way."""
    told = one.source == other.source == "docs" and one.evidence[0].path == other.evidence[0].path
    some = 0 < len(one.queues) < len(other.queues) and {*one.queues} < {*other.queues}
    return told and some and app_key(one.app) == app_key(other.app)


def _shape(each: Candidate) -> tuple[str, ...]:
    """Return the words that make it another worker, without those of logging and numbers.

    A queue whose name begins with what a variable holds is another one than that beside it.
    """
    words = " ".join(each.words).split()
    return tuple(
        word for word in words
        if word.startswith("-X") or "exclude" in word or _NAMED_BY_VARIABLE.fullmatch(word)
    )  # fmt: skip


_NAMED_BY_VARIABLE = re.compile(r"\$\{\w+\}[-_.:]?[A-Za-z][\w.:-]*")


def app_key(app: str) -> str:
    """Return what is the same for ``proj``, ``proj.celery`` and ``proj.celery:app``."""
    name = app.replace(":", ".").rstrip(".")
    for tail in _TAILS:
        if name.endswith(tail) and name != tail:
            return name[: -len(tail)]
    return name


def _same(chosen: Candidate, others: Sequence[Candidate], *, alone: bool) -> list[Candidate]:
    return [each for each in others if alone or _is_same(chosen, each)]


def _unit(chosen: Candidate, others: Sequence[Candidate]) -> Unit:
    alternatives: dict[Words, None] = dict.fromkeys(chosen.alternatives)
    alternatives |= dict.fromkeys(each.words for each in others)
    alternatives |= dict.fromkeys(words for each in others for words in each.alternatives)
    alternatives.pop(chosen.words, None)
    dev = next((each.words for each in others if each.dev), ())
    queues = chosen.queues or next((each.queues for each in others if each.queues), ())
    concurrency = chosen.concurrency
    if concurrency is None:
        concurrency = next((e.concurrency for e in others if e.concurrency is not None), None)
    environment = {name: value for name, value in chosen.environment.items() if "$" not in value}
    return Unit(
        role=chosen.role,
        framework=chosen.framework,
        dir=chosen.dir,
        command=chosen.words,
        queues=queues,
        concurrency=concurrency,
        name=chosen.name,
        language=chosen.language,
        environment={n: v for n, v in environment.items() if re.fullmatch(r"[A-Za-z_]\w*", n)},
        dev_command=dev,
        runner=chosen.runner,
        confidence=chosen.confidence,
        evidence=tuple(dict.fromkeys([*chosen.evidence, *(e for o in others for e in o.evidence)]))[
            :8
        ],
        alternatives=tuple(alternatives)[:6],
    )
