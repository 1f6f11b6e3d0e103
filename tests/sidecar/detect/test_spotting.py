"""Words spotted by their rarest letter: the same as looking for each of them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as some

from stoker.sidecar.detect.spotting import sieve, spotting

_text = some.text("aqrk_(.[ \\", max_size=12)
_word = some.text("aqrk_(.[ \\", min_size=1, max_size=4)


@given(some.lists(_word, min_size=1, max_size=4), _text)
def test_it_finds_what_has_one_of_the_words(words: list[str], text: str) -> None:
    found = spotting(*words).search(text) is not None

    assert found == any(word in text for word in words)


@given(some.text("aqr", min_size=1, max_size=3), _text)
def test_a_whole_word_is_not_found_in_a_longer_one(word: str, text: str) -> None:
    found = spotting("none of it", whole=(word,)).search(text) is not None

    assert found == (re.search(rf"\b{word}\b", text) is not None)


@given(some.text("aqr", min_size=1, max_size=3), _text)
def test_a_word_is_not_found_in_the_middle_of_one(word: str, text: str) -> None:
    found = spotting("none of it", begun=(word,)).search(text) is not None

    assert found == (re.search(rf"\b{word}", text) is not None)


@given(_word, _text)
def test_a_word_is_found_before_what_follows_it(word: str, text: str) -> None:
    found = spotting("none of it", followed={word: "a|q+r"}).search(text) is not None

    assert found == (re.search(rf"{re.escape(word)}(?:a|q+r)", text) is not None)


_letters = some.text("aqrk_", min_size=1, max_size=4)


@given(some.lists(_word, min_size=1, max_size=4), _letters, some.text("aqrk_(.[é", max_size=12))
def test_a_sieve_lets_through_what_is_not_decoded_yet(
    words: list[str], whole: str, text: str
) -> None:
    if spotting(*words, whole=(whole,)).search(text):
        assert sieve(*words, whole=(whole,)).search(text.encode())
