"""Everything else that says how a process is started."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec

from stoker.sidecar.detect.manifests import Manifests, directory, find_line, table
from stoker.sidecar.detect.variables import ENTERS, put_in, put_in_recipes, without_venv
from stoker.sidecar.detect.written import (
    Written,
    interesting_among,
    is_interesting,
    joined_lines,
    may_interest,
)
from stoker.sidecar.project import Project


def scripts(project: Project, manifests: Manifests) -> Iterator[Written]:
    """Yield the scripts of package.json, and of pyproject's task runners."""
    for path, named in manifests.scripts.items():
        if project.is_aside(path):
            continue
        for name, line in named.items():
            number = find_line(project.text(path), '"scripts"', f'"{name}"')
            yield Written("script", path, number, (line,), directory(path), name=name)
    for path, data in manifests.tables.items():
        if path.endswith("pyproject.toml") and not project.is_aside(path):
            tool = table(data, "tool")
            groups = (("poe", "tasks"), ("taskipy", "tasks"), ("pdm", "scripts"),
                      ("hatch", "envs", "default", "scripts"), ("rye", "scripts"))  # fmt: skip
            for keys in groups:
                for name, value in table(tool, *keys).items():
                    line: Any = value if isinstance(value, str) else table(value).get("cmd")
                    if isinstance(line, str):
                        number = find_line(project.text(path), line)
                        yield Written("script", path, number, (line,), directory(path), name)


def makefiles(project: Project) -> Iterator[Written]:
    """Yield the recipe lines of Makefiles, Justfiles and Taskfiles."""
    for path in project.matching(r"makefile|gnumakefile|[\w.-]+\.mk|\.?justfile|taskfile\.ya?ml"):
        target = ""
        lines = () if project.is_aside(path) else joined_lines(project, path)
        for number, line in put_in_recipes(lines):
            head = re.match(r"([\w./-]+)\s*:(?!=)", line)
            if head:
                target = head[1]
            elif line[:1] in ("\t", " ") and is_interesting(line):
                text = re.sub(r"^\s*-?\s*(cmd:)?\s*[@+-]*\s*", "", line)
                yield Written("Makefile", path, number, (text,), directory(path), target)


def supervisors(project: Project) -> Iterator[Written]:
    """Yield supervisor programs, systemd units and pm2 apps."""
    for path in project.matching(r".*supervisor.*\.(conf|ini)|supervisord?|.*\.(service|ini|conf)"):
        sample = _SAMPLE.search(path) is not None
        if project.is_aside(path) and not sample:
            continue
        text = project.text(path)
        if "[program:" in text or "[Service]" in text or "[watcher:" in text:
            found = _ini(project, path, text)
            yield from _of_sample(project, found) if project.is_aside(path) else found
    for path in project.matching(r"(ecosystem|pm2|process)[\w.-]*\.(c?js|json|ya?ml)"):
        if not project.is_aside(path):
            yield from _pm2(project, path)


_SAMPLE = re.compile(r"(^|/)(samples?|examples?)/")
_PROGRAM = re.compile(r"(?<=\s)/[\w./-]+\.py\b")
"""A program of Python, as it is installed somewhere."""


def _of_sample(project: Project, every: Iterable[Written]) -> Iterator[Written]:
    """Yield what starts the project's own programs, as they lie in it.

    A sample may show how the project itself is set up, wherever it is installed.
    """
    for each in every:
        installed = _PROGRAM.search(each.lines[0])
        own = _own(project, installed[0]) if installed else ""
        if installed and own:
            line = each.lines[0].replace(installed[0], own)
            yield msgspec.structs.replace(each, lines=(line,))


def _own(project: Project, installed: str) -> str:
    """Return the file of the project that the end of a path names, if it is no sample, too."""
    parts = installed.split("/")
    tails = ("/".join(parts[at:]) for at in range(1, len(parts)))
    return next((t for t in tails if t in project.files and not project.is_aside(t)), "")


