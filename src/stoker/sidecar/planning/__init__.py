"""From what was seen to what will be written: a pure function over plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stoker.sidecar.detection import BrokerKind, BrokerUse, Build, Detection, Unit
from stoker.sidecar.plan import Decision, Image, Plan, Store, checked
from stoker.sidecar.planning import jobs_file, reasons
from stoker.sidecar.planning.asked import asked_for, elsewhere, in_files, settings, unwritten
from stoker.sidecar.planning.celery import changes, contained
from stoker.sidecar.planning.images import images_for, without_modules
from stoker.sidecar.planning.names import Names, slug
from stoker.sidecar.planning.project_name import project_of
from stoker.sidecar.planning.services import given, is_planned, own_compose, service, starts_app
from stoker.sidecar.planning.stages import as_in_production, path_of, with_shell
from stoker.sidecar.planning.stores import (
    built,
    in_the_apps_file,
    in_the_image,
    kept_elsewhere,
    said_openly,
    stores_for,
    unheard,
)
from stoker.sidecar.planning.unsaid import hidden, unsaid
from stoker.sidecar.secrets import masked_line

__all__ = ["make_plan"]

_FILES = 8
"""Compose files that a plan names: the nearest to the root."""


def make_plan(detection: Detection, name: str = "app") -> Plan:
    """Return the containers that a project needs; ``name`` is what to call the compose project.

    Raises ``ConfigError`` where something that was seen cannot be written safely.
    """
    planned = [contained(unit) for unit in detection.units if is_planned(unit)]
    units = sorted(planned, key=lambda unit: unit.role != "worker")  # an image starts the first
    web = [detection.web] if detection.web and units and not starts_app(detection) else []
    images, keys = images_for(detection, [*units, *web])
    stores = stores_for(detection) if units else {}
    beside = tuple({store.name: store for store in stores.values()}.values())  # each once
    names = Names(store.name for store in beside)
    needs: dict[BrokerKind, str] = {kind: store.name for kind, store in stores.items()}
    of_images = list(zip([*units, *web], keys, strict=True))
    frameworks = {
        key: {each.framework for each, own in of_images if own == key and each.framework}
        for key in keys
    }
    services = tuple(
        service(unit, images[key], names, needs, detection, frameworks[key])
        for unit, key in of_images
    )
    project = project_of(detection, name)
    return checked(
        Plan(
            name=slug(project),
            project=project if project != slug(project) else "",
            images=tuple(images.values()),
            services=services[: len(units)],
            app=services[len(units)] if web else None,
            app_offered=bool(web and own_compose(detection)),
            app_services=_app_services(detection) if units else {},
            stores=beside,
            compose_files=_compose_files(detection),
            layers=_layers(detection),
            includes={
                path: others
                for path, others in detection.includes.items()
                if path in _compose_files(detection)
            },
            defaults={
                path: forms
                for path in _compose_files(detection)
                if units and (forms := detection.defaults.get(path))
            },
            devcontainer=next(filter(_is_for_all, detection.files.get("devcontainer", ())), ""),
            desk=_desk(detection, images[keys[-1 if web else 0]]) if units else "",
            secrets=asked_for(detection),
            needed=detection.needed if units else (),
            settings=settings(detection) if units else (),
            elsewhere=elsewhere(detection) if units else (),
            decisions=tuple(_decisions(detection, units)),
            notes=(
                *detection.notes,
                *(_notes(detection, stores) if units else ()),
                *without_modules(images.values()),
            ),
        ),
        "the plan for what was seen",
    )


def _notes(detection: Detection, stores: Mapping[BrokerKind, Store]) -> Iterator[str]:
    """Yield what a person should know of what workers are told, and where their jobs are."""
    yield from unheard(detection)
    yield from in_the_apps_file(detection)
    yield from said_openly(detection, stores)
    yield from built(detection)
    yield from kept_elsewhere(detection, stores)
    yield from in_files(detection)
    yield from unwritten(detection)
    yield from unsaid(detection, stores.values())
    yield from hidden(detection, stores.values())
    yield from as_in_production(detection)
    yield from jobs_file.notes(detection, stores)


def _app_services(detection: Detection) -> dict[str, str]:
    known = detection.web.given if detection.web else ()
    return {each.path: each.service for each in known if each.service}


def _compose_files(detection: Detection) -> tuple[str, ...]:
    return detection.files.get("compose", ())[:_FILES]


def _layers(detection: Detection) -> dict[str, tuple[str, ...]]:
    known = {*_compose_files(detection)}
    return {path: on for path, on in detection.layers.items() if known >= {path, *on}}


def _desk(detection: Detection, image: Image) -> str:
    """Return the stage that an editor opens, where the app's own has nothing to work with."""
    app = detection.web.build if detection.web and starts_app(detection) else None
    if app is None and not image.existing:
        return ""
    return with_shell(detection, app or Build(image.context, path_of(image), image.target))


