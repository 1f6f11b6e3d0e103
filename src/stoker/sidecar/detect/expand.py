"""From a written line to what it starts in the end: through npm scripts, make, shell files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

import msgspec

from stoker.sidecar.detect.manifests import Manifests, directory
from stoker.sidecar.detect.shell import ROOT, Step, steps
from stoker.sidecar.detect.unwrapping import unwrap
from stoker.sidecar.detect.variables import ENTERS, put_in, put_in_recipes
from stoker.sidecar.detect.written import joined_lines
from stoker.sidecar.detect.written.compose import normal
from stoker.sidecar.detect.written.others import is_shell_script, shell_scripts
from stoker.sidecar.project import Project

Words = tuple[str, ...]
DEEPEST = 6
_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun"})
_OWN = frozenset({"install", "ci", "add", "exec", "dlx", "build", "init", "workspaces", "i", "x"})


_AMONG_PROGRAMS = re.compile(
    r"^(?:COPY|ADD)\s+(?:--(?!from)\S+\s+)*((?!--)\S[^\n]*?)\s+"
    r"/(?:usr/(?:local/)?)?s?bin(?:/([\w.-]*))?\s*$",
    re.MULTILINE,
)
"""A line of a Dockerfile that copies to where a shell looks for programs."""


class Start(msgspec.Struct, frozen=True):
    """A simple command, where it is run, and what led to it."""

    step: Step
    dir: str
    via: tuple[tuple[str, ...], ...] = ()
    """What it was written as, such as ``npm run worker``."""
    dockerfile: str = ""
    """Of the image that it is run in, if it is known."""
    arguments: dict[str, str] = {}
    """What that Dockerfile's ``ARG`` are given."""
    for_work: bool = False
    """It is called a worker where it is written down: other words do not have to say so."""
    pulled: bool = False
    """It is run in an image that is built elsewhere."""


