"""One service for each unit: how it is stopped, checked, and what it waits for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from stoker.sidecar.detection import COMPILED, BrokerKind, Detection, Unit
from stoker.sidecar.frameworks import DASHBOARD_PORTS, FRAMEWORKS
from stoker.sidecar.node_programs import finder, is_of_package
from stoker.sidecar.plan import FORCE_ROOT, Image, Service, own_files
from stoker.sidecar.planning import begun, members
from stoker.sidecar.planning.health import health
from stoker.sidecar.planning.images import RUNNERS, binary, package_of
from stoker.sidecar.planning.names import Names
from stoker.sidecar.planning.stages import is_pruned, place_in, program_in, scratch_in
from stoker.sidecar.planning.stores import has_own_file, names_of
from stoker.sidecar.reloading import reloads
from stoker.sidecar.schemes import ON_A_SERVER
from stoker.sidecar.shared_file import is_named
from stoker.sidecar.values import Given

LEAST_SURE = 0.45
"""Below it a unit is shown, and no container is written for it."""
CUSTOM_GRACE = 30
_TO_PUT_BACK = 5
Words = tuple[str, ...]
_LOCAL = r"(?:localhost|127\.0\.0\.1)"
_SHELLS = frozenset({"sh", "bash", "ash"})
_BUILT = frozenset({"dist", "build", "lib", "out", ".build", "output"})
"""Where what was built of TypeScript lies."""
_NO_NAMES = frozenset({".", "src", "lib", "app", "source", "python", "pkg", "cmd"})
"""Directories that are called the same in every project."""
_SAY_NOTHING = frozenset({
    "start", "run", "serve", "main", "prod", "production", "dev", "npm",
    "runner", "runtime", "final", "release", "base", "deploy", "app", "image",
})  # fmt: skip
"""Words of scripts, and of stages, that are the same whatever they start."""


def is_planned(unit: Unit) -> bool:
    """Tell if a unit gets a container."""
    return unit.role != "other" and unit.confidence >= LEAST_SURE


def own_compose(detection: Detection) -> list[str]:
    """Return the compose files that people develop with, the project's own."""
    return own_files(detection.files.get("compose", ()), production=False)


def starts_app(detection: Detection) -> str:
    """Return which of them starts the app, if one does."""
    own = own_compose(detection)
    own += [each for path in own for each in detection.includes.get(path, ())]
    evidence = detection.web.evidence if detection.web else ()
    return next((each.path for each in evidence if each.note == "compose" and each.path in own), "")


def service(
    unit: Unit, image: Image, names: Names, needs: dict[BrokerKind, str], detection: Detection,
    frameworks: Collection[str] = (),
) -> Service:  # fmt: skip
    """Return the service of a unit; ``frameworks`` are those of the application's processes."""
    framework = FRAMEWORKS.get(unit.framework or "")
    ends = framework if unit.role == "worker" else None  # its own end is the worker's only
    every = (*detection.uses, *detection.beside)
    outside = {use.kind for use in every if use.outside}
    beside: dict[BrokerKind, str] = {
        kind: name for kind, name in needs.items() if kind not in outside
    }
    needed = tuple(
        dict.fromkeys(needs[k] for k in _brokers(unit, frameworks, detection) if k in needs)
    )
    commands = _commands(unit, image, detection)
    command, dev = (connected(words, beside) for words in commands)
    if is_pruned(detection, image) and not _sees_the_host(unit, detection):
        dev = ()  # what it is started by is not in there
    return Service(
        name=_name(unit, names),
        role=unit.role,
        framework=unit.framework,
        image=image.name,
        command=command,
        dir=_dir(unit, image),
        place=(place := place_in(detection, unit, image)),
        places={
            path: other or None
            for path, each in image.variants.items()
            if (other := place_in(detection, unit, image, each)) != place
        },
        scratch=scratch_in(detection, unit, image),
        queues=unit.queues,
        waiting=_waiting(unit),
        concurrency=unit.concurrency,
        environment=unit.environment,
        production=unit.production,
        given=given(unit, detection),
        own={each.path: each.service for each in unit.given if each.service},
        edited=tuple(each.path for each in unit.given if each.ours),
        needs=needed,
        stop_signal=ends.stop_signal if ends else "SIGTERM",
        stop_grace=_grace(unit, ends.stop_grace if ends else CUSTOM_GRACE),
        health=health(unit, image, detection),
        alone=unit.role == "worker" and has_own_file(unit, detection),
        singleton=unit.role == "scheduler" or "-B" in command or "--beat" in command,
        profile="dashboard" if unit.role == "dashboard" else "",
        port=DASHBOARD_PORTS.get(unit.framework or "") if unit.role == "dashboard" else unit.port,
        dev_command=dev,
        reloads=reloads(dev) or None,
        built=_is_built(dev or command, image),
        watch=(".",),
        reason=_why(unit, ends.grace_reason if ends else ""),
        prepared=ends.prepared if ends and needed else (),
        evidence=unit.evidence,
    )


