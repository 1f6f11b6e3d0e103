"""What looks like a secret whatever it is called: a login in an address, a key, a token."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from stoker.sidecar.secrets.names import is_secret_name

Span = tuple[int, int]
"""Where in a text a secret begins and ends."""

_END = r"""["'`](?:[\s,;:)\]}>]|\Z)"""
"""A quote that ends a text; in a password it may be a letter like others."""
_NEXT = r"[,;|][A-Za-z][\w+.-]*://"
"""Another address behind this one, in a list of them."""
_LOGIN = re.compile(
    rf"""(?<=://)([^\s/:@"'`<>\[]*):(?!\d{{1,5}}(?:[/"'`\s]|\Z))((?:(?!{_NEXT}|{_END})\S)+)@"""
)
"""A user, who may be nobody, and a password. It may hold what ought to be escaped there: all up to
the last ``@`` is it, so that rather too much is taken for a password than half of one left."""
_LOGIN_OF_GO = re.compile(r"""(?<=:)([^\s:"'`]+)@(?:tcp|unix|udp)\(""")
"""As Go's driver of MySQL reads an account: ``shop:password@tcp(db:3306)/shop``."""
_LOGIN_OF_ORACLE = re.compile(
    r"""(?<![\w/])[\w$#]{1,128}/((?:(?!@//|["'`/])\S){1,128})@(?=//[\w.\[-])"""
)
"""As Oracle's drivers read one, JDBC's with what begins it: ``shop/password@//db:1521/shop``."""
_USER = re.compile(r"""://([^\s/:@"'`<>]+):?@""")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*\Z")
_KNOWN_BY_NAME = frozenset({
    "amqp", "amqps", "cockroachdb", "ftp", "imap", "imaps", "ldap", "ldaps", "mariadb", "mongodb",
    "mssql", "mysql", "mysql2", "oracle", "postgis", "postgres", "postgresql", "pyamqp", "sftp",
    "smb", "smtp", "smtps", "sqlserver", "ssh",
})  # fmt: skip
"""The schemes whose users have names, and who may be let in without a password."""
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|pk|rk)[-_](?:live|test|proj|ant)[-_][\w-]{12,}|sk-(?=[\w-]*\d)[A-Za-z0-9_-]{20,}|"
    r"whsec_\w{16,}|gh[pousr]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|npm_\w{24,}|"
    r"pypi-[\w-]{24,}|xox[abeprs]-[\w-]{10,}|xapp-[\w-]{10,}|(?:AKIA|ASIA)[0-9A-Z]{16}|"
    r"SG\.[\w-]{16,}(?:\.[\w-]+)?|AIza[\w-]{30,}|ya29\.[\w-]{16,}|hf_\w{20,}|dop_v1_\w{20,}|"
    r"shpat_\w{20,}|hvs\.[\w-]{20,}|AGE-SECRET-KEY-\w{16,}|"
    r"eyJ[\w-]{10,}\.[\w-]{4,}(?:\.[\w-]*)?"
    r")"
)
_KEY = re.compile(r"-----BEGIN .*?(?:-----END [^-]*-----|\Z)", re.DOTALL)
_SAID = re.compile(r"(?i)\b(?:bearer|basic)\s+(?=[^\s\"']*[\d=])([A-Za-z0-9+/=_.~-]{8,})")
"""As a header has them."""
_PROGRAMS = re.compile(
    r"""\b(?:redis-cli\b[^|;&]{0,200}?[\s"']-a[\s"',]+|sshpass[\s"',]+-p[\s"',]*|"""
    r"""mysql\w*\b[^|;&]{0,200}?[\s"']-p(?=[^\s"',])|"""
    r"""curl\b[^|;&]{0,200}?[\s"'](?:-u|--user)[\s"',=]+[^\s:"']+:)"""
    r"""((?:[^\s"'|;&,\]]|[,\]](?=[^\s,\]]))+)"""
)
"""Options that only their programs tell from others, on a line or in a list of words."""
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{12,}={0,2}(?![A-Za-z0-9+/=])")
_RANDOM = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9+_-][A-Za-z0-9+/_-]{38,}={0,2}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{32,}")


def shapes(text: str) -> Iterator[Span]:
    """Yield where secrets are that need no name to be known."""
    if "://" in text:
        yield from (each.span(2) for each in _LOGIN.finditer(text))
        yield from (each.span(1) for each in _USER.finditer(text) if _is_token(text, each))
    if "@" in text:
        yield from (each.span(1) for each in _LOGIN_OF_GO.finditer(text))
    if "@//" in text:
        yield from (each.span(1) for each in _LOGIN_OF_ORACLE.finditer(text))
    if "-----BEGIN " in text:
        yield from (each.span() for each in _KEY.finditer(text))
    yield from (each.span() for each in _TOKEN.finditer(text))
    yield from (each.span(1) for each in _SAID.finditer(text))
    yield from of_programs(text)
    yield from (each.span() for each in _ENCODED.finditer(text) if _hides_secret(each[0]))


def of_programs(text: str) -> Iterator[Span]:
    """Yield where secrets are in a command that only its program tells: ``redis-cli -a``."""
    yield from (each.span(1) for each in _PROGRAMS.finditer(text))


def is_random(value: str) -> bool:
    """Tell if a value as a whole is what nobody thinks up: a key, a digest, a token."""
    return bool(_HEXADECIMAL.fullmatch(value) or _RANDOM.fullmatch(value))


def is_token(scheme: str, user: str) -> bool:
    """Tell if who an address names, without a password, is no name but a token.

    A person's name is one where accounts have names; NATS, web addresses and Redis take a token
    there, or a password in the wrong place.
    """
    by_name = not _KNOWN_BY_NAME.isdisjoint(scheme.lower().split("+"))
    return not by_name or is_random(user) or _TOKEN.search(user) is not None


def _is_token(text: str, found: re.Match[str]) -> bool:
    scheme = _SCHEME.search(text[max(0, found.start() - 32) : found.start()])
    return is_token(scheme[0] if scheme else "", found[1])


def _hides_secret(encoded: str) -> bool:
    """Tell if a text in base64 is an account, or holds a secret."""
    try:
        text = base64.b64decode(encoded, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return False
    if not text.isprintable():
        return "-----BEGIN " in text
    account = re.fullmatch(r"[\w.@+-]+:\S+", text)
    named = re.match(r"""[\s{"']*([A-Za-z_][\w-]*)["']?\s*[=:]""", text)
    return bool(account or ("://" in text and _LOGIN.search(text))) or bool(
        named and is_secret_name(named[1])
    )
