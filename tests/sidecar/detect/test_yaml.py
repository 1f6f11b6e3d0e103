"""YAML as texts: what is none, and that a file is read once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stoker.sidecar.detect import detect
from stoker.sidecar.detect.yaml import table


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_no_text_and_in_quotes_it_is_one(word: str) -> None:
    read = table(f"plain: {word}\nlisted:\n- {word}\nquoted: '{word}'\n")

    assert read == {"plain": None, "listed": [None], "quoted": word}


@pytest.mark.parametrize("word", ["no", "true", "0777", "1e3", "nil", "None", "nUll"])
def test_every_other_word_is_a_text(word: str) -> None:
    assert table(f"plain: {word}\n") == {"plain": word}


def test_a_file_is_read_once_however_many_include_and_extend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[str] = Counter()
    compose = YAML.compose_all

    def counted(reader: Any, text: str) -> Any:
        read[text] += 1
        return compose(reader, text)

    monkeypatch.setattr(YAML, "compose_all", counted)
    names = [f"compose.{at}.yaml" for at in range(5)]
    for name in names:
        extends = "".join(
            f"  {name[8]}{at}: {{extends: {{file: common.yaml, service: s}}}}\n" for at in range(5)
        )
        (tmp_path / name).write_text(f"include: [{', '.join(names)}]\nservices:\n{extends}")
    (tmp_path / "common.yaml").write_text("services: {s: {image: 'redis:7'}}\n")

    detect(tmp_path)

    assert len(read) == 6
    assert set(read.values()) == {1}
