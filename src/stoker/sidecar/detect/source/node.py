"""Node: which program reaches a worker, and whether it also serves."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from stoker.sidecar.detect.expand import Start
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.source import (
    DEDICATED,
    WORKERISH,
    Inferred,
    Site,
    Sources,
    merged_concurrency,
    merged_queues,
    monorepos,
)
from stoker.sidecar.detect.source.node_adonis import ace_program, is_loaded, own_command
from stoker.sidecar.detect.source.node_built import compiled, is_built
from stoker.sidecar.detect.source.node_commands import argument_of, script_of
from stoker.sidecar.detect.source.node_effects import is_function
from stoker.sidecar.detect.source.node_files import NodeSource, tries
from stoker.sidecar.detection import Embedded

_NEST_START = re.compile(r"NestFactory\.create|NestFactory\.createApplicationContext|bootstrap\(")
_OF_NEST = re.compile(r"\s*(?:@|(?:return\s+)?Processor\()")
_TOOL = re.compile(
    r"(^|/)(scripts?|tools?|seed(er)?s?|prisma|utils?|bin|manual)/|"
    r"(^|[/_-])(seed|enqueue|add|test|migrate|reset|clear|clean|flush|trigger|publish)"
    r"([A-Z_.-][\w.]*)?\.[cm]?[jt]s$"
)


_FILLS = re.compile(
    r"(^|/)(seed|demo)([A-Z_.-][\w.-]*)?\.[cm]?[jt]s$|"
    r"((^|[/_.-])p|[a-z]P)roducers?\.[cm]?[jt]s$"
)
"""What fills queues, and may work a part off to show it: never a worker that is deployed."""
_PUT_AWAY = re.compile(
    r"(^|[/_.-])(old|backup|bak|copy|deprecated|unused|legacy)([_.-][\w.-]*)?\.[cm]?[jt]s$"
)
"""What was a program once, by its name."""
_PROCESSES = re.compile(r"process|handle|job", re.IGNORECASE)
"""How a file is called that is a function for jobs."""
_CLOSED = re.compile(
    r"createApplicationContext\b.*\bawait\s+(?:app|ctx|\w*[cC]ontext)\.close\(|"
    r"\bCommandFactory\.run\(", re.DOTALL,
)  # fmt: skip
_SIGNAL = re.compile(r"\bSIG[A-Z]+\b|process\.on(?:ce)?\(|enableShutdownHooks")


def node_program(source: NodeSource, start: Start, dir: str) -> Launch | None:
    """Return what a command of Node starts, if it is a worker."""
    of_ace = ace_program(source, start.step.words, dir)
    if of_ace is not None:
        return of_ace
    path = source.program(start.step.words, dir)
    if not path or _is_no_script(source, start.step.words, dir):
        return None
    sites = source.works(path)
    if not sites or _FILLS.search(path) or _is_done_at_once(source, path):
        return None
    if source.is_barrel(path) and source.is_library(_home(source, path)):
        return None  # a trial of what others are to import
    text = " ".join([path.removeprefix(f"{dir}/"), *(w for via in start.via for w in via)])
    beside = source.serves(path) or _is_script(source, path, sites)
    if beside and not start.for_work and not _is_dedicated(source, path, text):
        return None
    words = start.step.words
    asks = "process.argv" in source.project.text(path)
    app = f"{path} {argument_of(words)}".strip() if asks else path
    return Launch(
        _main(sites), "worker", words, app, merged_queues(sites), merged_concurrency(sites)
    )


def _is_no_script(source: NodeSource, words: Sequence[str], dir: str) -> bool:
    """Tell if ``node`` is to run a file of TypeScript among what is built, where none ever is."""
    name = script_of(words)
    built = words[0] == "node" and name.startswith(("dist/", "./dist/", "build/", "./build/"))
    path = posixpath.normpath(posixpath.join(dir, name))
    return built and name.endswith(".ts") and path not in source.project.files


def _is_done_at_once(source: NodeSource, path: str) -> bool:
    """Tell if a program closes its own context of Nest when it comes to its end: a command.

    nest-commander's do so by themselves.
    """
    text = source.project.text(path)
    closed = _CLOSED.search(text) is not None and _SIGNAL.search(text) is None
    return closed and DEDICATED.search(path.rpartition("/")[2]) is None


def _is_dedicated(source: NodeSource, path: str, called: str) -> bool:
    """Tell if a program is there for the workers, by its package's or its own name."""
    clearly = source.serves(path) and not source.has_app
    named = DEDICATED.search(called) or (not clearly and WORKERISH.search(called))
    return (bool(named) and not source.is_board(path)) or source.is_for_work(path)


def _is_script(source: NodeSource, path: str, sites: Sequence[Site]) -> bool:
    """Tell if a file is a tool of the app, which only imports what the app itself runs."""
    return _TOOL.search(path) is not None and all(site.path in source.of_app for site in sites)


def _main(sites: Sequence[Site]) -> str:
    names = [site.framework for site in sites]
    return max(dict.fromkeys(names), key=names.count)


