"""What a worker and its child processes say to each other, and how: length, then MessagePack."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO, Literal

import msgspec

from stoker.failure import Failure
from stoker.handler import Origin
from stoker.job.model import JobRecord

_LENGTH = struct.Struct(">I")


class RunJob(msgspec.Struct, tag=True, frozen=True):
    """To the child: run this."""

    origin: Origin
    record: JobRecord
    max_attempts: int
    path: list[str]
    """The worker's ``sys.path``: the child finds the same modules."""


class Progress(msgspec.Struct, tag=True, frozen=True):
    """From the child: JSON text."""

    value: str


class LogLine(msgspec.Struct, tag=True, frozen=True):
    """From the child."""

    line: str


class Began(msgspec.Struct, tag=True, frozen=True):
    """From the child: the code is loaded, the handler is about to be called."""


class Ended(msgspec.Struct, tag=True, frozen=True):
    """From the child: the report, in parts that any side can read."""

    kind: Literal["returned", "snooze", "retry", "cancel", "raised"]
    value: str = ""
    """The result as JSON text, or why."""
    seconds: float | None = None
    failure: Failure | None = None
    final: bool = False


FromChild = Progress | LogLine | Began | Ended

_encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(RunJob).decode
decode_answer = msgspec.msgpack.Decoder(FromChild).decode


def send(stream: BinaryIO, message: Any) -> None:
    """Write one message."""
    body = _encode(message)
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def receive(stream: BinaryIO) -> bytes | None:
    """Read one message; ``None`` when the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None
