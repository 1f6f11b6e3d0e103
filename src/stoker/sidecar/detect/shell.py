"""Command lines taken apart, without a shell: words, variables, and simple commands.

``steps`` splits a line at ``&&``, ``;``, ``|``.
"""

from __future__ import annotations

import functools
import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence

import msgspec

LONGEST = 8_192
UNKNOWN = "\0"
"""What only a run would tell: a word with it is left out."""
ROOT = "\x01"
"""Stands before a path that starts at the project's root."""
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_OPERATORS = frozenset({"&&", "||", ";", ";;", "|", "&", "|&", "(", ")", "{", "}", "\n"})
_DEFAULTED = re.compile(r"\$\{(\w+):?[-=]([^{}$]*)\}")
_WHICH = re.compile(r"(?:(?:\S*/)?python[\d.]*\s+)?(?:\$\(|`)\s*which\s+([\w.-]+)\s*(?:\)|`)")
_VARIABLE = re.compile(r"\$\{?[A-Za-z_@]")
_PLAIN = re.compile(r"[\w \t./:=@%+,$*~^{}\[\]#!?-]*")
_KEYWORDS = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "time"})


class Step(msgspec.Struct, frozen=True):
    """One simple command of a line."""

    words: tuple[str, ...]
    environment: dict[str, str] = {}
    dir: str = "."
    """Where a ``cd`` before it led."""
    dev: bool = False
    """Run by something that starts it again when a file changes."""

    @property
    def line(self) -> str:
        """Return it as somebody would type it."""
        return shlex.join(self.words)


@functools.lru_cache(4_096)
def steps(line: str) -> tuple[Step, ...]:
    """Return the simple commands of a line, each with the directory that it is run in.

    Most lines are met more than once: scripts call each other, and all have their ``set -e``.
    """
    return tuple(_steps(line))


def _steps(line: str) -> Iterator[Step]:
    dir = "."
    for every in _simple(defaults(line[:LONGEST])):
        words = list(known(every))
        while words and words[0] in _KEYWORDS:
            words = words[1:]
        if words[:1] in (["cd"], ["pushd"]) and len(words) > 1 and "$" not in words[1]:
            dir = words[1] if words[1].startswith("/") or dir == "." else f"{dir}/{words[1]}"
            continue
        step = assigned(words)
        if step.words:
            yield msgspec.structs.replace(step, dir=dir)


def known(words: Sequence[str]) -> tuple[str, ...]:
    """Leave out the words that nobody knows, with the options that they are for."""
    found: list[str] = []
    for word in () if UNKNOWN in words[0] else words:
        if UNKNOWN not in word:
            found.append(_in_project(word))
        elif not word.startswith("-") and found and re.fullmatch(r"--?[\w-]+", found[-1]):
            found.pop()
    return tuple(found)


def _in_project(word: str) -> str:
    return posixpath.normpath(word[len(ROOT) :].lstrip("/")) if word.startswith(ROOT) else word


def defaults(line: str) -> str:
    """Put in the default of every ``${VARIABLE:-default}``, and what ``$(which NAME)`` finds."""
    line = _WHICH.sub(r"\1", line) if "which" in line else line
    for _ in range(3):
        line, count = _DEFAULTED.subn(lambda found: found[2], line)
        if not count:
            break
    return line


def has_variables(words: Sequence[str]) -> bool:
    """Tell if a shell would put something in."""
    return any(_VARIABLE.search(word) or "`" in word or "$(" in word for word in words)


def as_shell(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command that a shell puts variables into, if there are any."""
    if not has_variables(words):
        return words
    return ("sh", "-c", "exec " + " ".join(_quoted(word) for word in words))


def _quoted(word: str) -> str:
    return (
        word
        if re.fullmatch(r"[\w@%+=:,./${}\[\]*-]+", word)
        else '"' + word.replace('"', '\\"') + '"'
    )


def split(line: str) -> list[str]:
    """Split into words as a shell does; at spaces if its quotes do not match."""
    try:
        return shlex.split(line, comments=False)
    except ValueError:
        return line.split()


def _simple(line: str) -> Iterator[list[str]]:
    words: list[str] = []
    redirected = False
    try:
        for word in _lexed(line):
            if set(word) <= set("<>&") and ("<" in word or ">" in word):
                if words and words[-1].isdigit():
                    words.pop()
                redirected = True
            elif word in _OPERATORS or set(word) <= set("();|&\n"):
                if words:
                    yield words
                words, redirected = [], False
            elif redirected:
                redirected = False
            else:
                words.append(word)
    except ValueError:
        words = words or line.split()
    if words:
        yield words


def _lexed(line: str) -> Iterable[str]:
    """Return words and operators; the quick way where none is quoted, escaped or joined."""
    if _PLAIN.fullmatch(line):
        return line.split()
    lexer = shlex.shlex(line.replace("\\\n", " "), posix=True, punctuation_chars="();|&\n<>")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    return lexer


def assigned(words: Sequence[str]) -> Step:
    """Return a command without the variables that are set for it in front, which go beside it."""
    environment: dict[str, str] = {}
    rest = list(words)
    while rest:
        found = _ASSIGNMENT.fullmatch(rest[0])
        if found is None:
            if rest[0] not in ("env", "cross-env", "export", "command", "/usr/bin/env"):
                break
        else:
            environment[found[1]] = found[2]
        rest.pop(0)
    return Step(tuple(rest), environment)
