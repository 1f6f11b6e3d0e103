"""The compose file: for development beside the app, or for production."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from stoker.sidecar.interpolation import escape, required
from stoker.sidecar.ours import MARK
from stoker.sidecar.plan import FORCE_ROOT, Image, Plan, Service, Store, project_of, started
from stoker.sidecar.reloading import sees_changes
from stoker.sidecar.render import commands, stores
from stoker.sidecar.render.dockerfile import dev_stage, worker_stage
from stoker.sidecar.render.files import File, Mode
from stoker.sidecar.render.given import Parts
from stoker.sidecar.render.overlay import overlay
from stoker.sidecar.render.places import (
    extended,
    in_context,
    inside,
    path_of,
    relative,
    with_beneath,
)
from stoker.sidecar.render.reaching import prepared, reached
from stoker.sidecar.render.seal import sealed
from stoker.sidecar.render.yaml import Commented, Words, dump
from stoker.sidecar.secrets import is_secret
from stoker.sidecar.shared_file import holding, is_named

_WHY_ROOT = "Docker copies changed files as a user that it looks for on the host, by its name"
_TITLES: dict[Mode, str] = {"dev": "Development", "prod": "Production"}


def render(plan: Plan, mode: Mode, start: str) -> File:
    """Return the compose file of a mode; it goes into the project's own if there is one.

    ``start``: the command that starts it.
    """
    path = path_of(plan, mode)
    head = f"{_TITLES[mode]}: {start}"
    told = [head, *((*reached(plan), *prepared(plan)) if mode == "prod" else ())]
    return File(path, dump(document(plan, mode, path), start="\n".join(told)), join="services")


def document(plan: Plan, mode: Mode, path: str) -> dict[str, Any]:
    """Return the compose file as plain data, every ``$`` in it meant for Compose.

    Where it is read on top of the one for development it says what is other in production.
    """
    whole = together(plan, mode, path)
    below = extended(plan, path) if mode == "prod" else ""
    if not below:
        return whole
    beneath = _whole(plan, "dev", below)
    there = beneath["services"]
    whole["services"] = {
        name: _over(service, there[name]) if name in there else service
        for name, service in whole["services"].items()
    }
    volumes = {
        n: v for n, v in whole.pop("volumes", {}).items() if n not in beneath.get("volumes", ())
    }
    return whole | ({"volumes": volumes} if volumes else {})


def together(plan: Plan, mode: Mode, path: str) -> dict[str, Any]:
    """Return what the file, and what it is read on top of, have of ours as if it was one file."""
    return _whole(plan, mode, path, path)


def _over(service: Mapping[str, Any], beneath: Mapping[str, Any]) -> dict[str, Any]:
    whole, below = (
        {key: value for key, value in each.items() if key != MARK} for each in (service, beneath)
    )
    comments: Mapping[str, str] = service.comments if isinstance(service, Commented) else {}
    said = {key: comment for key, comment in comments.items() if key in whole}
    return Commented(sealed(overlay(whole, below)), said)


def _whole(plan: Plan, mode: Mode, path: str, own: str = "") -> dict[str, Any]:
    """Return it as if nothing of ours was beneath; ``own``: the file that a person changed."""
    images = {image.name: image for image in plan.images}
    read = with_beneath(plan, path) if path in plan.compose_files else ()
    elsewhere = (*read[:-1], *(each for known in read for each in plan.includes.get(known, ())))
    theirs = {s.name for s in plan.stores if any(_is_theirs(s, each, own) for each in read)}
    written = [s for s in plan.stores if s.name not in theirs and stores.written(s)]
    written = [s for s in written if mode == "dev" or _is_asked(plan, s, path)]
    up = dict.fromkeys(theirs, "service_started")  # one of a person's may have no health check
    up |= {store.name: "service_healthy" for store in written}
    services = {
        service.name: _service(plan, service, images[service.image], mode, path, up)
        for service in (started(plan) if mode == "dev" else plan.services)
        if not _is_there(service, path, elsewhere)
    }
    networks = {store.name: _networks(services, store.name) for store in written}
    services |= {
        store.name: sealed(stores.service(store, mode) | networks[store.name]) for store in written
    }
    volumes = {stores.volume(store) for store in written} | _mounted(plan, services, read)
    made: dict[str, Any] = {
        "name": project_of(plan),
        "services": dict(sorted(services.items())),
    }
    return made | ({"volumes": {name: sealed({}) for name in sorted(volumes)}} if volumes else {})


def _mounted(
    plan: Plan, services: Mapping[str, Mapping[str, Any]], read: Collection[str]
) -> set[str]:
    """Return the volumes that services have, but for those that a person's file has for its own."""
    every = (given for service in started(plan) for given in service.given)
    theirs = {volume for given in every if given.path in read for volume in given.volumes}
    named = (volume for service in services.values() for volume in short_volumes(service))
    return {v.partition(":")[0] for v in named if v not in theirs and is_named(v)}


