"""What a value of a plan may be, as its type: one that cannot be written is refused."""

from __future__ import annotations

from typing import Annotated

import msgspec

Text = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00\ud800-\udfff]*\Z", max_length=8_192)]
"""Any text that a file can hold."""
Place = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A(?!/)(?!(.*/)?\.\.(/|\Z))[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\]+\Z",
        max_length=1_024,
    ),
]
"""A file or directory below the root: relative, with ``/``, and without ``..``."""
Absolute = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A/[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\\]*\Z", max_length=1_024
    ),
]
"""A file or directory of a container: absolute."""
Variable = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]{0,127}\Z")]
PLACEHOLDER = "app"
"""Stands for a password that is the operator's to say."""
OURS = (PLACEHOLDER, "dev")
"""What brokers of ours have for a password in development: nobody's secret."""


PARTS = ("env_file", "environment", "depends_on", "networks", "volumes", "restart", "logging")
"""What compose files give a service, beside its command."""


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a compose file of the project's own gives a service, as it is written there.

    A ``$`` in it is meant for Compose.
    """

    path: Place
    """The compose file."""
    service: Text
    image: Text = ""
    """What it is started from there, where that is not built there, too."""
    env_file: dict[Text, bool] = {}
    """Each file, and whether it has to be there."""
    said: dict[Text, tuple[Variable, ...]] = {}
    """Of those that git has: what each says, but for what leads to this machine, or is empty."""
    environment: dict[Variable, Text | None] = {}
    """Without a value: what the shell or ``.env`` says."""
    depends_on: dict[Text, Text] = {}
    """Each service, and its condition."""
    networks: tuple[Text, ...] = ()
    volumes: tuple[Text, ...] = ()
    """In the short form: ``./src:/app/src:ro``."""
    restart: Text = ""
    """When Docker starts it anew, if that is said: ``unless-stopped``."""
    logging: dict[Text, Text | dict[Text, Text]] = {}
    """Where its output goes: the ``driver``, and its ``options``."""
    replaced: dict[Text, tuple[Text, ...]] = {}
    """Of which parts nothing holds that files beneath say: of these entries, or of all."""
    elsewhere: dict[Variable, Place] = {}
    """Those of its variables that another file says."""
    ours: bool = False
    """Stoker wrote that service, and a person changed it since."""

    @property
    def in_files(self) -> frozenset[str]:
        """Return the variables that the files of variables are known to say."""
        return frozenset(name for names in self.said.values() for name in names)