_INIT = re.compile(r"""^(?:export\s+)?(CELERY\w*)=["']?([^"'\n]*)""", re.MULTILINE)


def init_scripts(project: Project) -> Iterator[Written]:
    """Yield what Celery's scripts for init are told to start, as in ``/etc/default/celeryd``."""
    for path in project.matching(r"celery[\w-]*(\.(conf|default|env|sh))?"):
        if project.is_aside(path) or b"CELERY_APP=" not in project.data(path):
            continue
        text = project.text(path)
        told = dict(_INIT.findall(text))
        role, options = (
            ("beat", "CELERYBEAT_OPTS") if "beat" in path else ("worker", "CELERYD_OPTS")
        )
        if told["CELERY_APP"] and "$" not in told["CELERY_APP"]:
            line = f"celery -A {told['CELERY_APP']} {role} {told.get(options, '')}".strip()
            yield Written("supervisor", path, find_line(text, "CELERY_APP="), (line,))


def _ini(project: Project, path: str, text: str) -> Iterator[Written]:
    parser = configparser.RawConfigParser(strict=False, comment_prefixes=("#", ";"))
    try:
        parser.read_string(text)
    except configparser.Error as error:
        project.note(path, f"not readable as INI: {str(error).splitlines()[0]}", "correct it")
        return
    for section in parser.sections():
        for key in ("command", "execstart", "cmd"):
            line = parser.get(section, key, fallback="").replace("\n", " ").strip("-@ ")
            line = re.sub(r"%\(ENV_(\w+)\)s", r"${\1}", line)  # supervisor's way to write it
            line = _INSTALLED.sub("", without_venv(line))
            if line:
                name = section.partition(":")[2] or path.rpartition("/")[2].partition(".")[0]
                before = find_line(text.lower(), f"[{section.lower()}]", f"\n{key}")
                number = before + 1 if before else 0
                yield Written("supervisor", path, number, (line,), name=name)


_INSTALLED = re.compile(
    r"""(?<![^\s"'])(?:(?:\S{0,200}/)?python[0-9.]*\s+)?(?:/|\$\{)\S{0,200}/bin/"""
    r"(?=(?:celery|dramatiq|rq|rqworker|rqscheduler|huey_consumer(?:\.py)?|arq|saq|taskiq)(?:\s|$))"
)
"""Where a machine has a program that a package brings, and what runs it: an image has its own."""


def _pm2(project: Project, path: str) -> Iterator[Written]:
    text = project.text(path)
    for found in re.finditer(r"""["']?script["']?\s*:\s*["']([^"']+)["']""", text):
        block = text[max(0, text.rfind("{", 0, found.start())) : found.end() + 400]
        block = block[: block.find("}", block.find("script")) if "}" in block else None]
        arguments = re.search(r"""["']?args["']?\s*:\s*["']([^"']+)["']""", block)
        cwd = re.search(r"""["']?cwd["']?\s*:\s*["'`](?:\$\{\w+\})?\.?/?([^"'`]+)["'`]""", block)
        name = re.search(r"""["']?name["']?\s*:\s*["']([^"']+)["']""", block)
        words = found[1] if " " in found[1] or not found[1].endswith("s") else f"node {found[1]}"
        line = f"{words} {arguments[1] if arguments else ''}".strip()
        dir = cwd[1] if cwd and cwd[1] in project.dirs else directory(path)
        number = text.count("\n", 0, found.start()) + 1
        yield Written("supervisor", path, number, (line,), dir, name[1] if name else "")


def shells(project: Project, manifests: Manifests) -> Iterator[Written]:
    """Yield the lines of shell scripts, as they are run at the root of their package."""
    for path in shell_scripts(project):
        if project.is_aside(path):
            continue
        package = manifests.package_of(path)
        led: list[str] = []
        for number, line in put_in(joined_lines(project, path), directory(path)):
            if ENTERS.match(line):
                led.append(line.strip())
            elif is_interesting(line) and not line.lstrip().startswith(("#", "echo ")):
                text = " && ".join([*led, line.strip()])
                yield Written("shell", path, number, (text,), package.dir if package else ".")


