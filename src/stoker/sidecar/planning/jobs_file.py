"""Jobs in one SQLite file: who sees it, and what is to be done where somebody would not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stoker.sidecar.detection import BrokerKind, BrokerUse, Detection
from stoker.sidecar.plan import Store
from stoker.sidecar.planning.services import starts_app
from stoker.sidecar.planning.stores import in_the_image
from stoker.sidecar.shared_file import folder, holding, is_named, place
from stoker.sidecar.values import Given


def notes(detection: Detection, stores: Mapping[BrokerKind, Store]) -> Iterator[str]:
    """Yield what to do where the file is gone with its container, or the app has another one."""
    for use in detection.uses:
        if in_the_image(use, detection) and use.evidence:  # else it is only what is usual
            yield f"{use.evidence[0].path}:{use.evidence[0].line}: {_lost(detection)}"
        if use.kind == "sqlite" and "sqlite" in stores:
            yield from _apart(detection, stores["sqlite"], use)


def _lost(detection: Detection) -> str:
    if any(unit.framework == "stoker" for unit in detection.units):
        return (
            "the jobs are in an SQLite file inside the container: no other container sees them, "
            "and they are gone with it; Stoker(default_url=...) reads STOKER_URL first, and that "
            "puts them on a volume which all share"
        )
    return (
        "the jobs are in an SQLite file inside the container, and gone with it: have the source "
        "read its place from a variable, and put that on a volume"
    )


def _apart(detection: Detection, store: Store, use: BrokerUse) -> Iterator[str]:
    """Yield what a service of the project's own needs, that adds jobs and is not changed."""
    path = starts_app(detection)
    web = detection.web
    if web is None or not path:
        return
    given = [each for each in web.given if each.path == path]
    if not _shares(store, use, given):
        line = next(each.line for each in web.evidence if each.path == path)
        told = ", ".join(f"{name}={value}" for name, value in store.variables.items())
        where = place((store.file, *store.variables.values()))
        yield (
            f"{path}:{line}: the app sees no job of the workers, and they none of its: give it "
            f"the volume {store.name}-data at {where}{f', and {told}' if told else ''}"
        )


def _shares(store: Store, use: BrokerUse, given: Sequence[Given]) -> bool:
    """Tell if the app has the workers' file, on a volume that they get, too."""
    where = folder(use.file or use.app)
    volumes = [volume for each in given for volume in holding(each.volumes, where)]
    if use.file:
        return bool(volumes)
    told = {name for each in given for name in each.environment}
    if use.app in store.variables.values():
        return any(map(is_named, volumes))
    # One of the host's directories: workers get it, and what the app's ``environment`` says.
    return bool(volumes) and not told.isdisjoint(store.variables)