def infer(source: NodeSource) -> Sources:
    """Return the programs that work, and the workers inside of programs that serve."""
    found = Sources()
    if not source.sites:
        return found
    for path in source.entries:
        sites = source.works(path)
        if not sites or source.is_barrel(path) or _is_no_program(source, path):
            continue
        if all(map(_OF_NEST.match, (site.text for site in sites))) and not _NEST_START.search(
            source.project.text(path)
        ):
            continue  # a module of Nest is started by none but Nest
        dir = _home(source, path)
        relative = path if dir == "." else path.removeprefix(f"{dir}/")
        if source.is_library(dir) or _is_other_command(source, relative, dir):
            continue
        evidence = tuple(site.evidence for site in sites[:3])
        if _is_made_by_app(source, path, sites):
            continue
        alone = (not _ROUTE.search(path) and _is_dedicated(source, path, relative)) or not (
            source.serves(path) or _is_part(path) or _is_script(source, path, sites)
        )
        if alone and not is_loaded(source, path):
            if _is_processor(source, path):
                continue
            words = _start_words(source, relative, dir)
            found.inferred.append(Inferred(
                _main(sites), "worker", words, dir, "node", evidence, path, merged_queues(sites),
                merged_concurrency(sites), 0.6,
            ))  # fmt: skip
        else:
            reason = "workers are made inside of the program that also serves"
            found.embedded.append(Embedded(_main(sites), dir, reason, evidence))
    working = {each.dir for each in found.embedded}
    found.inferred = [
        each for each in found.inferred if each.dir not in working or _is_called_one(source, each)
    ]
    if not found.inferred and not found.embedded:
        sites = [
            site for each in source.sites.values() for site in each
            if not source.is_library(_home(source, site.path)) and not _FILLS.search(site.path)
        ]  # fmt: skip
        if sites:
            reason = "workers are made, and no program of their own was found"
            evidence = tuple(site.evidence for site in sites[:3])
            dir = _home(source, sites[0].path)
            found.embedded.append(Embedded(_main(sites), dir, reason, evidence))
    return found


def _is_no_program(source: NodeSource, path: str) -> bool:
    """Tell if nobody deploys a file, by its name or by what it does at its end."""
    if _FILLS.search(path) or _PUT_AWAY.search(path) or tries(path):
        return True
    return _is_done_at_once(source, path)


def _is_processor(source: NodeSource, path: str) -> bool:
    """Tell if a file makes no worker, and is what one works by: a worker loads it by its name."""
    return (
        path not in source.sites
        and _PROCESSES.search(posixpath.basename(path)) is not None
        and is_function(source.project.text(path))
    )


def _is_made_by_app(source: NodeSource, path: str, sites: Sequence[Site]) -> bool:
    """Tell if all that a file would start is started by the app already, which imports it, too.

    What a module makes when it is loaded is made by whoever imports it. Then a file beside the
    app, which nothing starts, only listens to that.
    """
    return not source.serves(path) and all(
        not site.within and site.path != path and site.path in source.of_app for site in sites
    )


def _is_called_one(source: NodeSource, each: Inferred) -> bool:
    """Tell if a file is there for work by its name: else, beside an app that works, a trial."""
    return DEDICATED.search(each.app) is not None or source.is_for_work(each.app)


def _home(source: NodeSource, path: str) -> str:
    """Return the directory of the package that a file belongs to."""
    package = source.manifests.package_of(path, "node")
    return package.dir if package else "."


def _is_other_command(source: NodeSource, relative: str, dir: str) -> bool:
    """Tell if a file is a sub-command, of oclif's or ace's, that is not called after work.

    One of ace's own that makes a worker is there for it, whatever it is called.
    """
    path = posixpath.normpath(f"{dir}/{relative}")
    of_ace = path not in source.sites and bool(own_command(source, path))
    return (
        (of_ace or source.has_commands(dir))
        and "/commands/" in f"/{relative}"
        and DEDICATED.search(relative.rpartition("/")[2]) is None
    )


def _is_part(path: str) -> bool:
    """Tell if a file is started by a web framework: routes, pages, server hooks."""
    return (
        re.search(
            r"(^|/)(pages|app|routes|api|controllers|middleware|instrumentation|plugins|(hooks|entry)\.server)"
            r"(/|\.)",
            path,
        )
        is not None
    )


_ROUTE = re.compile(r"(^|/)(app/(.+/)?(route|page|layout)|pages/api/.+)\.[cm]?[jt]sx?$")
"""A file that Next calls for a path: its directory may be called after jobs, and runs none."""
_TYPED = re.compile(r"(?<![\w-])node\s(?:--?[\w=-]+\s+)*[\w./-]+\.[cm]?ts\b")


def _start_words(source: NodeSource, relative: str, dir: str) -> tuple[str, ...]:
    prefix = "" if dir == "." else f"{dir}/"
    command = own_command(source, f"{prefix}{relative}")
    if command:
        return ("node", "ace", command)
    script = re.fullmatch(r"scripts/([\w-]+)\.[jt]s", relative)
    if script and f"{prefix}redwood.toml" in source.project.files:
        return ("yarn", "rw", "exec", script[1])
    if relative.endswith((".js", ".mjs", ".cjs")):
        return ("node", relative)
    built = monorepos.built(source.project, relative, dir)
    if built:
        return ("node", built)
    scripts = source.manifests.scripts.get(f"{prefix}package.json", {})
    lines = " ".join(scripts.values())
    if is_built(source.project, dir, scripts):
        tsc = re.search(r"\btsc\b", lines)
        out, root = compiled(source.project, dir) if tsc else ("", None)
        if root is None:
            root = "" if "dist/src" in lines else "src/"
        built = re.sub(r"\.([cm]?)tsx?$", r".\1js", relative.removeprefix(root))
        return ("node", f"{out or 'dist'}/{built}")
    runner = "bun" if "bun " in lines else "ts-node" if "ts-node" in lines else "tsx"
    if "tsx" not in lines and _TYPED.search(lines):
        runner = "node"  # which leaves the types out itself
    return (runner, relative)
