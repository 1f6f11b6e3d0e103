"""Whether a file of Node serves: a web server or a bot, and more than that it is alive."""

from __future__ import annotations

import re

_BOT = r"b(?<=\bb)ot\s*\.(?:launch|start|startPolling)\s*\(|g(?<=\bclient\.log)in\s*\("
IS_A_BOT = re.compile(_BOT.encode())
SERVES = re.compile(
    r"""NestFactory\.create\s*(?:<[^>]*>)?\(|\.listen\s*\(|S(?<=\bcreateS)erver\s*\(|"""
    r"""v(?<=\bserv)e\s*\(|Bun\.serve|w(?<=\bnew)\s+(?:Hono|Elysia|Koa)\b|x(?<=ex)press\s*\(\)|"""
    r"""y(?<=[fF]astify)\s*\(|""" + _BOT
)
"""A web server or a bot, written in the same way: twenty times as fast as with ``\\b`` first."""
_HTTP = re.compile(r"""["'](?:node:)?http["']""")
_PROBED = re.compile(
    r"""\breq(?:uest)?\.url\s*===?\s*["']/?(?:health\w*|live\w*|ready\w*|ping|status|metrics|)["']|"""
    r"""\breq(?:uest)?\.method\s*===?\s*["'](?:GET|HEAD)["']"""
)
_ALIVE = re.compile(
    r"""\bapp\.get\(\s*["']/(?:health\w*|live\w*|ready\w*|ping|status)?["']\s*,\s*"""
    r"""(?:async\s*)?\(\s*\w+(?::\s*\w+)?\s*,\s*\w+(?::\s*\w+)?\s*\)\s*=>\s*\{?\s*(?:return\s+)?"""
    r"""\w+(?:\.status\(\d+\))?\.(?:send|json|end|sendStatus)\([^();]*\)\s*;?\s*\}?\s*\)"""
)
_NO_ROUTE = re.compile(
    r"(?:const|let|var) app = express\(\)|\bapp\.listen\(|//[^\n]*|[\"'`][^\"'`\n]*[\"'`]"
)
"""What else is done with an app of Express that has no other route."""
_ASKED = re.compile(r"\breq(?:uest)?\.\w|\bio\(|\bapp\b")


def is_probe(text: str) -> bool:
    """Tell if all that a file serves says that it is alive: Node's own server, no app of any kind.

    Of what is asked it looks at nothing, or at the path of a probe.
    """
    served = {found[0].strip() for found in SERVES.finditer(text)}
    plain = any("erver" in each for each in served)
    if not plain or not all("erver" in each or "listen" in each for each in served):
        return False
    return _HTTP.search(text) is not None and _ASKED.search(_PROBED.sub("", text)) is None


def only_lives(text: str) -> bool:
    """Tell if the one thing that an app of Express answers is that its program is there."""
    rest, answered = _ALIVE.subn("", text)
    return answered > 0 and re.search(r"\bapp\b", _NO_ROUTE.sub("", rest)) is None