class Expander:
    """Follows the commands of one project."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self.project, self.manifests = project, manifests
        self._shells = shell_scripts(project)
        self._followed: set[tuple[str, Words, str]] = set()
        """The shell files, and how each was called, on the way through one line."""
        self._copied: dict[str, list[tuple[str, str]]] = {}
        """What each Dockerfile puts among the programs of its image, and under which names."""
        self._scripts: dict[tuple[str, Words], tuple[list[str], dict[str, list[str]]]] = {}
        self._members = {
            str(data.get("name")): directory(path)
            for path, data in manifests.tables.items()
            if path.endswith("package.json") and isinstance(data.get("name"), str)
        }

    def starts(self, line: str, dir: str, dockerfile: str = "", depth: int = 0) -> Iterator[Start]:
        """Yield what a line starts when run in ``dir``; each shell file that it leads to once."""
        if depth == 0:
            self._followed.clear()
        for step in steps(line):
            for inner in unwrap(step):
                yield from self._follow(inner, self._enter(dir, inner.dir), dockerfile, depth)

    def _enter(self, dir: str, to: str) -> str:
        """Return where a ``cd`` leads; an image's ``/app/backend`` is looked for by its tail."""
        if to == ".":
            return dir
        parts = to.strip("/").split("/")
        for at in range(len(parts)):
            tail = "/".join(parts[at:])
            for base in (dir, "."):
                found = normal(base, tail)
                if found in self.project.dirs and ".." not in tail:
                    return found
        found = normal(dir, to)
        return found if found in self.project.dirs else dir

    def _follow(self, step: Step, dir: str, dockerfile: str, depth: int) -> Iterator[Start]:
        plain = Start(step, dir, dockerfile=dockerfile)
        words = list(step.words)
        if depth >= DEEPEST or not words:
            return
        inner: list[Start] = []
        if words[0] in _MANAGERS:
            inner = list(self._script(step, dir, depth))
        elif words[0] == "make" and len(words) > 1:
            inner = list(self._target(words[-1], dir, depth))
        else:
            path = self._shell_file(words[0], dir, dockerfile)
            if path:
                # Files that call each other are followed once, not along every way through them.
                call = (path, step.words[1:], dir)
                if call in self._followed:
                    return
                self._followed.add(call)
                inner = list(self._shell(path, step.words[1:], dir, dockerfile, depth))
        if not inner:
            yield plain
            return
        for each in inner:
            merged = msgspec.structs.replace(
                each.step,
                environment=step.environment | each.step.environment,
                dev=step.dev or each.step.dev,
            )
            yield Start(merged, each.dir, (step.words, *each.via), dockerfile)

    def _script(self, step: Step, dir: str, depth: int) -> Iterator[Start]:
        """Yield what ``npm run NAME`` starts, also in another package of the workspace."""
        words = list(step.words[1:])
        where = dir
        rest: list[str] = []
        while words:
            word = words.pop(0)
            name, _, value = word.partition("=")
            if name in ("-F", "--filter", "-w", "--workspace", "--prefix", "-C", "--cwd", "--dir"):
                value = value or (words.pop(0) if words else "")
                where = self._member(value, dir)
            elif word in ("workspace",) and words:
                where = self._member(words.pop(0), dir)
            elif word == "--":
                break
            elif rest and rest[-1] not in ("run", "run-script") and step.words[0] != "npm":
                words.insert(0, word)  # all but npm pass on what follows the script's name
                break
            elif not word.startswith("-"):
                rest.append(word)
        explicit = bool(rest) and rest[0] in ("run", "run-script")
        name = rest[1] if explicit and len(rest) > 1 else rest[0] if rest else ""
        if not name or (name in _OWN and not explicit):
            return
        path = "package.json" if where == "." else f"{where}/package.json"
        scripts = self.manifests.scripts.get(path, {})
        line = scripts.get(name)
        if line == "run-script-os":  # the script of this name and the system's
            named = (scripts.get(f"{name}:{each}") for each in ("linux", "nix", "default"))
            line = next(filter(None, named), None)
        if line is not None:
            tail = f" {' '.join(words)}" if words else ""
            yield from self.starts(line + tail, where, depth=depth + 1)

    def _member(self, name: str, dir: str) -> str:
        name = name.strip("{}.").removesuffix("...")
        if name in self._members:
            return self._members[name]
        found = normal(dir, name.removeprefix("./"))
        if found in self.project.dirs:
            return found
        close = [path for known, path in self._members.items() if known.endswith(f"/{name}")]
        return close[0] if close else dir

    def _target(self, name: str, dir: str, depth: int) -> Iterator[Start]:
        path = f"{dir}/Makefile".removeprefix("./")
        inside = False
        for _, line in put_in_recipes(joined_lines(self.project, path)):
            if re.match(rf"{re.escape(name)}\s*:(?!=)", line):
                inside = True
            elif inside and line.startswith("\t"):
                text = line.strip().lstrip("@-+")
                yield from self.starts(text, dir, depth=depth + 1)
            elif inside and line.strip() and not line.startswith("#"):
                return

    def _shell_file(self, word: str, dir: str, dockerfile: str) -> str:
        """Return the shell file that a word names, by its path, or by where an image has it."""
        if "$" in word:
            return ""
        if not ("/" in word or word.endswith((".sh", ".bash"))):
            return self._program_of_image(word, dir, dockerfile) if dockerfile else ""
        for base in (dir, "."):
            found = normal(base, word.lstrip("/"))
            if found in self._shells:
                return found
        name = posixpath.basename(word)
        if dockerfile:
            pattern = rf"^(?:COPY|ADD)\s+(?:--\S+\s+)*(\S+)\s+\S*{re.escape(word.lstrip('/'))}\s*$"
            copied = re.search(pattern, self.project.text(dockerfile), re.MULTILINE)
            if copied:
                for base in (dir, ".", directory(dockerfile)):
                    found = normal(base, copied[1])
                    if found in self.project.files:
                        return found
        close = [path for path in self._shells if posixpath.basename(path) == name]
        beside = directory(dockerfile) if dockerfile else dir
        close.sort(key=lambda path: directory(path) != beside)
        return close[0] if close and name != "bin" else ""

    def _program_of_image(self, name: str, dir: str, dockerfile: str) -> str:
        """Return the shell file that an image has among its programs, to be called by its name."""
        if dockerfile not in self._copied:
            copied = _AMONG_PROGRAMS.findall(self.project.text(dockerfile))
            self._copied[dockerfile] = [
                (each, to) for files, to in copied for each in files.split()
            ]
        for each, to in self._copied[dockerfile]:
            for base in (dir, ".", directory(dockerfile)):
                file = _copied_as(name, normal(base, each.lstrip("/")), to, self.project.dirs)
                if file in self.project.files and is_shell_script(self.project, file):
                    return file
        return ""

    def _shell(
        self, path: str, arguments: Words, dir: str, dockerfile: str, depth: int
    ) -> Iterator[Start]:
        lines, functions = self._script_of(path, arguments)
        chosen = _branch(lines, arguments[0]) if arguments else lines
        for line in chosen:
            text = line.strip()
            if not text or text.startswith(("#", "echo", "printf")):
                continue
            if entered := ENTERS.match(text):
                dir = self._enter(dir, entered[1].replace(ROOT, ""))
            for start in self.starts(text, dir, dockerfile, depth + 1):
                body = functions.get(start.step.words[0])
                if body is None:
                    yield start
                elif chosen is not lines:
                    for inner in body:
                        yield from self.starts(inner.strip(), dir, dockerfile, depth + 1)

    def _script_of(self, path: str, arguments: Words) -> tuple[list[str], dict[str, list[str]]]:
        """Return the lines of a shell file that is called so, and its functions."""
        call = (path, arguments)
        if call not in self._scripts:
            written = joined_lines(self.project, path)
            lines = [text for _, text in put_in(written, directory(path), arguments)]
            self._scripts[call] = (lines, _functions(lines))
        return self._scripts[call]


