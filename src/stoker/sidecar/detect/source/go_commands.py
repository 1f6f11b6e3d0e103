"""The sub-commands of Go's programs: of cobra, urfave/cli, kong, or asked of ``os.Args``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from stoker.sidecar.detect.source import WORKERISH
from stoker.sidecar.detect.source.go_packages import GoSource, Program
from stoker.sidecar.detect.spotting import spotting

Words = tuple[str, ...]
_ASKING = spotting("cobra", "cli.Command", "os.Args", "flag.", "kingpin", "kong")
_FIELD = re.compile(r"^\s*(\w+)\s+\*?(?:\w+\.)?(\w+)\s+`([^`\n]*\bcmd:[^`\n]*)`", re.MULTILINE)
"""A field of kong's: ``Worker WorkerCmd `cmd:"" help:"…"` ``."""
_ADDED = re.compile(r"(\w+)\.AddCommand\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_DECLARED = re.compile(
    r"(?:\b(\w+)\s*:?=\s*)?(?:&?(?:cobra|cli)\.Command\s*\{|\{)\s*\n?(?:[^{}]*?\n)?"
    r'\s*(?:Use|Name)\s*:\s*"([\w:-]+)[^"\n]*",'
)
_ALIASES = re.compile(r"\s*Aliases\s*:\s*\[\]string\s*\{([^{}\n]*)\}")
_CASE = re.compile(r'case\s+((?:"[\w:-]+",?\s*)+):')
_FLAG = re.compile(r'\b(\w+)\s*:?=\s*flag\.String\(\s*"([\w-]+)"')
_FUNCTION = re.compile(r"func\s+(?:\([^)]*\)\s*)?(\w+)\(")
_WORKS = re.compile(
    r"[Ww]orker|asynq|river|faktory|[Cc]onsum|[Pp]rocess|NewServer|NewManager|[Jj]ob|[Qq]ueue"
)
_NOUN = re.compile(r"(queue|job|task)s?")
"""What a sub-command may as well only show: ``review queue``, ``jobs``."""


class Command(msgspec.Struct, frozen=True):
    """One sub-command."""

    name: str
    path: str
    variable: str
    """What holds it, by which another one adds it."""
    body: str
    function: str = ""
    """What makes it, and may be called where it is added: ``root.AddCommand(workerCommand())``."""
    aliases: Words = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return what it may be added by."""
        return tuple(filter(None, (self.variable, self.function)))


class Added(msgspec.Struct, frozen=True):
    """Where a command is added to another one."""

    path: str
    to: str
    """The variable of the other."""


class Declared(msgspec.Struct):
    """What one file has of them."""

    commands: list[Command] = msgspec.field(default_factory=list[Command])
    parents: dict[str, Added] = msgspec.field(default_factory=dict[str, Added])
    """By what each is added."""
    has_fields: bool = False


class Commands:
    """The sub-commands of all programs, each program's found out once."""

    def __init__(self, source: GoSource) -> None:
        self.source = source
        self._of: dict[str, list[Words]] = {}
        self._files: dict[str, Declared] = {}
        self._literals: dict[tuple[str, str], bool] = {}

    def of(self, program: Program) -> list[Words]:
        """Return the words of those sub-commands of a program that start a worker."""
        if program.target not in self._of:
            self._of[program.target] = list(self._found(program))
        return self._of[program.target]

    def _found(self, program: Program) -> Iterator[Words]:
        found: list[Command] = []
        parents: dict[str, Added] = {}
        for path in self.source.files(program):
            declared = self._declared(path)
            found += declared.commands
            parents |= declared.parents
            if declared.has_fields:
                found += self._of_fields(program, path, self.source.project.text(path))
        every = tuple(found)
        if parents:
            found = [each for each in found if not each.names or _added(each, parents)]
        named = [each for each in found if _starts_worker(each) and self._comes_to_work(each)]
        for command in named or [each for each in found if self._only_works(each.path)]:
            words = _words_of(command, every, parents)
            yield from (words, *((*words[:-1], alias) for alias in command.aliases))

    def names(self, program: Program) -> frozenset[str]:
        """Return what all sub-commands of a program are called."""
        paths = self.source.files(program)
        return frozenset(each.name for path in paths for each in self._declared(path).commands)

    def _declared(self, path: str) -> Declared:
        """Return what a file declares, found out once for all programs that are made of it."""
        if path not in self._files:
            text = self.source.project.text(path)
            self._files[path] = declared = Declared(has_fields="cmd:" in text)
            if _ASKING.search(text):
                declared.commands += _commands(path, text)
                for parent, children in _ADDED.findall(text):
                    added = Added(path, parent)
                    declared.parents |= dict.fromkeys(re.findall(r"\w+", children), added)
        return self._files[path]

    def _comes_to_work(self, command: Command) -> bool:
        """Tell if a command's file imports where workers are made, if its name proves nothing."""
        if _NOUN.fullmatch(command.name) is None:
            return True
        return not self.source.imports.reached(command.path).isdisjoint(self.source.sites)

    def _only_works(self, path: str) -> bool:
        return path in self.source.sites and not self.source.is_serving(path)

    def _of_fields(self, program: Program, path: str, text: str) -> Iterator[Command]:
        """Yield the sub-commands that kong makes of fields, each with what its type runs."""
        for field, type_, tags in _FIELD.findall(text):
            given = re.search(r'\bname:"([\w-]+)"', tags)
            name = given[1] if given else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", field).lower()
            run = re.compile(rf"func \(\w* ?\*?{type_}\) Run\(")
            for each in self.source.files(program):
                body = self.source.project.text(each)
                at = run.search(body)
                if at:
                    yield Command(name, each, "", body[at.start() : at.start() + 3_000])
                    break

    def knows(self, program: Program, word: str) -> bool:
        """Tell if a program could take a word for a sub-command: its source has it somewhere."""
        return any(self._has(path, word) for path in self.source.files(program))

    def _has(self, path: str, word: str) -> bool:
        if (path, word) not in self._literals:
            literal = re.compile(rf'["\'`]{re.escape(word)}\b|\bcmd:"')
            found = literal.search(self.source.project.text(path)) is not None
            self._literals[path, word] = found
        return self._literals[path, word]