def _grace(unit: Unit, usual: int) -> int:
    """Return the seconds until it is killed: what it is told to wait, and some to put jobs back."""
    return usual if unit.timeout is None else unit.timeout + _TO_PUT_BACK


def _why(unit: Unit, usual: str) -> str:
    told = f"it waits {unit.timeout} s for running jobs, then puts them back"
    return usual if unit.timeout is None else told


def _sees_the_host(unit: Unit, detection: Detection) -> bool:
    """Tell if the directory of a developer is mounted into it, with what is installed there."""
    volumes = (volume for each in given(unit, detection) for volume in each.volumes)
    return any(not is_named(volume) for volume in volumes)


def connected(words: Words, needs: Mapping[BrokerKind, str]) -> Words:
    """Return a command whose brokers on this machine are those beside it, in their containers."""
    for kind, name in needs.items():
        if kind in ON_A_SERVER:
            local = re.compile(
                rf"((?:{ON_A_SERVER[kind]})://(?:[^/@\s]*@)?){_LOCAL}(?=[:/\s'\"]|\Z)"
            )
            words = tuple(local.sub(rf"\g<1>{name}", word) for word in words)
    return words


def given(unit: Unit, detection: Detection) -> tuple[Given, ...]:
    """Return what each compose file gives a unit's service, or else the app's.

    As people do it: a worker is the app's image with another command. What Stoker itself said in a
    service that was changed since is said anew, for each file as it has to be.
    """
    package = package_of(detection, unit)
    app = {
        each.path: msgspec.structs.replace(
            each, volumes=members.volumes(detection, package, each.volumes)
        )
        for each in (detection.web.given if detection.web else ())
    }
    ours = any(each.ours for each in unit.given)
    said = {*names_of(detection), *unit.environment} if ours else set[str]()
    own = {each.path: _unsaid(each, app.get(each.path), said) for each in unit.given}
    return tuple((app | own).values())


def _unsaid(given: Given, app: Given | None, said: Collection[str]) -> Given:
    """Return what a service is given, without what Stoker said there, and not the app has."""
    if not given.ours:
        return given
    kept = app.environment if app else {}
    environment = {
        name: text
        for name, text in given.environment.items()
        if name in kept or not (text is None or name in said or name == FORCE_ROOT)
    }
    return msgspec.structs.replace(
        given,
        environment=environment,
        restart=app.restart if app else "",
        logging=app.logging if app else {},
    )


def _name(unit: Unit, names: Names) -> str:
    usual = {"worker": "worker", "scheduler": "scheduler", "dashboard": "dashboard", "other": "app"}
    base = usual.get(unit.role, "worker")
    own = next((each for each in reversed(unit.dir.split("/")) if each not in _NO_NAMES), "")
    queue = unit.queues[0] if len(unit.queues) == 1 else ""
    first = begun.SERVICE if begun.is_begun(unit) else ""
    return names.take(
        first,
        _told(unit),
        base,
        f"{base}-{queue}" if queue else "",
        f"{own}-{base}" if own else "",
        base,
    )


def _told(unit: Unit) -> str:
    """Return what a script's name says: ``start:worker`` is a worker, ``start`` is anything."""
    note = unit.evidence[0].note if unit.evidence else ""
    if note not in ("script", "Dockerfile"):
        return unit.name  # of a compose service, say, which is known by it
    words = re.split(r"[-_:. ]+", unit.name.lower())
    return "-".join(word for word in words if word not in _SAY_NOTHING)