def _networks(services: Mapping[str, Mapping[str, Any]], need: str) -> dict[str, list[str]]:
    """Return those of whoever needs a service: there the project's own app finds it, too."""
    asking = (each for each in services.values() if need in each.get("depends_on", ()))
    found = dict.fromkeys(network for each in asking for network in each.get("networks", ()))
    return {"networks": list(found)} if found else {}


def _is_theirs(store: Store, file: str, own: str) -> bool:
    """Tell if a file has a store that a person wrote: also by a change, in the file itself."""
    return store.is_in(file) and (file == own or file not in store.edited)


def _is_asked(plan: Plan, store: Store, path: str) -> bool:
    """Tell if a service of ours needs it: a person's has what it needs, wherever that is."""
    if path in store.elsewhere:
        return False
    asking = [each for each in plan.services if store.name in each.needs]
    read = with_beneath(plan, path)
    return not asking or any(each.theirs.isdisjoint(read) for each in asking)


def _is_there(service: Service, path: str, elsewhere: Collection[str]) -> bool:
    """Tell if a person has it already: under another name, or in a file that is read with this.

    Under the same name in the same file it is theirs, too, which is said where they differ.
    """
    return service.called(path) != service.name or not service.theirs.isdisjoint(elsewhere)


def short_volumes(service: Mapping[str, Any]) -> list[str]:
    """Return what a service has mounted, as far as it is said in the short form."""
    return [each for each in service.get("volumes", ()) if isinstance(each, str)]


def _service(
    plan: Plan, service: Service, image: Image, mode: Mode, path: str, up: Mapping[str, str]
) -> dict[str, Any]:
    dev = mode == "dev"
    root = dev and not image.existing
    command = service.dev_command if dev and service.dev_command else service.command
    given = Parts(plan, service, image, path, mode)
    watched = [each for each in _watch(service, image, path) if dev and not given.binds(each)]
    if sees_changes(service):  # what is bound it sees itself: built anew, it would start twice
        watched = [_but_for(each, given.bound_below(each)) for each in watched]
    watched = [] if path in image.pulled else watched
    parts: dict[str, Any] = {
        "image": image.pulled.get(path),
        "build": None if path in image.pulled else _build(image, mode, path),
        "depends_on": _needs(service, up, given.awaited),
        "volumes": [
            *given.volumes,
            *_shared(plan, service, given),
            *(_binds(service, image, path) if dev else ()),
        ],
        "environment": _environment(plan, service, mode, path, given, root=root),
        "env_file": given.env_files,
        "ports": [f"127.0.0.1:{service.port}:{service.port}"] if service.port else [],
        "networks": given.networks,
        ("entrypoint" if image.starts else "command"): Words(
            commands.filled(service, command, escape, required)
        ),
        "working_dir": _working_dir(service, image, path),
        "restart": _restart(service, mode, given.restart),
        "logging": given.logging,
        "healthcheck": _health(service),
        "user": "root" if root else None,
        "cap_drop": [] if dev else ["ALL"],
        "deploy": {} if dev else _deploy(service),
        "develop": {"watch": watched} if watched else {},
        "init": True,  # the command is no PID 1, whose signals would be ignored
        "profiles": [service.profile] if service.profile else [],
        "security_opt": [] if dev else ["no-new-privileges:true"],
        "stop_grace_period": f"{service.stop_grace}s",
        "stop_signal": service.stop_signal,
    }
    kept = {key: value for key, value in parts.items() if value not in ((), [], {}, None, "no")}
    what = {origin: _what(service) for origin in ("image", "build") if origin in kept}
    comments = {**what, "stop_grace_period": service.reason, "user": _WHY_ROOT}
    return Commented(sealed(kept), comments)


def _restart(service: Service, mode: Mode, said: str) -> str:
    """In development a worker that ended is looked at, unless it only has to wait for the app.

    ``said``: what the file says of the app, which holds for its workers.
    """
    if said and not (said == "no" and service.prepared):
        return said
    if mode == "prod":
        return "unless-stopped"
    return "on-failure" if service.prepared else "no"


def _what(service: Service) -> str:
    """Return what nobody sees from a service's command, if there is such a thing."""
    if service.singleton:
        return "exactly one: a second one would add every job twice"
    return f"started with --profile {service.profile} only" if service.profile else ""


