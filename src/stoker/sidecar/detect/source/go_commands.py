"""The sub-commands of Go's programs: of cobra, urfave/cli, kong, or asked of ``os.Args``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from stoker.sidecar.detect.manifests import directory
from stoker.sidecar.detect.source import WORKERISH
from stoker.sidecar.detect.source.go_lists import Listing, closing, listings
from stoker.sidecar.detect.source.go_packages import GoSource, Program
from stoker.sidecar.detect.spotting import spotting

Words = tuple[str, ...]
_ASKING = spotting("cobra", "cli.Command", "os.Args", "flag.", "kingpin", "kong")
_FIELD = re.compile(r"^\s*(\w+)\s+\*?(?:\w+\.)?(\w+)\s+`([^`\n]*\bcmd:[^`\n]*)`", re.MULTILINE)
"""A field of kong's: ``Worker WorkerCmd `cmd:"" help:"…"` ``."""
_ADDED = re.compile(r"(\w+)\.AddCommand\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_CHILD = re.compile(r"(?:\b(\w+)\.)?\b(\w+)")
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
_DOES = re.compile(r"\b(?:Run|RunE|Action)\s*:")
_STARTS = re.compile(r"(?:start|run|serve|work|listen|launch|process|consume)\b")
"""What one sub-command below another that is about work is called, if it starts that."""
_USUAL = frozenset({"New", "Run", "Start", "Init", "Execute", "main", "init", "Serve", "Setup"})
"""What functions of many packages are called."""
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
    at: int = -1
    """Where in the file the literal begins that it is."""
    end: int = -1
    code: str = ""
    """That literal, without the lists of others in it."""
    owner: int = -1
    """Where the command begins in whose list this one is written."""
    is_listed: bool = False
    """It is written in such a list, or has one that only a sub-command has."""
    does: bool = True
    """It does something itself, and is not only there for others below it."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return what it may be added by."""
        package = directory(self.path).rpartition("/")[2]
        usual = f"{package}.{self.function}" if self.function in _USUAL else ""
        return tuple(filter(None, (self.variable, self.function, usual)))


class Added(msgspec.Struct, frozen=True):
    """Where a command is added to another one."""

    path: str
    to: str
    """The variable of the other."""
    at: int = -1
    """Where the other begins, if it is known."""


class Declared(msgspec.Struct):
    """What one file has of them."""

    commands: list[Command] = msgspec.field(default_factory=list[Command])
    parents: dict[str, Added] = msgspec.field(default_factory=dict[str, Added])
    """By what each is added."""
    listed: dict[str, Added] = msgspec.field(default_factory=dict[str, Added])
    """By what each stands in another one's list, as urfave/cli has them."""
    has_fields: bool = False


class Commands:
    """The sub-commands of all programs, each program's found out once."""

    def __init__(self, source: GoSource) -> None:
        self.source = source
        self._of: dict[str, list[Words]] = {}
        self._schedulers: dict[str, list[Words]] = {}
        self._files: dict[str, Declared] = {}
        self._literals: dict[tuple[str, str], bool] = {}

    def of(self, program: Program) -> list[Words]:
        """Return the words of those sub-commands of a program that start a worker."""
        if program.target not in self._of:
            self._of[program.target] = list(self._found(program))
        return self._of[program.target]

    def scheduling(self, program: Program) -> list[Words]:
        """Return the words of those that only add jobs, again and again."""
        if program.target not in self._schedulers:
            known = self.of(program)
            self._schedulers[program.target] = [
                words
                for command, path in (self._leaves(program) if self._schedules else ())
                for words in [tuple(each.name for each in path)]
                if words not in known and self._makes(command, "scheduler")
                and not self._makes(command, "worker")
            ]  # fmt: skip
        return self._schedulers[program.target]

    def _found(self, program: Program) -> Iterator[Words]:
        leaves = self._leaves(program)
        named = [(each, path) for each, path in leaves
                 if _starts_worker(each) and self._comes_to_work(each)]  # fmt: skip
        below = [(each, path) for each, path in leaves
                 if len(path) > 1 and self._starts_below(each, path[:-1])]  # fmt: skip
        working = [(each, path) for each, path in leaves if self._only_works(each.path)]
        for command, path in [*named, *below] or working:
            words = tuple(each.name for each in path)
            yield from (words, *((*words[:-1], alias) for alias in command.aliases))

    def _leaves(self, program: Program) -> list[tuple[Command, tuple[Command, ...]]]:
        """Return the sub-commands that do something, each after those that it is below of."""
        found: list[Command] = []
        parents: dict[str, Added] = {}
        listed: dict[str, Added] = {}
        for path in self.source.files(program):
            declared = self._declared(path)
            found += declared.commands
            parents |= declared.parents
            listed |= declared.listed
            if declared.has_fields:
                found += self._of_fields(program, path, self.source.project.text(path))
        every = tuple(found)
        if parents:
            found = [each for each in found if not each.names or each.is_listed
                     or _added(each, parents | listed)]  # fmt: skip
        parents = listed | parents
        paths = [(each, _path_of(each, every, parents)) for each in found]
        groups = [above for _, path in paths for above in path[:-1] if not above.does]
        return [(each, path) for each, path in paths if each not in groups]

    def _starts_below(self, command: Command, above: Sequence[Command]) -> bool:
        """Tell if a command that is called anything starts what one above it is called after."""
        if WORKERISH.search(command.name) or not any(WORKERISH.search(e.name) for e in above):
            return False  # the first is asked by its own name
        if self._makes(command):
            return True
        reached = self.source.imports.reached(command.path)
        return _STARTS.match(command.name) is not None and not reached.isdisjoint(self.source.sites)

    def _makes(self, command: Command, role: str = "") -> bool:
        """Tell if a command makes a worker itself, or calls a function that does.

        With ``role``, only what has that: ``scheduler``.
        """
        code = f"{command.code}\n{self._called_by(command)}"
        near, imported = directory(command.path), self.source.imports.of(command.path)
        for dir, name in self._making[role]:
            if dir == near and name != command.function and re.search(rf"\b{name}\b", code):
                return True
            package = re.escape(dir.rpartition("/")[2]) if name in _USUAL else r"\w+"
            if dir in imported and re.search(rf"\b{package}\.{name}\b", code):
                return True
        sites = self.source.sites.get(command.path, ())
        own = (site.text.strip() for site in sites if role in ("", site.role))
        return any(text in code for text in own if text)

    def _called_by(self, command: Command) -> str:
        """Return the functions of a command's own file that it calls."""
        text = self.source.project.text(command.path)
        wanted = set(re.findall(r"\w+", command.code)) - {command.function}
        found = [at for at in _FUNCTION.finditer(text) if at[1] in wanted]
        return "\n".join(text[at.start() : closing(text, at.end())] for at in found)

    @cached_property
    def _schedules(self) -> bool:
        return any(e.role == "scheduler" for sites in self.source.sites.values() for e in sites)

    @cached_property
    def _making(self) -> dict[str, frozenset[tuple[str, str]]]:
        """By role, the functions that make workers, each with the directory of its package."""
        found: dict[str, set[tuple[str, str]]] = {"": set(), "worker": set(), "scheduler": set()}
        for path, sites in self.source.sites.items():
            lines = self.source.project.lines(path)
            for site in sites:
                names = _FUNCTION.findall("\n".join(lines[: site.line]))
                made = {(directory(path), name) for name in names[-1:]}
                found[""] |= made
                found.setdefault(site.role, set()).update(made)
        return {role: frozenset(made) for role, made in found.items()}

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
                lists = listings(text)
                declared.commands += _nested(list(_commands(path, text, lists)), lists)
                for each in lists:
                    added = Added(path, "", _around(each.start, declared.commands))
                    declared.listed |= dict.fromkeys(each.names, added)
                for parent, children in _ADDED.findall(text):
                    added = Added(path, parent)
                    declared.parents |= dict.fromkeys(_names_in(children, text), added)
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


def _names_in(children: str, text: str) -> Iterator[str]:
    """Yield what commands are added by; a function of a usual name with its package's."""
    for package, name in _CHILD.findall(children):
        known = package and name in _USUAL and f'/{package}"' in text
        yield f"{package}.{name}" if known else name


def _starts_worker(command: Command) -> bool:
    if not WORKERISH.search(command.name):
        return False
    return _WORKS.search(command.body) is not None or "work" in command.name


def _commands(path: str, text: str, lists: Sequence[Listing]) -> Iterator[Command]:
    for found in _DECLARED.finditer(text):
        at = text.rfind("{", found.start(), found.start(2))
        if re.search(r"\bApp\s*$", text[max(at - 20, 0) : at]):
            continue  # the program itself
        before = _FUNCTION.findall(text[: found.start()])
        function = before[-1] if before else ""
        body = text[found.start() : found.start() + 3_000]
        given = _ALIASES.match(text, found.end())
        aliases = tuple(re.findall(r'"([\w:-]+)"', given[1])) if given else ()
        end = closing(text, at)
        code = _without(text, at, end, lists)
        yield Command(found[2], path, found[1] or "", body, function, aliases, at, end, code,
                      does=_DOES.search(code) is not None)  # fmt: skip
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


def _without(text: str, start: int, end: int, lists: Sequence[Listing]) -> str:
    """Return a part of a text without the lists of commands in it."""
    for each in lists:
        if start < each.start and each.end <= end:
            return text[start : each.start] + _without(text, each.end, end, lists)
    return text[start:end]


def _nested(commands: Sequence[Command], lists: Sequence[Listing]) -> Iterator[Command]:
    """Yield the commands of a file, each with the one in whose list it is written."""
    subs = {_around(each.start, commands) for each in lists if each.of_sub}
    for command in commands:
        inside = [each for each in lists if each.start <= command.at < each.end]
        owner = _around(inside[-1].start, commands) if inside else -1
        listed = bool(inside) or (command.at >= 0 and command.at in subs)
        yield msgspec.structs.replace(command, owner=owner, is_listed=listed)


def _around(at: int, commands: Sequence[Command]) -> int:
    """Return where the innermost command begins that a place lies in; -1 if there is none."""
    return max((each.at for each in commands if each.at <= at < each.end), default=-1)


def _path_of(
    command: Command, every: Sequence[Command], parents: dict[str, Added]
) -> tuple[Command, ...]:
    """Return a command after those that it is below of, without the program's own."""
    path = [command]
    while (parent := _parent(path[0], every, parents)) is not None and parent not in path:
        if _added(parent, parents) is None and not parent.is_listed:
            break  # the program's own
        path.insert(0, parent)
    return tuple(path)


def _parent(
    command: Command, every: Sequence[Command], parents: dict[str, Added]
) -> Command | None:
    """Return the command that one is added to: of the same file, if that has one of the name."""
    inside = Added(command.path, "", command.owner) if command.owner >= 0 else None
    added = inside or _added(command, parents)
    if added is not None and not added.to:
        place = (added.path, max(added.at, 0))
        return next((each for each in every if (each.path, each.at) == place), None)
    held = [each for each in every if added is not None and added.to in each.names]
    return next((each for each in held if added and each.path == added.path), (held or [None])[0])


def _added(command: Command, parents: dict[str, Added]) -> Added | None:
    return next((parents[name] for name in command.names if name in parents), None)
