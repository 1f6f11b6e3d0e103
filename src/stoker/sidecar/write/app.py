"""The app beside its workers, offered for a compose file of a person's that goes without it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from stoker.sidecar.plan import Plan
from stoker.sidecar.render import MODES, File, Mode, Target, path_of, render
from stoker.sidecar.write import services
from stoker.sidecar.write.changes import Change, decide


def with_app(plan: Plan) -> Plan:
    """Return the plan with the app put in."""
    return msgspec.structs.replace(plan, app_offered=False)


def was_added(plan: Plan, present: Mapping[str, str]) -> bool:
    """Tell if the app was asked for before: what was put in stays until it is taken out."""
    path = path_of(plan, "dev")
    return bool(plan.app and services.has(path, present.get(path, ""), plan.app.name))


def wanted(
    plan: Plan,
    present: Mapping[str, str],
    targets: Collection[Target] = ("compose",),
    modes: Sequence[Mode] = MODES,
) -> dict[str, File]:
    """Return the files for a plan: with the app also where it was put in before."""
    whole = with_app(plan) if was_added(plan, present) else plan
    return render(whole, targets, modes)


def additions(files: Mapping[str, File], changes: Sequence[Change]) -> list[Change]:
    """Return what the app adds to files that are as these changes leave them.

    Nothing, if a person has a service of its name: that is the app, or they know better.
    """
    after = {change.path: change.after for change in changes if change.after is not None}
    made = decide(files, after, force=False)
    known = {note for change in changes for note in change.notes}
    if any(note not in known for change in made for note in change.notes):
        return []
    return [change for change in made if change.before != change.after]