def _commands(unit: Unit, image: Image, detection: Detection) -> tuple[Words, Words]:
    """Return what production starts, and what development does."""
    words, dev = unit.command, unit.dev_command
    if image.existing and unit.runner:
        return (*unit.runner, *words), dev
    if unit.language in COMPILED and image.existing:  # which may have several programs in it
        image = msgspec.structs.replace(image, binary=binary(unit) or image.binary)
    if unit.language in COMPILED and (program := _compiled(unit, image)) is not None:
        arguments, source = program
        # In an image of the project's own nobody knows what it would be compiled by.
        known = program_in(detection, image, image.binary or image.program)
        start = image.entry if image.chosen else _started(image, image.program, known)
        return (*start, *arguments), dev or (() if image.existing else source)
    if unit.language in COMPILED and not words[0].startswith("/"):
        known = program_in(detection, image, words[0]) if image.existing else ""
        return (*_started(image, words[0], known), *words[1:]), dev
    if unit.language == "node":
        told = bool(unit.evidence) and unit.evidence[0].note in ("compose", "Dockerfile")
        return _node(words, image, told=told), _node(dev, image)
    return words, dev


def _started(image: Image, program: str, known: str) -> Words:
    """Return what starts a program: it need not be on PATH where the image starts it itself.

    ``known``: how it is started, if its Dockerfile shows where it lies.
    """
    for at, word in enumerate(image.entry, 1):
        if posixpath.basename(word) == posixpath.basename(program):
            return image.entry[:at]
    return (known or program,)


def _compiled(unit: Unit, image: Image) -> tuple[Words, Words] | None:
    """Return a program's arguments, and the command that runs it from its source.

    ``None`` for what is no program of the image's, or has a name there that only it knows.
    """
    words = unit.command
    if unit.language == "go":
        if words[:2] == ("go", "run"):
            return tuple(word for word in words[3:] if not word.endswith(".go")), words
        start: Words = ("go", "run", image.binary or ".")
    else:
        if words[:1] == ("cargo",):
            return words[words.index("--") + 1 :] if "--" in words else (), words
        start = ("cargo", "run", "--bin", image.program, "--")
    name = posixpath.basename(words[0])
    own = name == image.program or ("/" in words[0] and "." not in name and name not in _SHELLS)
    if image.existing or image.build or not own:
        return None
    return words[1:], (*start, *words[1:])


def _is_built(words: tuple[str, ...], image: Image) -> bool:
    """Tell if a command of Node starts what the image's build made."""
    if image.language != "node" or not image.build:
        return False
    return any(part in _BUILT for word in words for part in word.split("/")[:-1])


def _node(words: Words, image: Image, *, told: bool = False) -> Words:
    """Return a command of a package: an image of ours has them on PATH, another by ``npx``.

    Unless the project's own files have that image start it so: they have ``told`` where it is.
    """
    by = finder(image.manager)
    plain = words[1:] if words[:1] == ("npx",) else words
    if plain and plain[0] in RUNNERS:
        return (by, *plain) if image.existing else plain
    found = image.existing and not told and plain == words and plain and is_of_package(plain[0])
    return (by, *words) if found else words


def _dir(unit: Unit, image: Image) -> str:
    if image.context == ".":
        return unit.dir
    inside = posixpath.relpath(unit.dir, image.context)
    return "." if inside.startswith("..") else inside


def _brokers(unit: Unit, frameworks: Collection[str], detection: Detection) -> list[str]:
    """Return what a process needs: all that its application does, whose source each one loads.

    A dashboard is another's program, and shows what is of its own framework.
    """
    dashboard = unit.role == "dashboard"
    others = [
        use.kind
        for use in (() if dashboard else detection.beside)
        if not use.readers or unit.dir in use.readers or unit is detection.web
    ]
    if unit.framework not in FRAMEWORKS:
        return [use.kind for use in detection.uses] + others
    of_app = {unit.framework} if dashboard else {unit.framework, *frameworks}
    known = [FRAMEWORKS[name].brokers for name in of_app if name in FRAMEWORKS]
    kinds = {"nats", *(kind for brokers in known for kind in brokers)}
    return [use.kind for use in detection.uses if use.kind in kinds] + others


def _waiting(unit: Unit) -> Literal["", "stream", "jetstream", "nowhere"]:
    """Return where taskiq's jobs wait: it is a matter of the broker's class."""
    if unit.framework != "taskiq":
        return ""
    seen = " ".join(each.text for each in unit.evidence)
    if re.search(r"\bRedisStream\w*Broker\b", seen):
        return "stream"
    if re.search(r"\bP(ull|ush)BasedJetStreamBroker\b", seen):
        return "jetstream"
    return "nowhere" if re.search(r"\b(\w*PubSub\w*|Nats)Broker\b", seen) else ""
