"""YAML as texts: what is none, and that a file is read once."""

from __future__ import annotations

import pytest

from stoker.sidecar.detect.yaml import table


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL"])
def test_nothing_is_no_text_and_in_quotes_it_is_one(word: str) -> None:
    read = table(f"plain: {word}\nlisted:\n- {word}\nquoted: '{word}'\n")

    assert read == {"plain": None, "listed": [None], "quoted": word}


@pytest.mark.parametrize("word", ["no", "true", "0777", "1e3", "nil", "None", "nUll"])
def test_every_other_word_is_a_text(word: str) -> None:
    assert table(f"plain: {word}\n") == {"plain": word}
