"""Text that breaks out of whatever is put together carelessly."""

from __future__ import annotations

from hypothesis import strategies as st

ATTACKS = (
    "no",
    "Off",
    "y",
    "null",
    "~",
    "0777",
    "0o17",
    "1_000",
    "1e3",
    "12:30:45",
    "0x1F",
    ".5",
    ".inf",
    "2026-11-25",
    "=",
    "<<",
    "&anchor",
    "*alias",
    "!!python/object/apply:os.system",
    "%TAG ! x",
    "- item",
    "? key",
    "key: value",
    "text # no comment",
    "@at",
    "`id`",
    "$(touch /tmp/owned)",
    "$HOME",
    "${HOME:?}",
    "$$",
    "{{ .Values.x }}",
    "a\nb",
    "a\r\nRUN touch /tmp/owned",
    "worker\n  evil:\n    privileged: true",
    "x\\",
    "\\",
    '"]\nUSER root\nCMD ["sh',
    "'; touch /tmp/owned; '",
    "<<EOF",
    "--privileged",
    "--mount=type=bind,source=/,target=/host",
    "[a-z]*",
    "a*b?c[d",
    "\ufeff",
    "\u2028",
    "\x85",
    "\x1b[31m",
    "\x07",
    "\u202eevil",
    "\U0001f600",
    "",
    " ",
    "\t",
    " lead",
    "trail ",
    ":",
    "a:",
    "---",
    "...",
    "|",
    ">",
)
"""Norway, octal, times, anchors, tags, breaks, expansions, escapes, ends of instructions."""

_LETTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])

texts = st.one_of(
    st.sampled_from(ATTACKS),
    st.text(_LETTERS, max_size=40),
    st.builds("{}{}".format, st.sampled_from(ATTACKS), st.sampled_from(ATTACKS)),
)
"""Whatever a plan may hold as text."""

_PART = st.one_of(
    st.sampled_from(
        (
            "a b",
            "$HOME",
            "a*b",
            "[x]",
            "a?c",
            "'q'",
            '"q"',
            "#c",
            "- x",
            "x:y",
            "é",
            "<<EOF",
            "`id`",
        )
    ),
    st.text(
        st.characters(
            exclude_characters="/\\\0\x7f\u2028\u2029", exclude_categories=["Cs", "Cc", "Zl", "Zp"]
        ),
        min_size=1,
        max_size=12,
    ),
).filter(lambda part: part not in (".", ".."))

places = st.lists(_PART, min_size=1, max_size=3).map("/".join)
"""Paths below a root that a file system may well have."""
