"""Brokers that somebody else runs: what the project wrote down leads to a host outside of it.

Read as Compose reads it: a service's ``environment`` comes before its ``env_file``, and ``.env``
fills in what is asked of it. Of a password no more is kept than that there is one.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import msgspec

from stoker.sidecar.conninfo import as_url
from stoker.sidecar.detect.brokers import spoken_of
from stoker.sidecar.detect.dotenv import DOTENV, beside, expected, placed_files, read_variables
from stoker.sidecar.detect.source.stoker_urls import AppURL
from stoker.sidecar.detect.written.compose import Service
from stoker.sidecar.detection import BrokerKind, BrokerUse, Evidence, Unit
from stoker.sidecar.interpolation import filled
from stoker.sidecar.plan import for_development, own_files
from stoker.sidecar.project import Project
from stoker.sidecar.schemes import ON_A_SERVER, usual
from stoker.sidecar.secrets import is_token
from stoker.sidecar.shared_file import folder
from stoker.sidecar.values import PLACEHOLDER, Given

_OURS: dict[BrokerKind, str] = {"database": "postgres"}
"""What one that is put beside the worker is called, where that is not its kind's name."""
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_OF_A_NETWORK = re.compile(r"[^.:]+")
"""A container's name: of a host elsewhere people write down the domain, too."""
_LOCAL = re.compile(
    r"(.*\.)?localhost|127\.[0-9.]+|0\.0\.0\.0|::1?"
    r"|(host|gateway)\.docker\.internal|host\.containers\.internal"
)
"""This machine, also as its containers call it."""
_USER = re.compile(r"[\w.%+-]{0,128}")
_PATH = re.compile(r"(/[\w.%-]{0,128})?")
_LEFT = re.compile(r"(?:\$\w+|\$\{\w+(?::?\?[^{}]*)?\})?")
"""All of a text that is to be said by the operator."""
_FINDS_IT = ("url", "host", "address")
_UNVERIFIED = re.compile(r"\bssl_cert_reqs=(cert_)?none\b", re.IGNORECASE)


class _Told(NamedTuple):
    value: str
    path: str
    """The file that says it."""


class _Address(NamedTuple):
    host: str
    text: str
    """As a URL, the password aside."""
    name: str
    """Of the variable that says it."""
    path: str
    line: int = 0
    """Of the source; a variable's is looked for."""


def placed(
    project: Project, uses: Sequence[BrokerUse], units: Sequence[Unit],
    services: Sequence[Service], told: Sequence[AppURL] = (), written: Sequence[AppURL] = (),
) -> tuple[BrokerUse, ...]:  # fmt: skip
    """Return the uses; those that are outside say where.

    ``units``: the app, and the workers. ``told``: apps of Stoker that are told by the source, and
    by nothing else. ``written``: what the source says of apps for which the environment may say
    something else.
    """
    names = (name for service in services for name in (service.name, *service.aliases))
    own = {name.lower() for name in names}  # a URL's host is in small letters
    settings = [_settings(project, given) for unit in units for given in for_development(unit)]
    deployed = [
        (given.path, _settings(project, given))
        for unit in units
        for given in unit.given
        if own_files([given.path], production=True)
    ]
    dotenv = {n: _Told(as_url(value), DOTENV) for n, value in read_variables(project, DOTENV)}
    return tuple(
        _placed(
            project, use, settings, dotenv, own,
            list(_of_source(use, told)), list(_of_source(use, written)),
        )
        for each in uses
        for use in [msgspec.structs.replace(each, elsewhere=_elsewhere(each, deployed, own))]
    )  # fmt: skip


def left_to_operator(
    project: Project, uses: Sequence[BrokerUse], units: Sequence[Unit],
    services: Sequence[Service],
) -> tuple[BrokerUse, ...]:  # fmt: skip
    """Return the uses; of a database that the app's service has from ``.env`` none is written.

    One of ours would be reached by nobody: the app and its workers are led to another one. Where
    the example of ``.env`` calls it as ours would be called, that is the one that is meant.
    """
    given = [each for unit in units for each in for_development(unit) if not each.ours]
    own = {service.name.lower() for service in services}
    return tuple(
        msgspec.structs.replace(use, engine="other", left=True, variables=names, evidence=(seen,))
        if (names := _of_database(use)) and (seen := _left(project, use, names, given, own))
        else use
        for use in uses
    )


