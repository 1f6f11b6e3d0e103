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


class Asking:
    """Which files listen, and which have an answer. Programs share most of theirs."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[tuple[re.Pattern[bytes], str], bool] = {}

    def is_asked(self, paths: Collection[str]) -> bool:
        """Tell if a program of these files can be asked for something, and has an answer."""
        return all(any(self._has(each, path) for path in paths) for each in (_LISTENS, _ANSWERS))

    def _has(self, pattern: re.Pattern[bytes], path: str) -> bool:
        known = self._known.get((pattern, path))
        if known is None:
            known = pattern.search(self._project.data(path)) is not None
            self._known[pattern, path] = known
        return known
