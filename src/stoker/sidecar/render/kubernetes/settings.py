"""Where a worker's variables come from: what is plain from a ConfigMap, all else from Secrets.

The project's own are those that its compose file for production gives the worker, or the app that
it is another process of; without such a file, those of development.
"""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from stoker.sidecar.interpolation import settled
from stoker.sidecar.plan import Plan, Service, Store
from stoker.sidecar.render import commands, stores
from stoker.sidecar.render.given import given_in, in_production
from stoker.sidecar.render.kubernetes.names import file_secret_names
from stoker.sidecar.render.places import path_of
from stoker.sidecar.secrets import is_secret
from stoker.sidecar.secrets.compose import without_secrets
from stoker.sidecar.values import Given


class Settings(NamedTuple):
    """A worker's variables, by where they come from; what comes later in here is stronger."""

    files: dict[str, bool]
    """Files of variables, relative to the root, and whether each has to be there."""
    plain: dict[str, str]
    secret: dict[str, bool]
    """Keys of the operator's Secret, and whether each has to be there."""
    direct: dict[str, str]
    """They stand in the Deployment, and may put in what is secret: ``$(REDIS_PASSWORD)``."""
    origin: Given | None = None
    """What of the project's own some are taken from."""


def settings(plan: Plan, service: Service) -> Settings:
    """Return what a worker has in production."""
    path = path_of(plan, "prod")
    found = given_in(plan, service, path, "prod")
    plain: dict[str, str] = {}
    own: dict[str, bool] = {}
    for name, text in found.environment.items() if found else ():
        value = None if text is None else settled(without_secrets(name, text))
        if value is None or is_secret(name, value):
            own[name] = text is not None  # what has no value there may have none at all
        else:
            plain[name] = value
    plain |= in_production(plan, service, path)
    files = _files(found) if found else {}
    # What is to be said in a file is not asked for once more: an empty one would come before it.
    asked = dict.fromkeys(plan.settings, False) | dict.fromkeys(plan.secrets, True)
    secret = {} if files else {name: asked[name] for name in asked if name not in plain}
    secret |= own
    secret |= {name: True for name, value in service.environment.items() if is_secret(name, value)}
    secret |= dict.fromkeys(commands.asked(service, service.command), True)
    direct: dict[str, str] = {}
    said = found.in_files if found and found.path == path else frozenset[str]()
    for store in _needed(plan, service):
        if store.outside:
            direct |= stores.with_password(store, put_in, escape)
            password = stores.secret(store)
            asked = password and any(put_in(password) in value for value in direct.values())
            secret |= {password: True} if password and asked else {}
            # One that is no more than itself comes from the Secret: Kubernetes would keep the text.
            itself = [name for name, value in direct.items() if value == put_in(name)]
            secret |= dict.fromkeys(itself, True)
            direct = {name: value for name, value in direct.items() if name not in itself}
        else:
            secret |= {name: True for name in store.variables if name not in said}
    secret = {name: needed for name, needed in secret.items() if name not in direct}
    for name, value in service.environment.items():
        if name not in secret:
            direct.setdefault(name, escape(value))
    plain = {name: value for name, value in plain.items() if name not in {*secret, *direct}}
    return Settings(files, plain, secret, direct, found)


def file_secrets(plan: Plan) -> dict[str, str]:
    """Return the Secret of each file of variables that a worker of the plan has."""
    every = (*plan.services, *([plan.app] if plan.app else ()))
    found = (given_in(plan, service, path_of(plan, "prod"), "prod") for service in every)
    return file_secret_names(plan, (place for given in found if given for place in _files(given)))


def escape(text: str) -> str:
    """Return text in which Kubernetes replaces no variables."""
    return text.replace("$(", "$$(")


def put_in(variable: str) -> str:
    """Return what Kubernetes replaces by another of the container's variables."""
    return f"$({variable})"


def _needed(plan: Plan, service: Service) -> list[Store]:
    return [store for store in plan.stores if store.name in service.needs]


def _files(given: Given) -> dict[str, bool]:
    folder = posixpath.dirname(given.path)
    return {
        posixpath.normpath(posixpath.join(folder, settled(place) or place)): needed
        for place, needed in given.env_file.items()
    }
