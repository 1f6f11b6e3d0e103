"""A worker without a framework: somebody called it one, and it is a program."""

from __future__ import annotations

import posixpath
import re

import msgspec

from stoker.sidecar.detect.expand import Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.source.node_files import NodeSource
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.written import Written
from stoker.sidecar.detection import Language

_CUSTOM = re.compile(
    r"((start|run|bg|background|job)[-_:]?|(\w+[-_:.])+)?(workers?|consumers?|pollers?)\d*"
    r"([-_:](prod|start|run))?"
)
_OWN_WORKER = re.compile(r"(\w+_)?(worker|consumer|poller)s?")
_ABOUT_IT = re.compile(
    r"(^|[-_:.])(build|test|lint|check|verify|types?|compile|bundle|deploy|publish|generate|setup|"
    r"install|stop|kill|smoke|e2e|service|web|browser)[-_:.]"
)
"""What is done to a worker, and the workers of a browser: ``build:worker``, ``service-worker``."""
_RUNTIMES: dict[str, Language] = {
    "node": "node", "tsx": "node", "ts-node": "node", "bun": "node", "python": "python",
    "python3": "python", "ruby": "ruby",
}  # fmt: skip


class Custom:
    """Finds them among the programs of Node and Python, Go and Ruby."""

    def __init__(self, python: PythonSource, node: NodeSource) -> None:
        self.python, self.node = python, node

    def launch(
        self, written: Written, start: Start, dir: str
    ) -> tuple[Launch | None, Language | None]:
        """Return a worker without a framework, if there is anything of it to start."""
        launch, language = _custom(written, start)
        if launch is None or language != "node":
            return launch, language
        if not self.node.starts_something(start.step.words, dir):
            return None, None
        # What is built and what it is built from is one program.
        source = self.node.entry(start.step.words, dir)
        return msgspec.structs.replace(launch, app=source or launch.app), language

    def is_called_worker(self, written: Written, start: Start) -> bool:
        """Tell if a script or a text runs a module of the project that is called a worker."""
        if written.source not in ("shell", "docs"):
            return False
        words = [word for word in start.step.words if word != "-u"]
        if _RUNTIMES.get(words[0]) != "python" or words[1:2] != ["-m"] or len(words) < 3:
            return False
        called = _OWN_WORKER.fullmatch(words[2].rpartition(".")[2]) is not None
        return called and self.python.find(words[2], start.dir) is not None


def _custom(written: Written, start: Start) -> tuple[Launch | None, Language | None]:
    """Return a worker without a framework: somebody called it one, and it is a program."""
    words = start.step.words
    language = "go" if words[:2] == ("go", "run") else _RUNTIMES.get(words[0])
    if language is None or not _CUSTOM.fullmatch(written.name) or len(words) < 2:
        return None, None
    if _ABOUT_IT.search(written.name):
        return None, None
    if written.source not in ("compose", "Procfile", "script", "supervisor"):
        return None, None
    file = re.search(r"\.\w{1,3}$", words[-1]) is not None
    app = posixpath.normpath(posixpath.join(start.dir, words[-1])) if file else words[-1]
    return Launch("", "worker", words, app), language