def _of_database(use: BrokerUse) -> dict[str, str]:
    """Return what leads to a database of which nothing else is known."""
    known = use.service or use.outside or use.engine or use.elsewhere
    if known or use.kind not in ("postgres", "database"):
        return {}
    return ({"DATABASE_URL": "url"} if use.kind == "database" else {}) | use.variables


def _left(
    project: Project, use: BrokerUse, names: Mapping[str, str], given: Sequence[Given],
    own: Collection[str],
) -> Evidence | None:  # fmt: skip
    """Return the line that asks where it is, if no line anywhere says it."""
    found: Evidence | None = None
    finding = [name for name, part in names.items() if part in _FINDS_IT]
    for each in given:
        told = _settings(project, each)
        examples = {n: _Told(value, DOTENV) for n, value in expected(project, each.path).items()}
        hosts = {address.host for address in _addresses(use, examples)}
        asked = [name for name in finding if name in each.environment]
        if hosts & _near(use, own) or not all(_LEFT.fullmatch(told[name].value) for name in asked):
            return None
        if asked and found is None:
            lines = enumerate(project.lines(each.path), 1)
            line = next((number for number, text in lines if asked[0] in text), 0)
            found = Evidence(each.path, line, f"{asked[0]}:", "leaves it to .env where it is")
    return found


def _elsewhere(
    use: BrokerUse, deployed: Sequence[tuple[str, Mapping[str, _Told]]], own: Collection[str]
) -> tuple[str, ...]:
    """Return the files for production in which all that is said of it leads out of the project."""
    hosts: dict[str, list[str]] = {}
    for path, told in deployed:
        hosts.setdefault(path, []).extend(each.host for each in _addresses(use, told))
    near = _near(use, own)
    return tuple(
        path for path, every in hosts.items()
        if every and not any(host in near or _LOCAL.fullmatch(host) for host in every)
    )  # fmt: skip


def _near(use: BrokerUse, own: Collection[str]) -> set[str]:
    return {*own, _OURS.get(use.kind, use.kind)}


def with_app(
    project: Project, uses: Sequence[BrokerUse], web: Unit | None
) -> tuple[BrokerUse, ...]:
    """Return the uses; that of a file says which one the app's own service has."""
    given = for_development(web) if web else []
    told = {name: each for one in given for name, each in _settings(project, one).items()}
    return tuple(_with_app(use, told) if use.kind == "sqlite" else use for use in uses)


def _with_app(use: BrokerUse, told: Mapping[str, _Told]) -> BrokerUse:
    url = next((told[name].value for name in use.variables if name in told), "")
    return msgspec.structs.replace(use, app=url if folder(url) else "")


def with_file(uses: Sequence[BrokerUse], told: Sequence[AppURL]) -> tuple[BrokerUse, ...]:
    """Return the uses; that of a file says where the source has it, if it is all in one place."""
    places = {folder(each.url) for each in told}
    url = told[0].url if len(places) == 1 and all(places) else ""
    return tuple(
        msgspec.structs.replace(use, file=url) if use.kind == "sqlite" else use for use in uses
    )


def _settings(project: Project, given: Given) -> dict[str, _Told]:
    """Return the variables that a service has in the end."""
    known = beside(project, given.path)
    found: dict[str, _Told] = {}
    for _, path in placed_files(project, given):
        found |= {n: _Told(as_url(value), path) for n, value in read_variables(project, path)}
    for name, text in given.environment.items():
        value = known.get(name, "") if text is None else filled(text, known)
        found[name] = _Told(as_url(value), given.path)
    return found


def _placed(
    project: Project, use: BrokerUse, settings: Sequence[Mapping[str, _Told]],
    dotenv: Mapping[str, _Told], own: Collection[str],
    source: list[_Address], written: list[_Address],
) -> BrokerUse:  # fmt: skip
    found = source or [address for told in settings for address in _addresses(use, told)]
    asked: tuple[str, ...] = ()
    if not found:  # no service has it, and Compose finds it in .env for ours
        found = [each for each in _addresses(use, dotenv) if not _OF_A_NETWORK.fullmatch(each.host)]
        asked = tuple(name for name in _names(use, dotenv) if name in dotenv) if found else ()
        found = found or written
    near = _near(use, own)
    if not found or any(each.host in near or _LOCAL.fullmatch(each.host) for each in found):
        return use
    best = found[-1]
    return msgspec.structs.replace(
        use, outside=best.text, asked=asked, evidence=(_evidence(project, best), *use.evidence)[:4]
    )


