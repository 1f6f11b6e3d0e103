"""What rendering makes: files, each with how it joins what a person wrote under its name."""

from __future__ import annotations

from typing import Literal

import msgspec

Target = Literal["compose", "devcontainer", "kubernetes"]
Mode = Literal["dev", "prod"]
Join = Literal["whole", "lines", "block", "services", "resources", "devcontainer", "mount"]
"""``whole``: it stands alone. ``lines``: those that are missing go in. ``block``: all of them, one
after another. ``services``: compose services and volumes go in. ``resources``: those of a
kustomization. ``devcontainer``: what it starts. ``mount``: it stands alone, and only beside a
``devcontainer`` of ours."""


class File(msgspec.Struct, frozen=True):
    """A file to be there."""

    path: str
    """Relative to the root, with ``/``."""
    text: str
    join: Join = "whole"
    comment: str = "#"
    """What a comment begins with."""
