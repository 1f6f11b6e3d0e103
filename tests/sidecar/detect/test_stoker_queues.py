"""Apps of Stoker on one queue, each without the other's tasks: said with both places."""

from __future__ import annotations

from pathlib import Path

import pytest

from stoker.sidecar.detect import detect
from stoker.sidecar.planning import make_plan

HEAD = "from stoker import Processor, Stoker\n"
MAIL = "app = Stoker({})\n\n@app.task\ndef mail(): ...\n"
SHRINK = "app = Stoker({})\n\n@app.task{}\ndef shrink(): ...\n"


def _notes(root: Path, *modules: str) -> tuple[str, ...]:
    (root / "requirements.txt").write_text("stoker\n")
    for name, text in zip("ab", modules, strict=True):
        (root / f"{name}.py").write_text(HEAD + text)
    detection = detect(root)
    return make_plan(detection).notes


def _mixed(root: Path, *modules: str) -> list[str]:
    return [note for note in _notes(root, *modules) if "different tasks" in note]


def test_both_places_are_named_with_what_to_do(tmp_path: Path) -> None:
    (note,) = _mixed(tmp_path, MAIL.format(""), SHRINK.format("", ""))

    assert note.startswith("a.py:5, b.py:5: a:app and b:app have different tasks in the queue 'de")
    assert "unknown-task" in note
    assert note.endswith('(@app.task(queue="...")), or have one app that they all import')


@pytest.mark.parametrize(
    "other",
    [
        SHRINK.format("default_url='sqlite:///b.db'", ""),
        SHRINK.format("", "(attempts=2)"),
        SHRINK.format("", "(name='mail.one')"),
        "app = Stoker()\n\n@app.processor\nclass Shrink(Processor): ...\n",
        "from a import app as first\n" + SHRINK.format("", ""),
    ],
    ids=["a default", "options", "a name", "a processor", "one that knows the other"],
)
def test_they_share_a_queue_where_the_environment_says_which_store(
    other: str, tmp_path: Path
) -> None:
    assert len(_mixed(tmp_path, MAIL.format(""), other)) == 1


def test_they_share_a_store_that_both_name_alike(tmp_path: Path) -> None:
    url = "'sqlite:////data/jobs.db'"

    assert len(_mixed(tmp_path, MAIL.format(url), SHRINK.format(f"url={url}", ""))) == 1


@pytest.mark.parametrize(
    "other",
    [
        SHRINK.format("", "(queue='pictures')"),
        SHRINK.format("'sqlite:///other.db'", ""),
        SHRINK.format("", "(name='mail')"),
        SHRINK.format("", "(queue=NAME)").replace("app =", "NAME = x()\napp =", 1),
        "jobs = Stoker()\njobs.queue().add('mail')\n",
        "from a import app\n\n@app.task\ndef shrink(): ...\n",
        "app = Stoker()\n\n@app.processor\nclass Shrink(Processor):\n    queue = 'pictures'\n",
    ],
    ids=["a queue", "a store", "the same task", "a queue of a name", "a client", "one app",
         "a processor's queue"],
)  # fmt: skip
def test_nothing_is_said_where_each_knows_what_it_takes(other: str, tmp_path: Path) -> None:
    assert _mixed(tmp_path, MAIL.format(""), other) == []
