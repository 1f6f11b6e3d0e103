"""Nest: whether a program that is made as a server has anything that it serves."""

from __future__ import annotations

import re
from collections.abc import Collection

from stoker.sidecar.project import Project

_MADE = re.compile(r"\bNestFactory\.create\s*(?:<[^>]*>)?\(")
_ANSWERS = re.compile(
    rb"@Controller\b|@WebSocketGateway\b|@Resolver\b|@Update\(|GraphQLModule|ServeStaticModule|"
    rb"BullBoardModule|createBullBoard|TelegrafModule|NecordModule|\bapp\.use\(\s*[\"'`]/|"
    rb"""\.(?:get|post|all)\(\s*["'`]/|\bbot\s*\.(?:launch|start)|\bclient\.login\("""
)
"""Controllers, gateways, pages, a bot: without any it may listen, and has nothing to say."""
_LISTENS = re.compile(
    rb"\.listen\s*\(|[hH]andler\b|\.getInstance\(|\.getHttp(?:Adapter|Server)\(|express\(|"
    rb"\bbot\s*\.(?:launch|start)|\bclient\.login\(|TelegrafModule|NecordModule"
)
"""How it is asked: on a port, by a platform that it gives its server to, or as a bot."""


def makes_app(text: str) -> bool:
    """Tell if a program makes an application that can serve, and not a context alone."""
    return _MADE.search(text) is not None


def is_asked(project: Project, paths: Collection[str]) -> bool:
    """Tell if a program of these files can be asked for something, and has an answer."""
    return all(any(project.telling(paths, each)) for each in (_LISTENS, _ANSWERS))
