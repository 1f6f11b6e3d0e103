"""From what was seen to what will be written: a pure function over plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from stoker.sidecar.detection import BrokerUse, Detection, Unit
from stoker.sidecar.plan import Decision, Plan, checked
from stoker.sidecar.planning import jobs_file
from stoker.sidecar.planning.celery import changes, contained
from stoker.sidecar.planning.images import images_for
from stoker.sidecar.planning.names import Names, slug
from stoker.sidecar.planning.services import given, is_planned, own_compose, service, starts_app
from stoker.sidecar.planning.stores import secrets, stores_for, unheard

__all__ = ["make_plan"]


def make_plan(detection: Detection, name: str = "app") -> Plan:
    """Return the containers that a project needs; ``name`` is what to call the compose project.

    Raises ``ConfigError`` where something that was seen cannot be written safely.
    """
    units = [contained(unit) for unit in detection.units if is_planned(unit)]
    web = [detection.web] if detection.web and units and not starts_app(detection) else []
    images, keys = images_for(detection, [*units, *web])
    stores = stores_for(detection) if units else {}
    names = Names(store.name for store in stores.values())
    needs: dict[str, str] = {kind: store.name for kind, store in stores.items()}
    services = tuple(
        service(unit, images[key], names, needs, detection)
        for unit, key in zip([*units, *web], keys, strict=True)
    )
    return checked(
        Plan(
            name=slug(name),
            images=tuple(images.values()),
            services=services[: len(units)],
            app=services[len(units)] if web else None,
            app_offered=bool(web and own_compose(detection)),
            stores=tuple(stores.values()),
            compose_files=detection.files.get("compose", ())[:8],
            devcontainer=next(filter(_is_for_all, detection.files.get("devcontainer", ())), ""),
            secrets=secrets(detection),
            decisions=tuple(_decisions(detection, units)),
            notes=(
                *detection.notes,
                *(unheard(detection) if units else ()),
                *(jobs_file.notes(detection, stores) if units else ()),
            ),
        ),
        "the plan for what was seen",
    )


def _is_for_all(devcontainer: str) -> bool:
    """Tell if editors open the whole project with it."""
    return devcontainer.startswith((".devcontainer/", ".devcontainer.json"))


def _decisions(detection: Detection, units: Sequence[Unit]) -> list[Decision]:
    made = [_started(unit) for unit in units]
    for unit in detection.units:
        if is_planned(unit):
            made += [*changes(unit), *_as_the_app(unit, detection)]
        else:
            why = "it was only inferred: a loop that sleeps may be a command that ends"
            made.append(Decision(f"no service for {' '.join(unit.command)}", why, unit.evidence))
    for each in detection.embedded:
        what = f"no service for {each.framework} in {each.dir}"
        made.append(
            Decision(
                what,
                f"{each.reason}: a second one would do jobs twice as many at once as configured",
                each.evidence,
            )
        )
    if detection.web and units:
        made.append(_app(detection, detection.web))
    made += [_broker(use, detection) for use in detection.uses]
    if not detection.units and not detection.embedded:
        made.append(
            Decision(
                "no containers", "nothing was seen that works jobs off in a process of its own"
            )
        )
    return made


def _outside(use: BrokerUse) -> Decision:
    told = use.evidence[0]
    host = urlsplit(use.outside).hostname or ""
    return Decision(
        f"no service for {use.kind}: it is at {host}",
        f"{told.path} says so, and no service of the project's own is called {host}",
        use.evidence,
        tuple(use.variables),
    )


def _as_the_app(unit: Unit, detection: Detection) -> Iterator[Decision]:
    own = {each.path for each in unit.given}
    for each in given(unit, detection):
        if each.path not in own and (each.environment or each.env_file):
            yield Decision(
                f"{' '.join(unit.command)}: the settings of {each.service} in {each.path}",
                "no service of the project's own starts it there, and it is the app's image with "
                "another command",
                detection.web.evidence[:1] if detection.web else (),
            )


def _app(detection: Detection, web: Unit) -> Decision:
    line = " ".join(web.command)
    alternatives = tuple(" ".join(words) for words in web.alternatives)
    if there := starts_app(detection):
        what, why = f"no service for the app: {line}", f"{there} has it already"
        return Decision(what, why, web.evidence, alternatives)
    source = f"the best evidence is {web.evidence[0].note}"
    if own := own_compose(detection):
        what = f"app, only if asked for: {line}"
        why = f"{own[0]} is the project's own, without it: generate --app puts it in; {source}"
        return Decision(what, why, web.evidence, alternatives)
    why = f"it stands beside its workers in development; {source}"
    return Decision(f"app: {line}", why, web.evidence, alternatives)


def _broker(use: BrokerUse, detection: Detection) -> Decision:
    if use.outside:
        return _outside(use)
    if use.service:
        why = f"the compose file has it already, as {use.service}"
    elif use.kind == "sqlite":
        why = jobs_file.why(use, detection)
    else:
        why = "its workers need it, and no compose file of the project has it"
    return Decision(f"broker: {use.kind}", why, use.evidence, tuple(use.variables))


def _started(unit: Unit) -> Decision:
    source = unit.evidence[0].note if unit.evidence else "nothing"
    sure = "" if unit.confidence > 0.9 else f", and is {unit.confidence:.0%} sure"
    why = f"the best evidence is {source}{sure}"
    kind = unit.framework or "custom"
    return Decision(
        f"{unit.role} ({kind}): {' '.join(unit.command)}",
        why,
        unit.evidence,
        tuple(" ".join(words) for words in unit.alternatives),
    )
