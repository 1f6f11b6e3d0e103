"""What a value of a plan may be, as its type: one that cannot be written is refused."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

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
Variable = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z_][A-Za-z0-9_]{0,127}\Z")]
SECRET = re.compile(r"(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE|CREDENTIAL|DSN|ACCESS_KEY)")
"""What the name of a variable has in it whose value is the operator's."""


LOGIN = re.compile(r"""(?<=://)(?:([^\s/:@"']*):)?[^\s/"']+(?=@)""")
"""Who an address logs in as: a user, if it has one, and a password or a token."""
_ASSIGNED = re.compile(
    r"""^(\s*(?:(?:-|export|ENV|const)\s+)?["']?(\w{1,128})["']?\s*(?:=(?!=)|:)\s*["']?)"""
    r"""(?!(?:\w+\.)*(?:environ|getenv|Getenv|env|ENV|fetch)\b[.\[(])[^\s"'].*""",
    re.DOTALL,
)
"""A line that sets a variable, but not to what it reads from the environment."""


def masked(text: str) -> str:
    """Return a line for people to read, without the passwords in it."""
    text = LOGIN.sub(lambda found: f"{found[1]}:***" if found[1] is not None else "***", text)
    found = _ASSIGNED.match(text)
    if found and (SECRET.search(found[2].upper()) or re.search(r"PASS|PWD", found[2].upper())):
        return f"{found[1]}***"
    return text


_SECRET_NAME = re.compile(
    r"(^|_)(PASS|PWD|PASSPHRASE|KEY|SALT|PEPPER|AUTH|COOKIE|JWT|HMAC|CERT|PEM|WEBHOOK\w*)$",
    re.IGNORECASE,
)
"""How the names of variables end that hold a secret, beyond those that say so."""
_SECRET_VALUE = re.compile(
    r"-----BEGIN "
    r"|^(sk|pk|rk|whsec|gh[pousr]|glpat|npm|pypi|xox[abeprs]|AKIA|SG|eyJ)[-_.A-Za-z0-9]{16,}"
    r"|^[0-9A-Fa-f]{32,}$"
    r"|(?i:\b(password|passwd|pwd|secret|token|api_?key|access_?key|account_?key)=[^\s;&])"
)
"""What a secret looks like under any name: a token, a key, a connection's password."""


def is_secret(name: str, value: str) -> bool:
    """Tell if a value is nothing for a file that is kept: rather once too often."""
    named = SECRET.search(name.upper()) or _SECRET_NAME.search(name)
    return bool(value) and bool(named or _SECRET_VALUE.search(value) or _has_password(value))


def _has_password(value: str) -> bool:
    try:
        return "://" in value and bool(urlsplit(value).password)
    except ValueError:
        return True  # an address that nobody can read: rather too careful


PLACEHOLDER = "app"
"""Stands for a password that is the operator's to say."""


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a compose file of the project's own gives a service, as it is written there.

    A ``$`` in it is meant for Compose.
    """

    path: Place
    """The compose file."""
    service: Text
    env_file: dict[Text, bool] = {}
    """Each file, and whether it has to be there."""
    environment: dict[Variable, Text | None] = {}
    """Without a value: what the shell or ``.env`` says."""
    depends_on: dict[Text, Text] = {}
    """Each service, and its condition."""
    networks: tuple[Text, ...] = ()
    volumes: tuple[Text, ...] = ()
    """In the short form: ``./src:/app/src:ro``."""
