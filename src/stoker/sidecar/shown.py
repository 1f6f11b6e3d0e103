"""What was seen and planned, as it is shown: with no secret of the project's in it.

A plan that is read back from there can be written like any other: where a secret was, the operator
is asked for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stoker.sidecar.detection import BrokerUse, Detection, Unit
from stoker.sidecar.plan import Plan, Service, Store
from stoker.sidecar.render.stores import is_ours
from stoker.sidecar.secrets import masked, masked_value, masked_words
from stoker.sidecar.secrets.compose import without_secrets
from stoker.sidecar.values import Given


def shown_detection(found: Detection) -> Detection:
    """Return what was seen without the secrets of its commands and variables."""
    embedded = [msgspec.structs.replace(e, reason=masked(e.reason)) for e in found.embedded]
    return msgspec.structs.replace(
        found,
        units=tuple(map(_unit, found.units)),
        embedded=tuple(embedded),
        uses=tuple(map(_use, found.uses)),
        beside=tuple(map(_use, found.beside)),
        web=_unit(found.web) if found.web else None,
        defaults=_defaults(found.defaults),
    )


def shown_plan(made: Plan) -> Plan:
    """Return a plan without the secrets of its commands and variables."""
    return msgspec.structs.replace(
        made,
        services=tuple(map(_service, made.services)),
        app=_service(made.app) if made.app else None,
        stores=tuple(map(_store, made.stores)),
        defaults=_defaults(made.defaults),
    )


def _defaults(found: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {
        path: {name: without_secrets(name, form) for name, form in forms.items()}
        for path, forms in found.items()
    }


def _unit(unit: Unit) -> Unit:
    return msgspec.structs.replace(
        unit,
        command=masked_words(unit.command),
        dev_command=masked_words(unit.dev_command),
        alternatives=tuple(map(masked_words, unit.alternatives)),
        environment=_values(unit.environment),
        given=tuple(map(_given, unit.given)),
        version=masked(unit.version),
    )


def _use(use: BrokerUse) -> BrokerUse:
    return msgspec.structs.replace(use, given=tuple(map(_given, use.given)))


def _service(service: Service) -> Service:
    return msgspec.structs.replace(
        service,
        command=masked_words(service.command),
        dev_command=masked_words(service.dev_command),
        environment=_values(service.environment),
        given=tuple(map(_given, service.given)),
    )


def _store(store: Store) -> Store:
    variables = {
        name: value if is_ours(value) else masked_value(name, value)
        for name, value in store.variables.items()
    }
    told = {
        path: {name: without_secrets(name, text) for name, text in each.items()}
        for path, each in store.told.items()
    }
    return msgspec.structs.replace(store, variables=variables, told=told)


def _given(given: Given) -> Given:
    environment = {
        name: None if text is None else without_secrets(name, text)
        for name, text in given.environment.items()
    }
    return msgspec.structs.replace(given, environment=environment)


def _values(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: masked_value(name, value) for name, value in environment.items()}
