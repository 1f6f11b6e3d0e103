"""What is read in a ``setup.py``, and that it is gone through once."""

from __future__ import annotations

import pytest

from stoker.sidecar.detect.setup_py import asked_for


def test_each_requirement_of_each_list_is_read_with_its_line() -> None:
    text = (
        "MAIL_REQUIRES = [\n    'celery>=5',\n    \"rq\",\n]\n"
        "setup(\n    install_requires=['saq'],\n    extras_require={\n"
        "        'work': ['huey'],\n    },\n    keywords=['arq'],\n)\n"
    )

    found = list(asked_for(text))

    assert found == [(2, "celery>=5"), (3, "rq"), (6, "saq"), (8, "work"), (8, "huey")]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ('setup(install_requires=["celery[redis]", "flask"], keywords=["arq"])',
         ["celery[redis]", "flask"]),
        ("setup(extras_require={'q': ['rq[x]', 'saq{'], 'p': ['huey']}, keywords=['arq'])",
         ["q", "rq[x]", "saq{", "p", "huey"]),
        ("setup(install_requires=[\n  'rq',  # don't ] forget\n  'saq',\n])", ["rq", "saq"]),
        ('"""install_requires = ["rq"]"""\nsetup(install_requires=["saq"])', ["saq"]),
        ("print 'of Python 2'\nsetup(install_requires=['celery[redis]', 'rq'])",
         ["celery[redis]", "rq"]),
    ],
)  # fmt: skip
def test_a_bracket_in_a_text_ends_no_list(text: str, asked: list[str]) -> None:
    assert [each for _, each in asked_for(text)] == asked


@pytest.mark.parametrize(
    ("repeated", "read"),
    [
        ("install_requires = [\n", 0),
        ("extras_require = {\n", 0),
        ("install_requires = ['rq'\nextras_require = {'mail': ['saq']\n", 3),
        ("install_requires = ['rq']\n", 1),
        ("'''", 0),
        ('"', 0),
        ("'\\", 0),
    ],
)
def test_a_text_of_begun_lists_is_gone_through_once(repeated: str, read: int) -> None:
    """More than one way through it would take longer than any test may."""
    times = 60_000

    assert len(list(asked_for(repeated * times))) == read * times