_WINDOWS = re.compile(
    r"""\s*@?(?:start\s+(?:"[^"]*"\s+)?)?(?:/\w+\s+)*(?:cmd\s+/[kc]\s+)?(.*)$""", re.IGNORECASE
)
_REMARK = re.compile(r"\s*(rem\b|::|#|@?echo)", re.IGNORECASE)


def batch_files(project: Project, manifests: Manifests) -> Iterator[Written]:
    """Yield the lines of Windows' scripts: what they start is started elsewhere, too."""
    for path in project.suffixed("bat", "cmd", "ps1"):
        package = manifests.package_of(path)
        for number, line in () if project.is_aside(path) else joined_lines(project, path):
            found = _WINDOWS.match(line)
            if found and is_interesting(line) and not _REMARK.match(line):
                text = found[1].strip().strip('"')
                yield Written("docs", path, number, (text,), package.dir if package else ".")


_SCRIPT_DIRS = frozenset({
    "bin", "scripts", "script", "docker", "start", "entrypoints", "deploy", "compose", "celery",
    "worker", "celeryworker",
})  # fmt: skip


def is_shell_script(project: Project, path: str) -> bool:
    """Tell if a file says in its first line that a shell runs it."""
    return re.match(r"#!.*\b(ba|da|a|z)?sh\b", project.text(path)[:80]) is not None


def shell_scripts(project: Project) -> list[str]:
    """Return the shell scripts, those without a suffix too."""
    found = project.suffixed("sh", "bash")
    for path in project.ordered:
        dir, _, name = path.rpartition("/")
        if (
            "." not in name
            and dir.rpartition("/")[2] in _SCRIPT_DIRS
            and is_shell_script(project, path)
        ):
            found.append(path)
    return sorted(found, key=lambda path: (path.count("/"), path))


_ALONE = re.compile(
    r"\s*(?:(?:[-*]|\d+[.)])\s+)?("
    r"(?:(?:poetry|pipenv|uv|pdm)\s+run\s+|python3?\s+-m\s+)?"
    r"(?:celery\s.*\s?(?:-A|--app)[\s=].*|bundle exec (?:sidekiq|rake|good_job)\b.*|"
    r"arq\s+[\w.]+|dramatiq\s+[\w.:]+.*|rq\s+worker\b.*|taskiq\s+worker\s.*|huey_consumer(?:\.py)?\s+[\w.]+.*|"
    r"python3?\s+manage\.py\s+(?:rqworker|run_huey|rundramatiq|procrastinate)\b.*|"
    r"(?:node|tsx|ts-node|python3?)\s+[\w./-]*worker[\w./-]*\.\w+|"
    r"(?:npm|yarn|pnpm|bun)\s+(?:run\s+)?[\w:-]*worker[\w:-]*|go\s+run\s+[\w./-]*worker\S*))\s*"
)
"""A command that stands for itself on a line, without anything that says so."""
_PROSE = re.compile(r"\b(to|the|and|in|for|then|a|is|will|with|starts?|from|which|that)\b")
_INLINE = re.compile(r"`([^`\n]{4,200})`")
_DRAWN = re.compile(r"[\u2190-\u21ff\u2500-\u25ff]|--+>|<--|\+--+")
"""Part of a drawing: arrows, and the lines of boxes."""
_IN_DOCS = re.compile(r"(?:^|/)(?:docs?|documentation|guides?|wiki)(?:/.*)?$", re.IGNORECASE)
"""Where texts are about the project around."""
_PROGRAM_PATH = re.compile(r"(?:\./|(?:[\w.-]+/)*(?:bin|exe|scripts?)/)[\w./-]+")
"""One word that is run; another one with a slash is a place: a package, a file, a URL's path."""


