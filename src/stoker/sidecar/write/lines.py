"""A person's list of lines, and those of Stoker's that are missing in it."""

from __future__ import annotations

from stoker.sidecar.write.ignoring import exceptions, without_taking_back
from stoker.sidecar.write.marks import block, find_block

_EDITED = "Stoker's lines were changed: left alone"


def merge(before: str, wanted: str, *, each: bool, force: bool) -> tuple[str, tuple[str, ...]]:
    """Return the file with our lines in it, and notes; with ``each`` only those it has not."""
    present = _lines(before)
    plain = [line.removesuffix("\r") for line in present]
    found = find_block(plain)
    if found and found[2] != "stoker" and not force:
        return before, (f"line {found[0] + 1}: {_EDITED}",)
    start, end, _ = found or (len(present), len(present), "stoker")
    theirs = {_key(line) for line in (*plain[:start], *plain[end:])}
    ours = wanted.splitlines()
    missing = [line for line in ours if not each or _key(line) not in theirs]
    missing = without_taking_back(plain[:start], missing)
    made = block([*missing, *exceptions(plain[:start], missing)])
    if not found and made and plain:
        made = ["", *made]
    return _text(before, [*present[:start], *_ended(before, made), *present[end:]]), ()


def remove(before: str, *, force: bool) -> tuple[str, tuple[str, ...]]:
    """Return the file without Stoker's lines, and notes."""
    present = _lines(before)
    plain = [line.removesuffix("\r") for line in present]
    found = find_block(plain)
    if found is None:
        return before, ()
    start, end, whose = found
    if whose != "stoker" and not force:
        return before, (f"line {start + 1}: {_EDITED}",)
    start -= start > 0 and not plain[start - 1] and end == len(present)
    return _text(before, [*present[:start], *present[end:]]), ()


def _key(line: str) -> str:
    """Return what makes two lines say the same: of ``NAME=value`` it is the name."""
    return line.partition("=")[0].strip()


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _ended(before: str, lines: list[str]) -> list[str]:
    """Return our lines with the ends that the file has."""
    return [f"{line}\r" for line in lines] if "\r\n" in before else lines


def _text(before: str, lines: list[str]) -> str:
    """Return lines as one text, whose last has an end if the file's has: that, too, is theirs."""
    text = "\n".join(lines)
    if not before or before.endswith("\n"):
        return f"{text}\n" if lines else ""
    return text.removesuffix("\r")
