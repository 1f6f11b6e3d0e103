"""What is read in a ``setup.py``, and how much of it is gone through."""

from __future__ import annotations

from typing import SupportsIndex

import pytest

from stoker.sidecar.detect.setup_py import asked_for


class _Counted(str):
    """A text that counts over how many of its characters a search went."""

    __slots__ = ("gone",)

    gone: int

    def find(
        self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /
    ) -> int:
        found = super().find(sub, start, end)
        self.gone += (len(self) if found < 0 else found) - int(start or 0)
        return found

    def count(
        self, sub: str, start: SupportsIndex | None = None, end: SupportsIndex | None = None, /
    ) -> int:
        self.gone += (len(self) if end is None else int(end)) - int(start or 0)
        return super().count(sub, start, end)


def _counted(text: str) -> _Counted:
    found = _Counted(text)
    found.gone = 0
    return found


def test_each_requirement_of_each_list_is_read_with_its_line() -> None:
    text = (
        "MAIL_REQUIRES = [\n    'celery>=5',\n    \"rq\",\n]\n"
        "setup(\n    install_requires=['saq'],\n    extras_require={\n"
        "        'work': ['huey'],\n    },\n    keywords=['arq'],\n)\n"
    )

    found = list(asked_for(text))

    assert found == [(2, "celery>=5"), (3, "rq"), (6, "saq"), (8, "work"), (8, "huey")]


@pytest.mark.parametrize(
    ("repeated", "read"),
    [
        ("install_requires = [\n", 0),
        ("extras_require = {\n", 0),
        ("install_requires = ['rq'\nextras_require = {'mail': ['saq']\n", 1_500),
        ("install_requires = ['rq']\n", 500),
        ("install_requires = ['rq'\n]\nMORE_REQUIRES = ['saq'\n", 999),
    ],
)
def test_a_text_is_gone_through_as_often_however_many_lists_it_begins(
    repeated: str, read: int
) -> None:
    text = _counted(repeated * 500)

    assert len(list(asked_for(text))) == read
    assert 0 < text.gone <= 3 * len(text)