def _copied_as(name: str, file: str, to: str, dirs: Collection[str]) -> str:
    """Return which file an image has under a name, of those that are copied among its programs."""
    if to:
        return file if to == name else ""
    if file in dirs:
        return f"{file}/{name}"
    home, _, pattern = file.rpartition("/")
    return f"{home}/{name}".lstrip("/") if pattern in (name, "*") else ""


def _functions(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        head = re.match(r"(?:function\s+)?([\w-]+)\s*\(\)\s*\{?", line) or re.match(
            r"function\s+([\w-]+)\s*\{", line
        )
        if head:
            current = found.setdefault(head[1], [])
        elif line.startswith("}"):
            current = None
        elif current is not None:
            current.append(line)
    return found


def _branch(lines: list[str], argument: str) -> list[str]:
    """Return the lines that a script runs for its first argument; all if it does not ask for it."""
    if "$" in argument:
        return lines
    word = rf"(^|[\s|(\"'])-?-?{re.escape(argument.lstrip('-'))}($|[\s|)\"'\]*])"
    for at, line in enumerate(lines):
        case = re.match(r"\s*\(?([^()]*)\)(.*)$", line)
        if case and re.search(word, case[1]) and "$(" not in line:
            return [case[2], *_until(lines[at + 1 :], r"\s*;;|.*;;\s*$")]
        if re.search(r"^\s*(el)?if\b|\[\[? ", line) and re.search(
            rf"[=~]\s*[\"']?\^?{re.escape(argument)}\b", line
        ):
            return _until(lines[at + 1 :], r"\s*(elif|else|fi)\b")
    return lines


def _until(lines: list[str], end: str) -> list[str]:
    found: list[str] = []
    for line in lines:
        if re.match(end, line):
            found.append(line.replace(";;", "") if ";;" in line else "")
            break
        found.append(line)
    return found