def _is_for_all(devcontainer: str) -> bool:
    """Tell if editors open the whole project with it."""
    return devcontainer.startswith((".devcontainer/", ".devcontainer.json"))


def _decisions(detection: Detection, units: Sequence[Unit]) -> list[Decision]:
    made = [_started(unit) for unit in units]
    for unit in detection.units:
        if is_planned(unit):
            made += [*changes(unit), *_as_the_app(unit, detection)]
        else:
            what = f"no container for {masked_line(unit.command)}"
            made.append(Decision(what, reasons.ONLY_GUESSED, unit.evidence))
    for each in detection.embedded:
        what, why = reasons.what_is_embedded(each), reasons.embedded(each)
        made.append(Decision(what, why, each.evidence))
    if detection.web and units:
        made.append(_app(detection, detection.web))
    made += [
        Decision(f"in production, {name}={value}", reasons.IN_PRODUCTION)
        for name, value in dict.fromkeys(each for unit in units for each in unit.production.items())
    ]
    for path, on in _layers(detection).items() if units else ():
        made.append(Decision(f"{path}, on top of {', '.join(on)}", reasons.ON_TOP))
    made += [_broker(use, detection, units) for use in detection.uses]
    made += [_beside(use) for use in detection.beside if units]
    if not detection.units and not detection.embedded:
        made.append(Decision("no containers", reasons.NOTHING_WORKS))
    return made


def _as_the_app(unit: Unit, detection: Detection) -> Iterator[Decision]:
    own = {each.path for each in unit.given}
    for each in given(unit, detection):
        if each.path not in own and (each.environment or each.env_file):
            yield Decision(
                f"{unit.role}, with the settings of {each.service} in {each.path}: "
                f"{masked_line(unit.command)}",
                reasons.AS_THE_APP,
                detection.web.evidence[:1] if detection.web else (),
            )


def _app(detection: Detection, web: Unit) -> Decision:
    line = masked_line(web.command)
    alternatives = tuple(map(masked_line, web.alternatives))
    if there := starts_app(detection):
        what, why = f"no container for the app: {line}", f"{there} has it already"
        return Decision(what, why, web.evidence, alternatives)
    source = reasons.started(web)
    if own := own_compose(detection):
        what = f"app, only if asked for: {line}"
        why = f"{own[0]} goes without it; generate --app puts it in; {source}"
        return Decision(what, why, web.evidence, alternatives)
    why = f"in development it stands beside its workers; {source}"
    return Decision(f"app: {line}", why, web.evidence, alternatives)


def _broker(use: BrokerUse, detection: Detection, units: Sequence[Unit]) -> Decision:
    if use.outside:
        what, why = reasons.what_is_outside(use), reasons.outside(use)
    else:
        planned = bool(units) and not in_the_image(use, detection)
        what, why = f"broker: {use.kind}", reasons.broker(use, planned=planned)
    return Decision(what, why, use.evidence)


def _beside(use: BrokerUse) -> Decision:
    """Return what there is to a database, or to a Redis that has no jobs."""
    if use.outside:
        return Decision(reasons.what_is_outside(use), reasons.outside(use), use.evidence)
    if use.engine:
        return Decision("no container for the database", reasons.asked(use), use.evidence)
    title = "Redis" if use.kind == "redis" else "database"
    return Decision(f"{title} beside the broker", reasons.beside(use), use.evidence)


def _started(unit: Unit) -> Decision:
    kind = unit.framework or "custom"
    return Decision(
        f"{unit.role} ({kind}): {masked_line(unit.command)}",
        reasons.started(unit),
        unit.evidence,
        tuple(map(masked_line, unit.alternatives)),
    )
