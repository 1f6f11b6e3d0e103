"""Compose files: their services, what these start, and which stores stand beside them."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import msgspec

from stoker.sidecar.detect.dotenv import expected, said
from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.written import Written
from stoker.sidecar.detect.written.contents import started_in
from stoker.sidecar.detect.written.dockerfiles import Stage, defaults, stages, starts
from stoker.sidecar.detect.written.given import given as given_by
from stoker.sidecar.detect.yaml import Table, load, with_texts
from stoker.sidecar.detection import Build
from stoker.sidecar.interpolation import filled
from stoker.sidecar.layered import merged, moved
from stoker.sidecar.ours import MARK
from stoker.sidecar.project import Project
from stoker.sidecar.secrets import is_secret
from stoker.sidecar.values import Given

_NAMES = r"(docker[-_.])?compose([._-][\w.-]+)?\.ya?ml|[\w.-]*[-_.]compose\.ya?ml"
_MAY_BE = r"(local|production|dev|prod|stack|docker-stack|docker-services)\.ya?ml"
"""What else is called so are an application's own settings, in which no service is started."""
_SERVICES = re.compile(rb"^services:(?=.*\b(?:image|build|extends)[\"']?\s*:)", re.M | re.S)

_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class Service(msgspec.Struct, frozen=True):
    """A service of a compose file."""

    name: str
    path: str
    line: int
    image: str
    built: bool
    environment: dict[str, str]
    depends_on: tuple[str, ...]
    ports: tuple[int, ...] = ()
    """Those of the container that it publishes."""
    aliases: tuple[str, ...] = ()
    """What else it is called on its networks, and what it calls others."""
    included_by: tuple[str, ...] = ()
    """The compose files that have it, too, as they include the one that it is in."""
    written: Written | None = None
    given: Given | None = None
    build: Build | None = None
    base: str = ""
    """The image that it is built on, where it is built, and from which Dockerfile."""
    dockerfile: str = ""
    is_partial: bool = False
    """What it is built from goes without a context: most often a file beneath says that."""
    takes_back: bool = False
    """It takes back or replaces what a file beneath says: ``!reset``, ``!override``."""
    command: str = ""
    """As it is written, before Compose puts anything in."""
    volumes: tuple[str, ...] = ()
    """Those that its file has and says nothing else of."""

    @property
    def is_whole(self) -> bool:
        """Tell if it says what it is started from; else another file does, beneath this one."""
        started = bool(self.image) or (self.built and not self.is_partial)
        return started and not self.takes_back

    @property
    def is_only_pulled(self) -> bool:
        """Tell if nothing shows what it starts, but for the name of an image made elsewhere."""
        return bool(self.image) and not self.built and self.written is None

    def everywhere(self) -> Iterator[Given]:
        """Yield what it is given: in its own file, and as those have to say it that include it."""
        if self.given is not None:
            yield self.given
            for path in self.included_by:
                yield msgspec.structs.replace(moved(self.given, path), path=path)


def compose_files(project: Project) -> list[str]:
    """Return all compose files, nearest to the root first."""
    maybe = (path for path in project.matching(_MAY_BE) if _SERVICES.search(project.data(path)))
    named = (*project.matching(_NAMES), *maybe)
    found = dict.fromkeys(path for path in named if not project.is_aside(path))
    return sorted(found, key=lambda path: (path.count("/"), path))


def services(project: Project) -> list[Service]:
    """Return the services of all compose files, and of what these include under any name."""
    paths = compose_files(project)
    including = _including(project, paths)
    others = sorted((including.keys() - set(paths)) & project.files)
    return [
        msgspec.structs.replace(service, included_by=including.get(path, ()))
        for path in (*paths, *others)
        for service in _services(project, path)
    ]