def _of_source(use: BrokerUse, told: Sequence[AppURL]) -> Iterator[_Address]:
    """Yield the addresses that the source tells apps."""
    for each in told:
        split = _address(use.kind, each.url)
        if split is not None:
            host = split.hostname or ""
            yield _Address(host, _shown(split), each.by, each.path, each.line)


def _evidence(project: Project, address: _Address) -> Evidence:
    """Return the line that says where it is: what a compose file only asks for, ``.env`` says."""
    if address.line:
        text = f"{address.name}: {address.host}"
        return Evidence(address.path, address.line, text, "says where it is")
    dotenv = posixpath.join(posixpath.dirname(address.path), DOTENV)
    for path in (address.path, dotenv):
        for number, line in enumerate(project.lines(path), 1):
            if address.host in line.lower():
                text = f"{address.name}: {address.host}"  # the line may have a password in it
                return Evidence(path, number, text, "says where it is")
    return Evidence(address.path, 0, address.name, "says where it is")


def _names(use: BrokerUse, told: Mapping[str, _Told]) -> dict[str, str]:
    """Return the variables that say where a broker is; a framework reads some by itself."""
    pattern = spoken_of(use.kind)
    urls = (name for name, each in told.items() if "://" in each.value)
    own = {name: "url" for name in urls if pattern and re.search(pattern, name)}
    return own | use.variables


def _addresses(use: BrokerUse, told: Mapping[str, _Told]) -> Iterator[_Address]:
    """Yield the addresses that a service's variables say, as a whole or in parts."""
    names = {name: part for name, part in _names(use, told).items() if name in told}
    parts = {part: told[name].value for name, part in names.items() if told[name].value}
    for name, part in names.items():
        text = told[name].value
        if part in ("host", "address") and text and "://" not in text:
            text = _joined(use.kind, text, parts)
        split = _address(use.kind, text)
        if split is not None:
            yield _Address(split.hostname or "", _shown(split), name, told[name].path)


def _joined(kind: BrokerKind, host: str, parts: Mapping[str, str]) -> str:
    port = f":{parts['port']}" if "port" in parts and ":" not in host else ""
    password = f":{PLACEHOLDER}" if "password" in parts else ""
    account = f"{parts.get('user', '')}{password}"
    path = f"/{parts['database']}" if "database" in parts else ""
    return f"{usual(kind)}://{account}{'@' if account else ''}{host}{port}{path}"


def _address(kind: BrokerKind, text: str) -> SplitResult | None:
    """Return the parts of an address, if it is one of a broker of this kind."""
    split = _split(text)
    known = split is not None and re.fullmatch(ON_A_SERVER.get(kind, ""), split.scheme)
    return split if known else None


def _split(text: str) -> SplitResult | None:
    """Return the parts of an address, if it is one of a single host."""
    try:
        split = urlsplit(text)
        known = split.hostname is not None and _HOST.fullmatch(split.hostname)
        return split if known and (split.port is None or split.port) else None
    except ValueError:
        return None


def _shown(split: SplitResult) -> str:
    """Return an address, with a word for its password or token, and nothing nobody asks for."""
    host = split.hostname or ""
    host = f"[{host}]" if ":" in host else host
    user = split.username if split.username and _USER.fullmatch(split.username) else ""
    if user and not split.password and is_token(split.scheme, user):
        user = PLACEHOLDER
    account = f"{user}:{PLACEHOLDER}" if split.password else user
    port = f":{split.port}" if split.port else ""
    path = split.path if _PATH.fullmatch(split.path) else ""
    query = "?ssl_cert_reqs=none" if _UNVERIFIED.search(split.query) else ""
    return f"{split.scheme}://{account}{'@' if account else ''}{host}{port}{path}{query}"
