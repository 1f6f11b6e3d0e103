"""What is said of a server that cannot be reached: once, and what to do."""

from __future__ import annotations

import socket

import pytest
from redis import exceptions as redis

from stoker.broker.redis.faults import translated
from stoker.config import broker_url
from tests.cli.support import stoker

LISTENS = "nothing listens there: start the server, or correct the address in the URL"


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            "Error 111 connecting to shop:6379. Connect call failed ('10.0.0.7', 6379).",
            "connection refused",
            LISTENS,
        ),
        (
            "Error Multiple exceptions: [Errno 111] Connect call failed ('::1', 6379, 0, 0), "
            "[Errno 111] Connect call failed ('127.0.0.1', 6379) connecting to shop:6379.",
            "connection refused",
            LISTENS,
        ),
        (
            "Error -2 connecting to shop:6379. Name or service not known.",
            "name or service not known",
            "correct the host's name in the URL",
        ),
        (
            "Error 113 connecting to shop:6379. No route to host.",
            "no route to host",
            "is the server running, and are host and port right?",
        ),
        (
            "no answer in time",
            "no answer in time",
            "is the server running, and are host and port right?",
        ),
    ],
)
def test_an_address_and_what_is_wrong_with_it_are_said_once(
    text: str, said: str, hint: str
) -> None:
    error = translated(redis.ConnectionError(text), broker_url("redis://shop:6379/0"))

    assert error.message == f"redis://shop:6379/0 cannot be reached: {said}"
    assert error.hint == hint


@pytest.mark.parametrize("command", ["queue ls", "job ls", "job show 1", "dead replay 1"])
def test_every_command_says_it_and_where_the_url_is_from(command: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        url = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"

        result = stoker(*command.split(), env={"STOKER_URL": url})

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"error: {url} (from STOKER_URL) cannot be reached: connection refused\nhint: {LISTENS}\n"
    )