def _including(project: Project, paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return by which files each is included, also by way of another one."""
    found: dict[str, tuple[str, ...]] = {}
    for path in paths:
        reached, ahead = {path}, [path]
        while ahead:
            for place in project.once(ahead.pop(), _included) - reached:
                found[place] = (*found.get(place, ()), path)
                reached.add(place)
                ahead.append(place)
    return found


def _included(project: Project, path: str) -> frozenset[str]:
    """Return the files that one includes."""
    told = b"include:" in project.data(path)
    return frozenset(_places(path, load(project, path).get("include"))) if told else frozenset()


def _places(path: str, listed: Any) -> Iterator[str]:
    for each in _items(listed):
        places = each.get("path") if isinstance(each, Table) else each
        for place in _items(places) or [places]:
            if isinstance(place, str):
                yield normal(directory(path), place)


def _services(project: Project, path: str) -> Iterator[Service]:
    if not any(word in project.data(path) for word in (b"services", b"image", b"compose")):
        return  # a dev.yml about something else: it need not be parsed to know that
    data = load(project, path)
    listed = data.table("services")
    if "services" not in data and "version" not in data:  # compose before 2: services at the top
        listed = (
            data if any(isinstance(v, Table) and "image" in v for v in data.values()) else listed
        )
    told = expected(project, path).items()
    known = {name: value for name, value in told if not is_secret(name, value)}
    volumes = tuple(name for name, about in data.table("volumes").items() if not about)
    for name, service in listed.items():
        if isinstance(service, Table):
            made = _service(project, path, name, service, listed, known)
            yield msgspec.structs.replace(made, volumes=volumes)


def _service(
    project: Project, path: str, name: str, service: Table, listed: Table, known: dict[str, str]
) -> Service:
    written, given = _extended(project, path, name, service, listed)
    given = msgspec.structs.replace(given, said=said(project, given))
    service = with_texts(written, lambda text: filled(text, known))
    own = _builder(written, listed)
    builder = with_texts(own, lambda text: filled(text, known))
    base, dockerfile = (
        _base(project, path, builder) if not _text(service.get("image")) else ("", "")
    )
    of_others = {name: filled(text or "", known) for name, text in given.environment.items()}
    environment = of_others | _environment(service.get("environment"))
    depends = service.get("depends_on")
    return Service(
        name=name,
        path=path,
        line=listed.lines.get(name, 0),
        image=_text(service.get("image")),
        built=service.get("build") is not None,
        environment={} if MARK in service else environment,  # Stoker's own words tell nothing
        depends_on=tuple(map(str, depends if isinstance(depends, Table) else _items(depends))),
        ports=tuple(_ports(service.get("ports"))),
        aliases=tuple(_aliases(service)),
        written=_written(project, path, name, service, builder, environment, listed),
        given=given,
        build=_built(project, path, builder, own),
        base=base,
        dockerfile=dockerfile,
        is_partial=_is_partial(service.get("build")),
        takes_back=bool(service.replaced) or bool(given.replaced),
        command=_line(written.get("command")),
    )  # fmt: skip


def _extended(
    project: Project, path: str, name: str, service: Table, listed: Table, deepest: int = 4
) -> tuple[Table, Given]:
    """Return a service, and what it is given, with what it takes over from those it extends."""
    own = given_by(path, name, service)
    base = service.get("extends")
    parent = base.get("service") if isinstance(base, Table) else base
    file = base.get("file") if isinstance(base, Table) else None
    place = normal(directory(path), file) if isinstance(file, str) else path
    if not isinstance(parent, str) or (place, parent) == (path, name) or not deepest:
        return service, own
    others = load(project, place).table("services") if place != path else listed
    beneath, theirs = _extended(project, place, parent, others.table(parent), others, deepest - 1)
    table = Table()
    for each in (beneath, service):
        table.update(each)
        table.lines.update(each.lines)
    return table, merged((theirs, own)) or own


def _written(
    project: Project, path: str, name: str, service: Table, builder: Table,
    environment: dict[str, str], listed: Table,
) -> Written | None:  # fmt: skip
    context, dockerfile, target = _build(project, path, builder)
    stage = _stage(project, dockerfile, target)
    context = (
        _working_dir(project, path, service, stage)
        or started_in(project, dockerfile, target, context, _text(service.get("working_dir")))
        or context
    )
    entrypoint, command = _line(service.get("entrypoint")), _line(service.get("command"))
    if not entrypoint and not command and stage is None:
        return None
    arguments = _arguments(builder)
    lines: tuple[str, ...]
    if entrypoint:
        lines = (command, f"{entrypoint} {command}".strip())
    elif command:
        start = stage.entrypoint if stage else ""
        lines = (command, f"{start} {command}".strip())
    else:
        lines = _started(project.text(dockerfile), stage, arguments) if stage else ()
    key = "command" if command else "entrypoint" if entrypoint else "build"
    line = service.lines.get(key, listed.lines.get(name, 0))
    lines = tuple(dict.fromkeys(filter(None, lines)))
    builds = builder.get("build") is not None
    pulled = bool(service.get("image")) and not builds and dockerfile not in project.files
    return (
        Written(
            "compose",
            path,
            line,
            lines,
            context,
            name,
            environment,
            dockerfile,
            pulled,
            arguments,
            ours=MARK in service,
        )
        if lines
        else None
    )


def _builder(service: Table, listed: Table) -> Table:
    """Return the service that builds the image of one: itself, or another by the image's name."""
    image = service.get("image")
    if service.get("build") is not None or not isinstance(image, str):
        return service
    others = (each for each in listed.values() if isinstance(each, Table) and each.get("build"))
    return next((each for each in others if each.get("image") == image), service)


def _working_dir(project: Project, path: str, service: Table, stage: Stage | None) -> str:
    """Return the directory of the project that is mounted where a service runs, if one is."""
    inside = _text(service.get("working_dir")) or (stage.workdir if stage else "")
    found = ""
    for host, at in _mounts(service.get("volumes")):
        if inside and f"{inside}/".startswith(f"{at.rstrip('/')}/") and host.startswith("."):
            tail = inside[len(at.rstrip("/")) :].lstrip("/")
            dir = normal(directory(path), f"{host}/{tail}")
            found = dir if dir in project.dirs and dir != "." else found
    return found


def _mounts(value: Any) -> Iterator[tuple[str, str]]:
    for each in _items(value):
        if isinstance(each, Table):
            yield _text(each.get("source")), _text(each.get("target"))
        elif isinstance(each, str):
            host, _, rest = each.partition(":")
            yield host, rest.partition(":")[0]


def _build(project: Project, path: str, service: Table) -> tuple[str, str, str]:
    build = service.get("build")
    if build is None:
        own = _image_dir(project, _text(service.get("image")))
        return (own, f"{own}/Dockerfile", "") if own else (directory(path), "", "")
    table = build if isinstance(build, Table) else Table()
    context = _text(table.get("context")) if table else _text(build)
    dir = normal(directory(path), context or ".")
    dockerfile = normal(dir, _text(table.get("dockerfile")) or "Dockerfile")
    if dir not in project.dirs:
        dir = directory(path)
    return dir, dockerfile, _text(table.get("target"))


def _built(project: Project, path: str, builder: Table, written: Table) -> Build | None:
    """Return what a service is built from, if all of it is there."""
    context, dockerfile, target = _build(project, path, builder)
    if builder.get("build") is None or dockerfile not in project.files:
        return None
    return Build(context, dockerfile, target, _arguments(written))


def _base(project: Project, path: str, builder: Table) -> tuple[str, str]:
    """Return what a service's image is built on, and by which Dockerfile, if that is known."""
    _, dockerfile, target = _build(project, path, builder)
    stage = _stage(project, dockerfile, target)
    return (stage.base, dockerfile) if stage else ("", "")


def _is_partial(build: Any) -> bool:
    places = {"context", "dockerfile", "dockerfile_inline"}
    return isinstance(build, Table) and places.isdisjoint(build)


def _started(dockerfile: str, stage: Stage, arguments: dict[str, str]) -> tuple[str, ...]:
    """Return what an image starts, with what it is built with put in: ``ENV APP=$APP``."""
    given = defaults(dockerfile) | arguments
    known = {name: filled(value, given) for name, value in stage.environment.items()}
    return tuple(filled(line, known) for line in starts(stage))


def _arguments(builder: Table) -> dict[str, str]:
    """Return what a Dockerfile's ``ARG`` are given, as the file has it: Compose puts in the rest.

    One without a value is the shell's. A secret that stands there is asked for under its own name.
    """
    build = builder.get("build")
    given = build.get("args") if isinstance(build, Table) else None
    pairs: Iterable[tuple[str, Any]] = ()
    if isinstance(given, Table):
        pairs = given.items()
    elif isinstance(given, list):
        texts = map(_text, cast(list[Any], given))
        pairs = ((name, value) for name, sign, value in (t.partition("=") for t in texts) if sign)
    found = ((name.strip(), value) for name, value in pairs if isinstance(value, str))
    return {
        name: f"${{{name}}}" if "$" not in value and is_secret(name, value) else value
        for name, value in sorted(found) if _ARGUMENT.fullmatch(name)
    }  # fmt: skip


def _image_dir(project: Project, image: str) -> str:
    """Return the directory whose Dockerfile a published image is made by: the one of its name."""
    owner, _, name = image.partition("@")[0].rpartition("/")
    name = name.partition(":")[0]
    found = [path for path in project.named("Dockerfile") if path.endswith(f"/{name}/Dockerfile")]
    found += [f"{name}/Dockerfile"] if f"{name}/Dockerfile" in project.files else []
    own = [path for path in found if not project.is_aside(path)]
    own = own or list(_tagging(project, f"{owner}/{name}"))
    return directory(own[0]) if owner and len(own) == 1 else ""


def _tagging(project: Project, image: str) -> Iterator[str]:
    """Yield the Dockerfiles beside the scripts that build an image under its published name."""
    tag = re.compile(rf"docker\b.*\sbuild\b.*(?:-t|--tag)[ =]{re.escape(image)}(?![\w/-])")
    for path in project.named("package.json", "Makefile"):
        beside = posixpath.normpath(posixpath.join(directory(path), "Dockerfile"))
        if beside in project.files and tag.search(project.text(path)):
            yield beside


def normal(dir: str, relative: str) -> str:
    """Return a path relative to the root; the root itself for what leads out of it."""
    joined = posixpath.normpath(posixpath.join(dir, relative))
    return "." if joined.startswith(("..", "/")) else joined


def _stage(project: Project, dockerfile: str, target: str) -> Stage | None:
    found = stages(project, dockerfile) if dockerfile in project.files else []
    if target:
        return next((stage for stage in found if stage.name == target), None)
    return found[-1] if found else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _items(value: Any) -> list[Any]:
    """Return what a list has; nothing of any other value."""
    listed = cast(list[Any], value) if isinstance(value, list) else []
    return [each for each in listed if each is not None]


def _line(value: Any) -> str:
    """Return a command as a shell line."""
    if isinstance(value, list):
        return shlex.join(map(str, _items(value)))
    return _text(value).replace("\n", " ").strip()


def _ports(value: Any) -> Iterator[int]:
    """Yield the container's side of ``8000``, ``127.0.0.1:80:8000/tcp`` and ``target: 8000``."""
    for each in _items(value):
        target = each.get("target") if isinstance(each, Table) else each
        number = str(target).partition("/")[0].rpartition(":")[2]
        if number.isascii() and number.isdigit() and 0 < int(number[:6]) < 65_536:
            yield int(number)


def _aliases(service: Table) -> Iterator[str]:
    yield from filter(None, (_text(service.get(key)) for key in ("container_name", "hostname")))
    for network in service.table("networks").values():
        aliases = network.get("aliases") if isinstance(network, Table) else None
        yield from map(_text, _items(aliases))
    for link in map(_text, _items(service.get("links"))):
        if alias := link.partition(":")[2]:
            yield alias


def _environment(value: Any) -> dict[str, str]:
    if isinstance(value, Table):
        return {name: _text(each) for name, each in value.items()}
    pairs = (str(each).partition("=") for each in _items(value))
    return {name.strip(): each for name, _, each in pairs}