def _starts_worker(command: Command) -> bool:
    if not WORKERISH.search(command.name):
        return False
    return _WORKS.search(command.body) is not None or "work" in command.name


def _commands(path: str, text: str) -> Iterator[Command]:
    for found in _DECLARED.finditer(text):
        before = _FUNCTION.findall(text[: found.start()])
        function = before[-1] if before else ""
        body = text[found.start() : found.start() + 3_000]
        given = _ALIASES.match(text, found.end())
        aliases = tuple(re.findall(r'"([\w:-]+)"', given[1])) if given else ()
        yield Command(found[2], path, found[1] or "", body, function, aliases)
    if "os.Args" in text or "flag.Arg" in text:
        yield from _cases(path, text)
    for found in _FLAG.finditer(text):
        for switch in re.finditer(rf"switch\s+\*?{found[1]}\s*\{{", text):
            after = text[switch.end() : switch.end() + 3_000]
            for case in _cases(path, after):
                yield msgspec.structs.replace(case, name=f"-{found[2]}={case.name}")
        for case in re.finditer(rf'\*{found[1]}\s*==\s*"([\w-]+)"', text):
            body = text[case.end() : case.end() + 400]
            yield Command(f"-{found[2]}={case[1]}", path, "", body)


def _cases(path: str, text: str) -> Iterator[Command]:
    for found in _CASE.finditer(text):
        name = re.findall(r'"([\w:-]+)"', found[1])[0]
        body = text[found.end() : found.end() + 400].partition("case ")[0]
        yield Command(name, path, "", body)


def _words_of(command: Command, every: Sequence[Command], parents: dict[str, Added]) -> Words:
    words = [command.name]
    seen = [command]
    while (parent := _parent(seen[-1], every, parents)) is not None and parent not in seen:
        if _added(parent, parents) is None:
            break  # the program's own
        seen.append(parent)
        words.insert(0, parent.name)
    return tuple(words)


def _parent(
    command: Command, every: Sequence[Command], parents: dict[str, Added]
) -> Command | None:
    """Return the command that one is added to: of the same file, if that has one of the name."""
    added = _added(command, parents)
    held = [each for each in every if added is not None and added.to in each.names]
    return next((each for each in held if added and each.path == added.path), (held or [None])[0])


def _added(command: Command, parents: dict[str, Added]) -> Added | None:
    return next((parents[name] for name in command.names if name in parents), None)
