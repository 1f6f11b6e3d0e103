"""How others read what Stoker wrote: the tools of each format, and none of Stoker's own code."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import yaml
from ruamel.yaml import YAML

SCHEMA = Path(__file__).parent / "schemas" / "compose-spec.json"
"""Of the Compose specification, Apache-2.0; as the npm package dclint 3.1.0 has it."""


def yaml_values(text: str) -> Any:
    """Return what every YAML reader reads, whatever its version."""
    new = YAML(typ="safe", pure=True).load(text)
    old = yaml.safe_load(text)  # YAML 1.1: no is false there, and 0777 octal
    assert new == old, "the versions of YAML read it differently"
    return new


def yaml_documents(text: str) -> list[Any]:
    return list(yaml.safe_load_all(text))


@cache
def _compose() -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))


def compose_values(text: str) -> dict[str, Any]:
    """Return a compose file's values, valid by the specification's schema.

    Its own tags are no YAML of every reader's: what is reset is left out here.
    """
    untagged = re.sub(r"(?m)^ {4}[\w-]+: !reset null\n", "", text)
    values = yaml_values(untagged.replace(" !override", "").replace("!reset null", "null"))
    _compose().validate(values)
    return values


def uninterpolated(value: Any) -> Any:
    """Return what Compose makes of a value. What it would replace is an error."""
    if isinstance(value, str):
        rest = value.replace("$$", "")
        assert "$" not in rest, f"Compose would replace something in {value!r}"
        return value.replace("$$", "$")
    if isinstance(value, Mapping):
        return {key: uninterpolated(item) for key, item in value.items()}
    if isinstance(value, list):
        return [uninterpolated(item) for item in value]
    return value


class Instruction(NamedTuple):
    name: str
    flags: tuple[str, ...]
    rest: str

    @property
    def words(self) -> list[str]:
        """The words of the exec form."""
        return json.loads(self.rest)


def instructions(text: str) -> list[Instruction]:
    """Read a Dockerfile as BuildKit does: comments, continued lines, flags."""
    made: list[Instruction] = []
    pending = ""
    for line in text.splitlines():
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        if line.lstrip().startswith("#"):
            continue
        pending += line
        if pending.endswith("\\"):
            pending = pending[:-1]
            continue
        name, _, rest = pending.partition(" ")
        flags = re.findall(r"\A(?:--[a-z-]+=\S+\s+)*", rest)[0]
        made.append(Instruction(name, tuple(shlex.split(flags)), rest[len(flags) :].strip()))
        pending = ""
    assert not pending
    return made


def unpatterned(source: str) -> str:
    """Return the one file that a source of COPY stands for."""
    source = source.replace("\\$", "$")
    for letter in "*?[":
        source = source.replace(f"[{letter}]", letter) if letter != "[" else source
    return source.replace("[[]", "[")


def hadolint(text: str) -> None:
    """Judge a Dockerfile; every rule counts."""
    tool = Path(sys.executable).with_name("hadolint")
    result = subprocess.run([tool, "-"], input=text, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
