"""Ruby: the project's own programs, which a framework's worker is started in by hand."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator

import msgspec

from stoker.sidecar.detect.expand import Start
from stoker.sidecar.detect.grammar import Launch, recognise
from stoker.sidecar.detect.shell import steps
from stoker.sidecar.detect.source.ruby_config import Config
from stoker.sidecar.detect.unwrapping import unwrap
from stoker.sidecar.project import Project

_MAKERS = {
    "delayed_job": "Delayed::Worker.new", "resque": "Resque::Worker.new",
    "sidekiq": "Sidekiq::CLI", "solid_queue": "SolidQueue::Supervisor", "good_job": "GoodJob::CLI",
    "faktory": "Faktory::CLI",
}  # fmt: skip
_WORKS = re.compile(r"(?:\w+:)*(\w+):(work|workers?|consume|listen|poll)")
"""A task of a project's own that works, by its name."""
_CONSTANT = re.compile(r"\b[A-Z]\w*[a-z]\w*\b")
_DEEPEST = 3
_EXECUTED = re.compile(
    r"""^[^#\n]*?\b(?:exec|system|spawn)[ \t(]+"""
    r"""((?:["'][^"'\n]*["']\s*,?\s*|ENV(?:\.to_h)?\s*,\s*)+)""",
    re.MULTILINE,
)
"""A command that a script gives its process to, or runs: as one text, or as its words."""
_SERVED = re.compile(r"\b(?:rails s(?:erver)?|puma|unicorn|rackup|foreman|overmind|hivemind)\b")
"""With one of these beside it, a script starts the whole application."""
_RUBY = re.compile(r"#!.*\bruby\b")


def ruby_program(project: Project, start: Start, dir: str) -> Launch | None:
    """Return what ``rails runner FILE`` or ``ruby FILE`` starts, if it makes a worker.

    So does a task of Rake's that the project has itself and calls so: a worker of no framework.
    """
    words = start.step.words
    name = posixpath.basename(words[0])
    task = next(filter(None, map(_WORKS.fullmatch, words[1:])), None)
    if name in ("rake", "rails") and task and Config(project, dir).has_task(task[1], task[2]):
        bundled = words if "/" in words[0] else ("bundle", "exec", *words)
        return Launch("", "worker", bundled, task[0])
    if len(words) == 1 and "/" in words[0]:
        return executed(project, words, dir)
    at = 2 if name == "rails" and words[1:2] == ("runner",) else 1
    path = posixpath.normpath(posixpath.join(dir, *words[at : at + 1]))
    if name not in ("rails", "ruby") or path not in project.files:
        return None
    for text in _texts(project, path):
        framework = next((each for each, maker in _MAKERS.items() if maker in text), None)
        if framework is not None:
            return Launch(framework, "worker", ("bundle", "exec", *words), path)
    return executed(project, words[at:], dir, words)


def executed(
    project: Project, words: tuple[str, ...], dir: str, written: tuple[str, ...] = ()
) -> Launch | None:
    """Return what a script of Ruby comes to, which prepares something, and runs a worker by it."""
    text = project.text(posixpath.normpath(posixpath.join(dir, words[0])))
    if not (written or _RUBY.match(text)):
        return None
    every = list(_EXECUTED.finditer(text))
    if any(_SERVED.search(found[1]) for found in every):
        return None
    for found in reversed(every):
        texts = re.findall(r"""["']([^"'\n]*)["']""", found[1])
        line = texts[0] if len(texts) == 1 else shlex.join(texts)
        for step in (inner for each in steps(line) for inner in unwrap(each)):
            launch = recognise(step.words, step.environment)
            if launch is not None and launch.role == "worker":
                return msgspec.structs.replace(launch, words=written or words)
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
