"""What a database of ours goes on with: the data of the project's own service."""

from __future__ import annotations

import re

from stoker.sidecar.detection import BrokerKind, BrokerUse
from stoker.sidecar.shared_file import ends
from stoker.sidecar.values import Given

_GOES_ON: tuple[BrokerKind, ...] = ("postgres", "database")
"""These read what another container left. Of what a Redis left that wrote no log, one that writes
one reads nothing, and puts its own in the place; RabbitMQ looks below its host's name."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def mounts(use: BrokerUse) -> dict[str, str]:
    """Return what its service has mounted where people develop, by the place inside."""
    given = _of_a_persons(use)
    volumes = given.volumes if given else ()
    return {place: source for source, place in map(ends, volumes) if source and place}


def kept(use: BrokerUse) -> tuple[str, ...]:
    """Return the volumes that one of ours can have instead: the same image, with the same account.

    Of one that is elsewhere, or is told in a file where in it the data is, nobody knows that.
    """
    given = _of_a_persons(use)
    if use.kind not in _GOES_ON or given is None:
        return ()
    if given.env_file or "PGDATA" in given.environment:
        return ()
    named = (source for source in mounts(use).values() if source in use.volumes)
    return tuple(dict.fromkeys(filter(_NAME.fullmatch, named)))


def _of_a_persons(use: BrokerUse) -> Given | None:
    """Return what its service is given, if a person wrote that: what is ours is called alike."""
    return next((given for given in use.given[:1] if not given.ours), None)