def docs(project: Project) -> Iterator[Written]:
    """Yield the commands that READMEs and documentation show."""
    for path in [*project.suffixed("md", "rst", "mdx"), *project.named("readme", "readme.txt")]:
        name = path.rpartition("/")[2].lower()
        if (
            project.is_aside(path)
            or path.startswith(".")
            or path.count("/") > 3
            or "changelog" in name
            or "changes" in name
            or ("contributing" in name and "/" in path)
        ):
            continue
        if may_interest(project, path):
            yield from _told(project, path)


def _told(project: Project, path: str) -> Iterator[Written]:
    """Yield the commands of one text, each after the ``cd`` of its block that lead to it."""
    fenced = False
    around = _IN_DOCS.sub("", directory(path)) or "."
    led: list[str] = []
    cloned = ""
    lines = joined_lines(project, path)
    interesting = interesting_among(line for _, line in lines)
    last = max(interesting, default=-1)
    for at, (number, line) in enumerate(lines[: last + 1]):
        if line.lstrip().startswith(("```", "~~~")):
            fenced, led = not fenced, []
            continue
        if "git clone" in line:
            cloned = _cloned(line) or cloned
        telling = at in interesting
        if not telling and not (fenced and "cd" in line):
            continue
        shown = _shown(line, fenced=fenced or line.startswith(("    ", "\t")))
        texts = [text for text in shown if not _DRAWN.search(text)]
        if fenced and texts and (to := re.fullmatch(r"cd\s+([\w./-]+)/?", texts[0])):
            led += [texts[0]] if to[1] != cloned else []  # what is cloned is this project
        elif telling:
            for text in texts:
                yield Written("docs", path, number, (" && ".join([*led, text]),), around)


def _cloned(line: str) -> str:
    """Return the directory that ``git clone`` makes, if a line has one."""
    found = re.search(r"git clone\s+\S*?([\w.-]+?)(?:\.git)?(?:\s+([\w.-]+))?\s*$", line)
    return (found[2] or found[1]) if found else ""


def _shown(line: str, *, fenced: bool) -> list[str]:
    prompt = re.match(r"\s*(?:[$>%]|\([\w.-]+\)\s*[$>]?)\s+(.+)", line)
    if not fenced and line.startswith(">"):
        prompt = None  # a quotation
    if prompt or fenced:
        text = (prompt[1] if prompt else line).strip()
        return [without_venv(re.sub(r"\s+#.*$", "", text))]
    alone = _ALONE.fullmatch(line)
    if alone and not _PROSE.search(alone[1]):
        return [without_venv(alone[1])]
    every = _INLINE.findall(line)
    inline = [found for found in every if " " in found or _PROGRAM_PATH.fullmatch(found)]
    return [found for found in inline if not re.fullmatch(r"[\w./-]+\.\w+", found)]  # a file


def words_of(value: Any) -> str:
    """Return a command given as words or as a line, as a line."""
    if isinstance(value, list):
        return shlex.join(str(word) for word in cast(list[Any], value))
    return value if isinstance(value, str) else ""


def devcontainers(project: Project) -> Iterator[Written]:
    """Yield what VS Code's launch configurations start."""
    for path in project.named("launch.json", "tasks.json"):
        if ".vscode/" not in f"{path}":
            continue
        try:
            data: Any = json.loads(re.sub(r"^\s*//.*$", "", project.text(path), flags=re.M))
        except (ValueError, RecursionError):
            continue  # JSON with comments: nobody's mistake
        for entry in cast(list[Any], table(data).get("configurations") or []):
            given = table(entry)
            module, arguments = given.get("module"), given.get("args")
            if isinstance(module, str):
                line = f"{module} {words_of(arguments)}"
                yield Written("docs", path, find_line(project.text(path), module), (line,))
