"""Ruby: the project's own programs, which a framework's worker is started in by hand."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from stoker.sidecar.detect.expand import Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.project import Project

_MAKERS = {
    "delayed_job": "Delayed::Worker.new", "resque": "Resque::Worker.new",
    "sidekiq": "Sidekiq::CLI", "solid_queue": "SolidQueue::Supervisor", "good_job": "GoodJob::CLI",
    "faktory": "Faktory::CLI",
}  # fmt: skip
_CONSTANT = re.compile(r"\b[A-Z]\w*[a-z]\w*\b")
_DEEPEST = 3


def ruby_program(project: Project, start: Start, dir: str) -> Launch | None:
    """Return what ``rails runner FILE`` or ``ruby FILE`` starts, if it makes a worker."""
    words = start.step.words
    name = posixpath.basename(words[0])
    at = 2 if name == "rails" and words[1:2] == ("runner",) else 1
    if name not in ("rails", "ruby") or len(words) <= at or not words[at].endswith(".rb"):
        return None
    path = posixpath.normpath(posixpath.join(dir, words[at]))
    for text in _texts(project, path):
        framework = next((each for each, maker in _MAKERS.items() if maker in text), None)
        if framework is not None:
            return Launch(framework, "worker", ("bundle", "exec", *words), path)
    return None


def _texts(project: Project, path: str) -> Iterator[str]:
    """Yield what a program is made of: itself, and the files that Rails loads by its constants."""
    seen, waiting = set[str](), [path]
    for _ in range(_DEEPEST):
        texts = [project.text(each) for each in waiting if each in project.files]
        yield from texts
        seen.update(waiting)
        names = {_file(name) for text in texts for name in _CONSTANT.findall(text)}
        waiting = [each for each in project.named(*sorted(names)) if each not in seen]


def _file(constant: str) -> str:
    """Return what the file of a constant is called: ``AgentRunner`` is in ``agent_runner.rb``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", constant).lower() + ".rb"
