"""What looks like a secret is not shown."""

from __future__ import annotations

from typing import Any

import pytest

from stoker.cli.secrets import Redaction, is_secret, masked


@pytest.mark.parametrize(
    "key",
    [
        "password", "Password", "db_password", "userPassword", "PASSWD", "pwd", "passphrase",
        "secret", "clientSecret", "AWS_SECRET_ACCESS_KEY", "token", "access_token", "accessToken",
        "card-token", "authorization", "Authorization", "proxy-authorization", "auth",
        "api_key", "apiKey", "apikey", "X-API-Key", "private_key", "credentials", "Set-Cookie",
        "session_id", "bearer",
    ],
)  # fmt: skip
def test_a_secret_is_known_by_its_key(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize(
    "key",
    ["to", "user", "author", "key", "max_tokens", "tokenizer", "sectarian", "passenger", "id", ""],
)
def test_other_keys_are_left_alone(key: str) -> None:
    assert not is_secret(key)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"user": "ada", "password": "x"}, {"user": "ada", "password": "***"}),
        ({"password": None, "token": ""}, {"password": None, "token": ""}),
        ({"pin": {"token": 123}}, {"pin": {"token": "***"}}),
        ({"credentials": {"user": "ada"}}, {"credentials": "***"}),
        ([{"api_key": "x"}, 3, None, True], [{"api_key": "***"}, 3, None, True]),
        ("redis://ada:hush@host/0", "redis://ada:***@host/0"),
        ({"from": "postgres://ada:hush@host/db"}, {"from": "postgres://ada:***@host/db"}),
        ("write to ada@example.com", "write to ada@example.com"),
        ("https://host:8000/a@b", "https://host:8000/a@b"),
    ],
)
def test_data_is_shown_without_its_secrets(data: Any, shown: Any) -> None:
    assert masked(data) == shown


@pytest.mark.parametrize(
    ("data", "text", "shown"),
    [
        ('{"password": "hunter2"}', "ValueError: wrong password hunter2", "wrong password ***"),
        ('{"token": "it\'s\\\\a"}', 'KeyError: "it\'s\\\\a"', 'KeyError: "***"'),
        ('{"a": [{"credentials": {"key": "abcd"}}]}', "abcde abcd", "***e ***"),
        ('{"token": "abcd", "secret": "abcdef"}', "abcdef abcd", "*** ***"),
        ('{"token": 12345}', "12345 failed", "*** failed"),
        (
            '{"from": "redis://me:hush@host"}',
            "no hush, no redis://a:b@c",
            "no ***, no redis://a:***@c",
        ),
        ('{"token": "abc", "user": "hunter2"}', "abc hunter2", "abc hunter2"),
        ("not json", "text", "text"),
    ],
)
def test_a_secret_of_the_data_is_hidden_wherever_it_stands(
    data: str, text: str, shown: str
) -> None:
    assert Redaction(data)(text).endswith(shown)
