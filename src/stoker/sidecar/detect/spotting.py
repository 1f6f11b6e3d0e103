"""Whether a text has one of several words in it: asked of every file, before anything costly.

``spotting`` is for lines and texts, ``sieve`` for the bytes of whole files: what it finds nothing
in is never decoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_COMMON = "xk'w=/vby\"(),:ghf-._mupcdlinorsate "
"""From rare to common in source and prose; what is not here (``q``, every capital) is rarer."""


def spotting(
    *words: str, whole: tuple[str, ...] = (), begun: tuple[str, ...] = (),
    followed: Mapping[str, str] | None = None,
) -> re.Pattern[str]:  # fmt: skip
    """Return a pattern that finds any of these words, as they are.

    ``whole`` not in longer ones, ``begun`` not in the middle of one, ``followed`` only before what
    fits a pattern. The edges of the first two have to be letters: beside an ``é`` no other is one
    in bytes. Each is looked for by its rarest letter: ``re`` skips at once what cannot be one, and
    this is several times as fast as ``word|word|…``, which stops at most letters of any text.
    """
    return re.compile(_by_rarest(words, whole, begun, followed or {}))


def sieve(
    *words: str, whole: tuple[str, ...] = (), begun: tuple[str, ...] = (),
    followed: Mapping[str, str] | None = None,
) -> re.Pattern[bytes]:  # fmt: skip
    """Return the same for ``Project.telling``."""
    return re.compile(_by_rarest(words, whole, begun, followed or {}).encode())


def _by_rarest(
    words: Sequence[str], whole: Sequence[str], begun: Sequence[str], followed: Mapping[str, str]
) -> str:
    wanted = [(word, "", "") for word in words]
    wanted += [(word, r"\b", r"\b") for word in whole]
    wanted += [(word, r"\b", "") for word in begun]
    wanted += [(word, "", f"(?:{pattern})") for word, pattern in followed.items()]
    around: dict[str, list[str]] = {}
    for word, edge, rest in wanted:
        at = min(range(len(word)), key=lambda at: _COMMON.find(word[at]))
        before, after = re.escape(word[: at + 1]), re.escape(word[at + 1 :])
        around.setdefault(word[at], []).append(f"(?<={edge}{before}){after}{rest}")
    parts = (f"{re.escape(letter)}(?:{'|'.join(each)})" for letter, each in around.items())
    return "|".join(parts)
