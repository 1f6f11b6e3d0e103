"""Files → disk. What Stoker wrote it may change; what a person wrote stays, unless forced.

    present ─┐
    files  ──┴─ decide ─▶ changes ─ apply ─▶ disk

``decide`` is pure: the same for ``--dry-run``, ``--diff``, ``--check`` and for writing.
"""

from stoker.sidecar.write.app import additions, wanted, with_app
from stoker.sidecar.write.changes import Change, decide, decide_removal
from stoker.sidecar.write.differences import difference
from stoker.sidecar.write.disk import Folder
from stoker.sidecar.write.finding import written_by_stoker
from stoker.sidecar.write.readable import refuse_unreadable
from stoker.sidecar.write.scripts import manifests as package_manifests
from stoker.sidecar.write.scripts import offers

__all__ = [
    "Change",
    "Folder",
    "additions",
    "decide",
    "decide_removal",
    "difference",
    "offers",
    "package_manifests",
    "refuse_unreadable",
    "wanted",
    "with_app",
    "written_by_stoker",
]
