"""The order in which a project is looked at."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from stoker.sidecar.detect import brokers, examples, outside
from stoker.sidecar.detect.addresses import addresses as written_addresses
from stoker.sidecar.detect.app import Finder
from stoker.sidecar.detect.beside import beside
from stoker.sidecar.detect.candidates import Candidate, inferred
from stoker.sidecar.detect.choose import beside_app, choose
from stoker.sidecar.detect.containers import (
    choices,
    container_files,
    programs_of,
    stages_of,
)
from stoker.sidecar.detect.django import with_production
from stoker.sidecar.detect.dotenv import exampled, placed_files
from stoker.sidecar.detect.environment import needed, of_rails, variables
from stoker.sidecar.detect.libraries import is_library, without_samples
from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.packages import read_manifests
from stoker.sidecar.detect.reader import Reader
from stoker.sidecar.detect.source import (
    Program,
    broker_names,
    broker_urls,
    celery_settings,
    node,
    node_adonis,
    node_clients,
    node_connections,
    python,
    redis_clients,
    ruby,
    rust,
    stoker_queues,
    stoker_urls,
)
from stoker.sidecar.detect.source.celery_queues import CeleryQueues
from stoker.sidecar.detect.source.go_packages import GoSource
from stoker.sidecar.detect.source.golang import GoPrograms
from stoker.sidecar.detect.source.node_development import from_source
from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.source.python_programs import python_program
from stoker.sidecar.detect.source.ruby_programs import ruby_program
from stoker.sidecar.detect.source.stoker_urls import AppURL
from stoker.sidecar.detect.waiting import with_timeout
from stoker.sidecar.detect.written import (
    Written,
    compose,
    images,
    others,
    platforms,
    procfiles,
)
from stoker.sidecar.detect.written.by_default import by_default
from stoker.sidecar.detect.written.layers import included, layers, near
from stoker.sidecar.detection import COMPILED, Build, Detection, Embedded, Language, Unit
from stoker.sidecar.plan import own_files
from stoker.sidecar.project import Project
from stoker.sidecar.values import Given


def look(project: Project) -> Detection:
    """Return everything that was seen in a project."""
    manifests = read_manifests(project)
    services = compose.services(project)
    on = layers(services)
    python_source = PythonSource(project, manifests)
    node_source = NodeSource(project, manifests)
    go_source = GoSource(project, manifests)
    go_programs = GoPrograms(go_source)
    rust_source = rust.RustSource(project, manifests)
    sources = [
        python.infer(python_source),
        node.infer(node_source),
        node_adonis.infer(project, manifests),
        ruby.infer(project, manifests),
        go_programs.infer(),
        rust.infer(rust_source),
    ]
    programs: dict[Language, Program] = {
        "python": python_program(python_source),
        "node": lambda start, dir: node.node_program(node_source, start, dir),
        "go": go_programs.launch,
        "ruby": lambda start, dir: ruby_program(project, start, dir),
        "rust": lambda start, dir: rust.rust_program(rust_source, start, dir),
    }
    reader = Reader(project, manifests, python_source, node_source, programs)
    candidates: list[Candidate] = []
    idle: list[Written] = []
    for written in _written(project, manifests, services):
        found = reader.read(written)
        candidates += found
        if not found:
            idle.append(written)
    for source in sources:
        candidates += [inferred(each) for each in source.inferred]
    library = is_library(python_source)
    candidates = [] if library else without_samples(python_source, candidates)
    inside = [each for source in sources for each in source.embedded]
    candidates = beside_app(candidates, [each for each in inside if not each.asked])
    units = [
        _with_given(_with_version(unit, manifests), services, on)
        for unit in choose(candidates, manifests)
    ]
    queues = CeleryQueues(python_source)
    units = [from_source(node_source, unit) for unit in queues.served(units)]
    units = [_with_bounds(python_source, unit) for unit in units]
    embedded = _embedded(inside, units, library=library)
    app = Finder(project, manifests, reader.expander, node_source, go_source, python_source)
    web = app.find(idle, services, units) if units or embedded else None
    read = list(dict.fromkeys((*variables(project), *of_rails(project))))
    web = _with_given(web, services, on) if web else None
    units = [with_production(project, with_timeout(project, unit), web) for unit in units]
    told = list(stoker_urls.told(python_source))
    by_itself = not told or any(each.asks for each in told)
    addresses = written_addresses(project, read, _of_services(project, services))
    uses = brokers.uses(
        project, manifests, units, embedded, services, read, by_itself=by_itself,
        named=lambda framework: broker_names.votes(python_source, framework), written=addresses,
        clients=lambda: (
            node_clients.told(node_source, read) | redis_clients.told(project, read)
        ),
    )  # fmt: skip
    others = beside(project, manifests, units, uses, services, read, addresses)
    frameworks = {each.framework for each in (*units, *embedded)}
    only = frameworks == {"stoker"} and not by_itself
    written = _written_addresses(python_source, node_source, frameworks)
    started = [*([web] if web else []), *units[::-1]]
    uses = outside.placed(project, uses, started, services, told if only else (), written)
    uses = outside.with_file(outside.with_app(project, uses, web), told if only else written)
    others = outside.placed(project, others, started, services)
    others = outside.left_to_operator(project, others, started, services)
    files = _used_first(container_files(project), started)
    compiled = any(each.language in COMPILED for each in units)
    return Detection(
        units=tuple(units),
        embedded=embedded,
        brokers=tuple(dict.fromkeys(use.kind for use in uses)),
        uses=uses,
        beside=others,
        packages=tuple(manifests.packages),
        files=files,
        layers=on,
        includes=included(services),
        defaults=by_default(project, files.get("compose", ())),
        choices=choices(project, files) if compiled else {},
        programs=programs_of(project, files) if compiled else {},
        stages=stages_of(project, files) if units else {},
        variables=tuple(sorted(read)),
        needed=needed(project, read) if units else (),
        exampled=exampled(project, frozenset(read)) if units else (),
        web=web,
        notes=(
            *project.notes,
            *queues.unserved(units),
            *_mixed(python_source, units, embedded),
            *(() if units or embedded else examples.left_out(project)),
        ),
    )


def _used_first(
    files: dict[str, tuple[str, ...]], started: Sequence[Unit]
) -> dict[str, tuple[str, ...]]:
    """Return the container files, those compose files first that start the app and its workers.

    ``docker-compose.server.yml`` is what people develop with, and not the one for the gateway.
    """
    used = {each.path for unit in started for each in unit.given}
    paths = sorted(files.get("compose", ()), key=lambda path: path not in used)
    return files | ({"compose": tuple(paths)} if paths else {})


def _of_services(project: Project, services: list[compose.Service]) -> Iterator[str]:
    """Yield the files of variables that all developers have for services."""
    for given in (each.given for each in services if each.given):
        yield from (path for place, path in placed_files(project, given) if place in given.said)


def _written_addresses(
    python: PythonSource, node: NodeSource, frameworks: set[str | None]
) -> list[AppURL]:
    """Return the addresses in the source, if it is clear whose broker they are."""
    [framework, *others] = frameworks or {None}
    if framework is None or others:
        return []
    if framework == "bullmq":
        return node_connections.told(node)
    return broker_urls.told(python, framework)


def _mixed(
    source: PythonSource, units: list[Unit], embedded: tuple[Embedded, ...]
) -> Iterator[str]:
    if any(each.framework == "stoker" for each in (*units, *embedded)):
        yield from stoker_queues.mixed(source)


def _with_version(unit: Unit, manifests: Manifests) -> Unit:
    """Return a unit of Celery with its version: the command line of 5 is another one."""
    if unit.framework != "celery":
        return unit
    home = manifests.package_of(unit.dir, "python")
    asked = [each for each in manifests.dependencies if each.name == "celery" and each.version]
    near = [each for each in asked if home is not None and each.dir == home.dir] or asked
    return msgspec.structs.replace(unit, version=near[0].version if near else "")


def _with_bounds(source: PythonSource, unit: Unit) -> Unit:
    """Return a unit of Celery, which takes the number of its processes from its settings, too."""
    asked = unit.framework == "celery" and unit.role == "worker" and unit.concurrency is None
    found = asked and any(source.project.telling(source.paths, celery_settings.BOUNDS))
    return msgspec.structs.replace(unit, bounded=True) if found else unit


def _with_given(
    unit: Unit, services: list[compose.Service], on: Mapping[str, tuple[str, ...]]
) -> Unit:
    """Return a unit with what the compose files give it, that show it to be a service of theirs.

    In a file that is put on one of these, or that is beneath, the same service has its name. So
    has one that another file beside it only pulls: what was built in the first is started there.
    """
    places = {(each.path, each.written.line): each for each in services if each.written}
    seen = [places.get((each.path, each.line)) for each in unit.evidence if each.note == "compose"]
    found: dict[str, Given] = {}
    for given in (given for each in seen if each is not None for given in each.everywhere()):
        found.setdefault(given.path, given)
    known = [(given.service, path) for given in found.values() for path in near(given.path, on)]
    built = [(each.name, posixpath.dirname(each.path)) for each in seen if each and each.build]
    for each in services:
        pulled = each.is_only_pulled and (each.name, posixpath.dirname(each.path)) in built
        if each.given is not None and ((each.name, each.path) in known or pulled):
            found.setdefault(each.path, each.given)
    builds = _builds([each for each in services if _is_among(each, found)], on)
    first = next((each.build for each in seen if each and each.build), None)
    own = (builds[path] for path in own_files(builds, production=False))
    return msgspec.structs.replace(
        unit, given=tuple(found.values()), build=next(own, first), builds=builds
    )


def _is_among(service: compose.Service, given: Mapping[str, Given]) -> bool:
    return service.path in given and given[service.path].service == service.name


def _builds(
    services: Sequence[compose.Service], on: Mapping[str, tuple[str, ...]]
) -> dict[str, Build]:
    """Return what each file builds a service from, with what the files beneath say of that."""
    found: dict[str, Build] = {}
    for each in sorted(services, key=lambda service: len(on.get(service.path, ()))):
        beneath = next((found[path] for path in on.get(each.path, ()) if path in found), None)
        made = each.build
        if made and beneath:
            place = beneath if each.is_partial else made
            target, args = made.target or beneath.target, beneath.args | made.args
            made = Build(place.context, place.dockerfile, target, args)
        if here := made or (None if each.image else beneath):
            found[each.path] = here
    return found


def _written(
    project: Project, manifests: Manifests, services: list[compose.Service]
) -> Iterator[Written]:
    for service in services:
        if service.written is not None:
            yield service.written
    yield from procfiles.read(project)
    yield from others.scripts(project, manifests)
    yield from images.read(project)
    yield from others.makefiles(project)
    yield from others.supervisors(project)
    yield from others.init_scripts(project)
    yield from platforms.read(project)
    yield from others.shells(project, manifests)
    yield from others.batch_files(project, manifests)
    yield from others.docs(project)
    yield from others.devcontainers(project)


def _embedded(inside: list[Embedded], units: list[Unit], *, library: bool) -> tuple[Embedded, ...]:
    """Return the workers inside of other programs, without those that have one of their own."""
    apart = {unit.framework for unit in units}
    found = {
        (each.framework, each.dir): each
        for each in reversed(inside)
        if each.framework not in apart and not library
    }
    return tuple(reversed(found.values()))
