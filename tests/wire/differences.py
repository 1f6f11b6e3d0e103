"""Where a queue that Stoker wrote may differ from one that BullMQ wrote, and why it does.

A difference that no scenario shows any more has to go.
"""

from __future__ import annotations

import copy
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from tests.wire.dump import Dump


class Difference(NamedTuple):
    """A field that is left out of the comparison."""

    key: str
    """A pattern for the key's name."""
    field: str
    """A pattern for the name of a field of that hash."""
    why: str


DIFFERENCES = (
    Difference(
        "meta",
        "opts.maxLenEvents",
        "BullMQ's Queue writes its setting when it is made; Stoker leaves what is there",
    ),
)


def without(dump: Dump, found: set[Difference] | None = None) -> Dump:
    """Return the dump less what may differ; note in ``found`` what there was of it."""
    kept = copy.deepcopy(dump)
    for difference in DIFFERENCES:
        for key in [key for key in kept if fnmatchcase(key, difference.key)]:
            if _drop(kept[key], difference.field) and found is not None:
                found.add(difference)
            if kept[key] == {}:
                del kept[key]
    return kept


def _drop(value: Any, pattern: str) -> bool:
    fields = [field for field in value if fnmatchcase(field, pattern)]
    for field in fields:
        del value[field]
    return bool(fields)
