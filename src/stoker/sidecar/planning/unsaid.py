"""What compose files leave to a ``.env`` that git leaves out: nobody else would write the same."""

from __future__ import annotations

from collections.abc import Iterator

from stoker.sidecar.detection import Detection
from stoker.sidecar.interpolation import asked
from stoker.sidecar.planning.asked import of_shell
from stoker.sidecar.planning.services import is_planned

_SAY_IT = "say it in .env.example, or give a default where it is put in"


def unsaid(detection: Detection) -> Iterator[str]:
    """Yield what of commands, and of brokers' images, no file in git says."""
    for unit in filter(is_planned, detection.units):
        seen = next((each for each in unit.evidence if each.note == "compose"), None)
        names = dict.fromkeys(of_shell(unit))
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
