"""The command lines of the frameworks: which role, which app, which queues."""

from __future__ import annotations

import re

from stoker.sidecar.detect.grammar import others, python
from stoker.sidecar.detect.grammar.python import django, flask
from stoker.sidecar.detect.grammar.words import Launch, Words, listed, options, positional, renamed

__all__ = ["Launch", "listed", "options", "positional", "recognise"]

_SCRIPTS = frozenset({"manage.py", "rails", "rake", "huey_consumer.py", "celery"})
"""Started by their interpreter: ``python manage.py rqworker``."""
_INTERPRETER = re.compile(r"python[0-9.]*|ruby|uv")
_PROGRAMS = python.PROGRAMS | others.PROGRAMS


def recognise(words: Words, environment: dict[str, str]) -> Launch | None:
    """Return what a command starts, if it is a framework's own."""
    if not words:
        return None
    program = words[0].rpartition("/")[2].removesuffix(".py")
    script = words[1].rpartition("/")[2] if len(words) > 2 else ""
    if _INTERPRETER.fullmatch(program) and script in _SCRIPTS:
        return renamed(recognise(words[1:], environment), words)
    reader = _PROGRAMS.get(program)
    if reader is not None:
        return reader(words, environment)
    if program == "manage" and words[1:2] == ("rq",):
        return renamed(flask(("flask", *words[1:]), environment), words)
    if (program == "manage" and len(words) > 1) or program == "django-admin":
        return django(words, environment)
    return None