def _needs(service: Service, up: Mapping[str, str], awaited: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to be up first: what of its needs the file has."""
    found = {
        need: {"condition": up[need], "restart": True} | awaited.get(need, {})
        for need in service.needs
        if need in up
    }
    return dict(sorted((dict(awaited) | found).items()))


def _build(image: Image, mode: Mode, path: str) -> dict[str, Any]:
    variant = image.variants.get(path)
    usual = dev_stage(image) if mode == "dev" else worker_stage(image)
    target, args = (variant.target, variant.args) if variant else (usual, image.args)
    build: dict[str, Any] = {
        "context": escape(relative(image.context, path)),
        "dockerfile": escape(
            posixpath.relpath(image.outside, image.context) if image.outside else image.dockerfile
        ),
    }
    if args:
        build["args"] = dict(args)
    return build | ({"target": target} if target else {})


def _environment(
    plan: Plan, service: Service, mode: Mode, path: str, given: Parts, *, root: bool
) -> dict[str, Any]:
    """Return a service's variables; one without a value is the operator's, from ``.env``.

    Beside the service that it is given them with, what the project wrote is what is meant: its own
    broker has that address. In another file the broker is ours.

    Where it has files of variables none is without a value: Compose would take it from the shell
    or ``.env`` only, and unset what such a file says.
    """
    asked = () if given.has_files else (*plan.secrets, *plan.settings)
    values: dict[str, Any] = dict.fromkeys(asked)
    if mode == "prod" and path not in plan.compose_files:  # there the app does without
        values |= {name: required(name) for name in plan.needed if name in values}
    if root and service.framework == "celery":
        values[FORCE_ROOT] = "true"  # with pickled tasks it would not start
    values |= given.environment
    values |= given.production
    values |= {
        name: required(name) if is_secret(name, value) else escape(value)
        for name, value in service.environment.items()
    }
    for store in plan.stores:
        if store.name in service.needs and path not in store.elsewhere:
            found = stores.variables(store, mode)
            for each in with_beneath(plan, path):
                if each == path or each not in store.edited:
                    found |= store.told.get(each, {})
            by_files = frozenset[str]() if _makes_account(plan, store, path) else given.in_files
            known = by_files | given.final.keys()
            values |= {name: found[name] for name in found if name not in known}
    forms = plan.defaults.get(path, {})
    unsaid = (name for name, value in values.items() if value is None)
    values |= {n: forms[n] for n in unsaid if n in forms and n not in given.environment}
    return {name: _as_there(value, forms) for name, value in sorted(values.items())}


def _as_there(value: Any, forms: Mapping[str, str]) -> Any:
    """Return a value that asks for what the file has a default for as the file itself does."""
    for name, form in forms.items() if isinstance(value, str) else ():
        value = value.replace(required(name), form)
    return value


def _makes_account(plan: Plan, store: Store, path: str) -> bool:
    """Tell if a store is put into a file with an account of ours: it lets nobody else in."""
    theirs = any(map(store.is_in, with_beneath(plan, path)))
    return not theirs and stores.written(store) and stores.account(store) is not None


def _working_dir(service: Service, image: Image, path: str) -> str | None:
    """An image of the project's own mostly knows its place; ours has the context in ``/app``."""
    if place := service.places.get(path, service.place):
        return escape(place)
    return None if image.existing or service.dir == "." else escape(inside(service.dir))


def _health(service: Service) -> dict[str, Any]:
    health = service.health
    if health is None:
        return {"disable": True}  # one that the image has is the app's, and fails here
    return {
        "test": Words(["CMD", *(escape(word) for word in health.command)]),
        "interval": f"{health.interval}s",
        "timeout": f"{health.timeout}s",
        "retries": health.retries,
        "start_period": f"{health.start_period}s",
    }


def _deploy(service: Service) -> dict[str, Any]:
    limits = {"cpus": service.cpus, "memory": service.memory}
    return {"replicas": 1 if service.singleton else service.replicas} | {
        "resources": {"limits": limits, "reservations": {"memory": service.memory}}
    }


def _shared(plan: Plan, service: Service, given: Parts) -> Iterator[str]:
    """Yield the volume of a file that services share: the project's own, where there is one."""
    for store in plan.stores:
        if stores.shared(store) and store.name in service.needs:
            place = stores.place(store)
            theirs = list(holding(given.here, place)) or [f"{stores.volume(store)}:{place}"]
            yield from (volume for volume in theirs if volume not in given.volumes)


def _binds(service: Service, image: Image, path: str) -> Iterator[Mapping[str, Any]]:
    for place in _bound(service, image):
        yield {
            "type": "bind",
            "source": escape(relative(in_context(image.context, place), path)),
            "target": escape(inside(place)),
        }


def _bound(service: Service, image: Image) -> tuple[str, ...]:
    """A command that reloads by itself sees the host's source.

    Not the whole context: what the image installed there would be hidden, and Compose watches
    nothing below a bind mount, so that a changed manifest would rebuild nothing.
    """
    if image.existing or not sees_changes(service) or "." in service.watch:
        return ()
    return service.watch


def _but_for(watched: Mapping[str, Any], bound: list[str]) -> Mapping[str, Any]:
    return {**watched, "ignore": [f"{each}/" for each in bound]} if bound else watched


def _watch(service: Service, image: Image, path: str) -> Iterator[Mapping[str, Any]]:
    bound = _bound(service, image)
    for manifest in image.manifests:
        if not any(f"{manifest}/".startswith(f"{place}/") for place in bound):
            place = relative(in_context(image.context, manifest), path)
            yield {"action": "rebuild", "path": escape(place)}
    for source in service.watch:
        if source in bound:
            continue
        place = escape(relative(in_context(image.context, source), path))
        if image.existing or service.built:
            # Nobody knows where its source is inside, or it is not the source that is started.
            yield {"action": "rebuild", "path": place}
            continue
        action = "sync" if sees_changes(service) else "sync+restart"
        yield {"action": action, "path": place, "target": escape(inside(source))}
