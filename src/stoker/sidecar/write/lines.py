"""A person's list of lines, and those of Stoker's that are missing in it."""

from __future__ import annotations

from stoker.sidecar.write.marks import block, find_block

_EDITED = "Stoker's lines were changed: left alone"


def merge(before: str, wanted: str, *, each: bool, force: bool) -> tuple[str, tuple[str, ...]]:
    """Return the file with our lines in it, and notes; with ``each`` only those it has not."""
    present = _lines(before)
    found = find_block(present)
    if found and found[2] != "stoker" and not force:
        return before, (f"line {found[0] + 1}: {_EDITED}",)
    start, end, _ = found or (len(present), len(present), "stoker")
    theirs = {_key(line) for line in (*present[:start], *present[end:])}
    ours = wanted.splitlines()
    missing = [line for line in ours if not each or _key(line) not in theirs]
    made = block(missing)
    if not found and made and present and present[-1]:
        made = ["", *made]
    return _text(before, [*present[:start], *made, *present[end:]]), ()


def remove(before: str, *, force: bool) -> tuple[str, tuple[str, ...]]:
    """Return the file without Stoker's lines, and notes."""
    present = _lines(before)
    found = find_block(present)
    if found is None:
        return before, ()
    start, end, whose = found
    if whose != "stoker" and not force:
        return before, (f"line {start + 1}: {_EDITED}",)
    start -= start > 0 and not present[start - 1] and end == len(present)
    return _text(before, [*present[:start], *present[end:]]), ()


def _key(line: str) -> str:
    """Return what makes two lines say the same: of ``NAME=value`` it is the name."""
    return line.partition("=")[0].strip()


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def _text(before: str, lines: list[str]) -> str:
    """Return lines with the line ends that the file has."""
    end = "\r\n" if "\r\n" in before else "\n"
    return "".join(f"{line}{end}" for line in lines)
