"""Whose values are secret, by what they are called: variables, settings, options of commands."""

from __future__ import annotations

import re

_BETWEEN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_SECRET = re.compile(
    r"(PASSWORD|PASSWD|PASSPHRASE|PASSCODE|SECRET|CREDENTIAL|CRED|TOKEN|DSN|BEARER"
    r"|API_?KEY|ACCESS_?KEY|ACCOUNT_?KEY|PRIVATE_?KEY)S?(_|$)"
    r"|((^|_)PASS|(?<!BY)(?<!COM)PASS|PWD|MASTERAUTH)$"
    r"|(^|_)(PAT|PW|KEY|KEYS|SALT|PEPPER|AUTH|AUTHORIZATION|COOKIE|JWT|HMAC|CERT|PEM|CONN(ECTION)?_STR"
    r"(ING)?|WEBHOOK\w*)(_(\d+|V\d+|OLD|NEW|BASE64|B64|HEX))*$"
)
"""Some words say it wherever they stand, others only where a name ends with them."""
_ABOUT = re.compile(
    r"_(TTL|EXPIR\w+|LIFETIME|AGE|MS|SECONDS|MINUTES|HOURS|DAYS|TIMEOUT|LENGTH|LIMIT|COUNT|SIZE"
    r"|PREFIX|SUFFIX|HEADER|TYPE|ALG|ALGORITHM|ISSUER|AUDIENCE|ENABLED|REQUIRED|HASHERS?"
    r"|VALIDATORS?|NAME|FIELD)$"
    r"|_(CONCURRENCY|RETRIES|ATTEMPTS|INTERVAL|DELAY|PER_[A-Z]+)$"
    r"|(^|_)TOKEN_UR[IL]$"
    r"|(^|_)(MAX|MIN|NUM|N|TOTAL|PROMPT|INPUT|OUTPUT|COMPLETION|NEW|CONTEXT)(_[A-Z]+)?_TOKENS$"
    r"|(^|_)(PUBLIC|PUBLISHABLE|SITE|ROUTING|PARTITION|SORT|PRIMARY|FOREIGN|CACHE)_KEYS?$"
)
"""What is said about a secret, or counts what only is called so, is none: ``TOKEN_TTL``."""
_OF_SHELLS = ("PWD", "OLDPWD")
"""Variables for directories; in a connection's text the first is a password."""
_PLACE = re.compile(r"_(FILE|FILENAME|PATH|DIR)$")
"""Where a secret is kept, as ``POSTGRES_PASSWORD_FILE`` says it."""


def is_secret_name(name: str) -> bool:
    """Tell if what is called so is secret: ``API_KEY``, ``accessToken``, ``--redis-password``."""
    words = _words(name)
    return _is_secret(words) and not _PLACE.search(words) and words not in _OF_SHELLS


def is_place_of_secret(name: str) -> bool:
    """Tell if what is called so says where a secret is kept."""
    words = _words(name)
    return _PLACE.search(words) is not None and _is_secret(words)


def may_be_secret(name: str) -> bool:
    """Tell if what is called so is a secret, or where one is kept."""
    return _is_secret(_words(name))


def _words(name: str) -> str:
    return _BETWEEN.sub("_", name[:256]).strip("_").upper()


def _is_secret(words: str) -> bool:
    return _SECRET.search(words) is not None and _ABOUT.search(words) is None
