"""A person's ``kustomization.yaml`` gets our manifests, and keeps every byte of its own."""

from __future__ import annotations

import pytest
import yaml

from stoker.sidecar.render import render
from stoker.sidecar.write import Change, decide, decide_removal
from tests.sidecar.plans import CELERY

FILE = "kubernetes/kustomization.yaml"
STYLES = {
    "items indented": "# ours\nresources:\n  - a.yaml # the app\n  - db.yaml\n\nnamespace: shop\n",
    "items below their key": "namespace: shop\nresources:\n- app.yaml\n- db.yaml\n",
    "a comment last": "resources:\n    - app.yaml\n    # more to come\nnamespace: shop\n",
    "no end of the last line": "resources:\n  - app.yaml",
    "windows": "resources:\r\n  - app.yaml\r\nnamespace: shop\r\n",
    "no resources": "namespace: shop\n",
    "no resources, a blank line": "namespace: shop\n\n",
    "nothing in them": "resources:\nnamespace: shop\n",
    "some of ours": "resources:\n  - worker.yaml\n",
}
each_style = pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)


def generate(text: str) -> Change:
    files = {FILE: render(CELERY, ["kubernetes"])[FILE]}
    [change] = decide(files, {FILE: text}, force=False)
    return change


@each_style
def test_our_manifests_are_among_the_resources(text: str) -> None:
    before = yaml.safe_load(text)
    made = generate(text).after or ""

    after = yaml.safe_load(made)
    theirs = before.pop("resources", None) or []
    ours = after.pop("resources")
    assert ours[: len(theirs)] == theirs
    assert sorted(ours[len(theirs) :]) == sorted({"worker.yaml", "beat.yaml"} - set(theirs))
    assert after == before

    assert generate(made).action == "unchanged"
    [gone] = decide_removal({FILE: made}, force=False)
    assert gone.after == text


def test_what_cannot_be_extended_is_left_alone_and_said() -> None:
    text = "resources: [app.yaml]\n"

    change = generate(text)

    assert (change.action, change.after) == ("keep", text)
    assert "its resources are in brackets, without beat.yaml, worker.yaml" in change.notes[0]


def test_what_a_person_changed_in_ours_is_left_alone() -> None:
    made = (generate("resources:\n  - app.yaml\n").after or "").replace("beat.yaml", "clock.yaml")

    change = generate(made)

    assert (change.action, change.after) == ("keep", made)
    assert "Stoker's lines were changed" in change.notes[0]
