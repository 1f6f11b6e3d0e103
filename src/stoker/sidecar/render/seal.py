"""The mark on a service or volume of Stoker's: a checksum of what it was when it was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from stoker.sidecar.ours import MARK
from stoker.sidecar.tags import as_plain


def checksum(text: str) -> str:
    """Return a short checksum: it has to notice an edit, not an attack."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def checksum_of(value: Mapping[str, Any]) -> str:
    """Return the checksum of a mapping, its own mark aside."""
    try:
        rest = {key: as_plain(item) for key, item in value.items() if key != MARK}
        return checksum(json.dumps(rest, sort_keys=True, default=str))
    except (TypeError, ValueError, RecursionError):
        # It refers to itself, or its keys are no texts: it is nothing of ours.
        return ""


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value with its mark."""
    return {**value, MARK: checksum_of(value)}
