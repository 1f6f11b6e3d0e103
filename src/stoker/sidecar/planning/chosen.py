"""A Dockerfile that builds one of several programs: which argument has it build which one."""

from __future__ import annotations

import posixpath
import re

import msgspec

from stoker.sidecar.detection import Build, Choice, Detection
from stoker.sidecar.planning.stages import lacks

_VALUE = re.compile(r"[\w.-]+(?:/[\w.-]+)*")


def of_program(detection: Detection, build: Build, program: str) -> Build | None:
    """Return how the Dockerfile builds a program, as far as it is told; ``None`` if it does not.

    What was built for the app is nobody else's: nothing else is in there.
    """
    if program and lacks(detection, build.dockerfile, build.target, program):
        return None
    choice = detection.choices.get(build.dockerfile)
    if choice is None or not program:
        return build
    value, started = _value(choice, program), started_by(detection, build)
    theirs = build.args.get(choice.argument)
    if not value or not started or theirs in [posixpath.basename(word) for word in started]:
        return None  # what the image starts may be called by the argument, too
    return msgspec.structs.replace(build, args={**build.args, choice.argument: value})


def is_chosen(detection: Detection, build: Build, program: str) -> bool:
    """Tell if a Dockerfile is told to build this program."""
    choice = detection.choices.get(build.dockerfile)
    value = _value(choice, program) if choice else ""
    return choice is not None and value != "" and build.args.get(choice.argument) == value


def started_by(detection: Detection, build: Build) -> tuple[str, ...]:
    """Return what an image starts if it is told nothing."""
    stage = f"#{build.target}" if build.target else ""
    return detection.programs.get(f"{build.dockerfile}{stage}", ())


def _value(choice: Choice, program: str) -> str:
    """Return what the argument has to be for a program to be built, if that can be told."""
    inside = program.startswith(choice.before) and program.endswith(choice.after)
    value = program[len(choice.before) : len(program) - len(choice.after)] if inside else ""
    return value if _VALUE.fullmatch(value) else ""
