"""The worker's containers: planned as any other's, so that ``generate`` finds them as they are."""

from __future__ import annotations

from stoker.sidecar.plan import Plan
from stoker.sidecar.planning import make_plan
from stoker.sidecar.scaffold.layout import Layout


def plan(layout: Layout) -> Plan:
    """Return the plan, as ``generate`` makes it: the worker has an image of its own."""
    return make_plan(layout.seen, layout.name)
