"""What compose files leave to files of variables that are not in git: no two need have the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stoker.sidecar.detection import Detection
from stoker.sidecar.interpolation import asked
from stoker.sidecar.plan import Store, own_files
from stoker.sidecar.planning.asked import of_shell
from stoker.sidecar.planning.services import given, is_planned
from stoker.sidecar.values import Given

_SHOWN = 4
_SAY_IT = "say it in .env.example, or give a default where it is put in"


def unsaid(detection: Detection, stores: Iterable[Store]) -> Iterator[str]:
    """Yield what of commands, and of brokers' images, no file in git says."""
    told = {name for store in stores for name in store.variables}
    for unit in filter(is_planned, detection.units):
        seen = next((each for each in unit.evidence if each.note == "compose"), None)
        known = told.union(*(each.in_files for each in unit.given))
        names = dict.fromkeys(name for name in of_shell(unit) if name not in known)
        if seen and names:
            yield (
                f"{seen.path}:{seen.line}: {unit.name} is started with {', '.join(names)}, and no "
                f"file in git says what that is: {_SAY_IT}"
            )
    for use in (*detection.uses, *detection.beside):
        names = dict.fromkeys(asked(use.image))
        if names and use.given and not use.outside:
            yield (
                f"{use.given[0].path}: {use.service} is made of {use.image}, and no file in git "
                f"says what {', '.join(names)} is: {_SAY_IT}"
            )


def hidden(detection: Detection, stores: Iterable[Store]) -> Iterator[str]:
    """Yield what services may have in a file that git has not, and workers are told in its place.

    ``environment``, in which they are told, comes first: what the file says then is never seen.
    """
    told = [name for store in stores if not store.outside for name in store.variables]
    for each in _of_others(detection):
        files = [place for place in each.env_file if place not in each.said]
        known = each.in_files | each.environment.keys()
        names = [name for name in dict.fromkeys(told) if name not in known]
        if files and names:
            more = " or more" if names[_SHOWN:] else ""
            yield (
                f"{each.path}: {each.service} has variables from {' and '.join(files)}, which git "
                f"has not; if {' or '.join(names[:_SHOWN])}{more} is said there, take it out of "
                "the workers' environment, which comes first"
            )


def _of_others(detection: Detection) -> Iterator[Given]:
    """Yield what workers have of other services, in the files that they are put into."""
    paths = detection.files.get("compose", ())
    used = [own_files(paths, production=use)[:1] for use in (False, True)]
    found: dict[tuple[str, str], Given] = {}
    for unit in filter(is_planned, detection.units):
        own = {each.path for each in unit.given}
        for each in given(unit, detection):
            if [each.path] in used and each.path not in own:
                found[each.path, each.service] = each
    yield from found.values()
