"""Ruby: the workers that the web server runs inside of itself, and where it is told to."""

from __future__ import annotations

import itertools
import re

from stoker.sidecar.detect.source.ruby_conditions import counts, value
from stoker.sidecar.detect.source.ruby_config import Config
from stoker.sidecar.detection import Evidence

Inside = tuple[str, Evidence]
"""Why a worker runs inside of the web server, and the place that says so."""
Version = tuple[int, ...]

_SWITCHED_OFF = re.compile(
    r"""ENV(?:\.fetch)?[\[(]\s*["'](\w+)["'][^=!]*([=!]=)\s*["'](false|0|off)\b"""
)
_EXECUTION_MODE = re.compile(
    r"""execution_mode(?:\s*+=>?|:)\s*+(\(?ENV(?:\.fetch\([^,\n]+,\s*|\.fetch\([^)\n]+\)\s*\{\s*|"""
    r"""\[[^]\n]+\][^|\n]{0,20}\|\|\s*))?:?["']?(async\w*|inline|external)\b"""
)
"""How GoodJob runs jobs."""
_EITHER = re.compile(r"\(?Rails\.env\.(\w+)\?\s*+\?\s*+:(\w+)\s*+:\s*+:(\w+)")
"""One thing in an environment, and another in all others."""
_GOOD_JOB_FILES = (
    "config/initializers/good_job.rb", "config/environments/production.rb",
    "config/application.rb",
)  # fmt: skip
"""The last that Rails reads is the one that counts."""
_QUE_MODE = re.compile(r"\b[Qq]ue\.mode\s*=\s*([^\n]*?)(?=\s+(?:if|unless)\s|\s*$)", re.MULTILINE)
_SIDEKIQ_INSIDE = re.compile(r"^[^#\n]*(?:configure_embed|Sidekiq::CLI\.instance)", re.MULTILINE)
_SERVERS = r"(?:config/)?(?:unicorn|puma)(?:[._/-]\w+)*\.rb|config\.ru"
"""What the web server itself is configured in."""
_STARTS = re.compile(r"\b(?:spawn|system|exec|popen)\b.*")
"""Where another program is started: all of the line, which is then looked through once."""
_PROGRAMS = {
    "sidekiq": r"\bsidekiq\b(?!\.)",
    "good_job": r"\bgood_job start\b",
    "solid_queue": r"\bsolid_queue:start\b",
    "resque": r"\bresque(?:-pool\b|:work)",
    "delayed_job": r"\bjobs:work\b|\bdelayed_job (?:re)?start\b",
    "que": r"\bexec que\b|\bque:work\b",
    "faktory": r"\bfaktory-worker\b",
    "clockwork": r"\bclockwork\b",
}
"""What starts each one's worker, and the clock."""
_OTHER_ENVIRONMENT = re.compile(r"(^|/)environments/(?!production\.rb$)")
_QUE_WITH_A_COMMAND = (0, 11)
"""The first that has one, and no longer works inside of ``rails server`` unless it is told to."""
_QUE_WITHOUT_MODES = (1,)


def inside(config: Config, name: str, version: Version) -> Inside | None:
    """Return why a framework's worker runs inside of the web server, if it does."""
    beside = spawned(config, name)
    if beside is not None:
        return beside
    match name:
        case "good_job" if not config.has("bin/good_job"):
            return _good_job(config)
        case "solid_queue":
            return _solid_queue(config)
        case "sidekiq":
            return _sidekiq(config)
        case "que":
            return _que(config, version)
        case _:
            return None


def tells_good_job(config: Config) -> bool:
    """Tell if GoodJob is told how to run jobs."""
    return any(map(_execution_mode, itertools.repeat(config), _GOOD_JOB_FILES))


def _execution_mode(config: Config, name: str) -> tuple[re.Match[str], str] | None:
    """Return where a file tells GoodJob how to run in production, and all that it says."""
    text = _EITHER.sub(
        lambda either: f":{either[2] if either[1] == 'production' else either[3]}",
        config.text(name),
    )
    return _first(_EXECUTION_MODE, config, text)


def _first(sign: re.Pattern[str], config: Config, text: str) -> tuple[re.Match[str], str] | None:
    """Return the first place of a text that has a sign, and counts in production."""
    given = config.setting
    every = (at for at in sign.finditer(text) if counts(text, at.start(), at.end(), given))
    return next(((at, text) for at in every), None)


def que_has_command(version: Version) -> bool:
    """Tell if Que has a program of its own, and not a task of Rake's alone."""
    return not version or version >= _QUE_WITH_A_COMMAND


def spawned(config: Config, name: str) -> Inside | None:
    """Return where the web server's configuration starts a worker beside the server's own.

    It is how one dyno serves for both: ``before_fork`` of Unicorn spawns the worker.
    """
    program = re.compile(rf"""["'][^"'\n]{{0,200}}(?:{_PROGRAMS[name]})""")
    prefix = config.path("")
    for path in config.project.suffixed("rb", "ru"):
        if not path.startswith(prefix) or not re.fullmatch(_SERVERS, path.removeprefix(prefix)):
            continue
        text = config.said(path)
        at = next((at for at in _STARTS.finditer(text) if program.search(at[0])), None)
        if at and counts(text, at.start(), at.start(), config.setting):
            line = text.count("\n", 0, at.start()) + 1
            return "the web server spawns it", Evidence(path, line, at[0])
    return None


def _sidekiq(config: Config) -> Inside | None:
    for path in config.below("config", "lib/puma"):  # Puma's plug-ins, too
        if _first(_SIDEKIQ_INSIDE, config, config.project.text(path)):
            return "Sidekiq is embedded in the web server", Evidence(path, 0, "configure_embed")
    return None


def _solid_queue(config: Config) -> Inside | None:
    """Return where Puma is told to run Solid Queue, if it does so in production."""
    for name in ("config/puma.rb", "config/puma/production.rb"):
        text = config.text(name)
        at = re.search(r"^([ \t]*)plugin\s*\(?\s*:solid_queue\b(.*)", text, re.MULTILINE)
        if at is None:
            continue
        around = re.findall(r"^(?:if|unless)\b.*", text[: at.start()], re.M) if at[1] else []
        condition = " ".join((at[2], *around[-1:]))
        line = text.count("\n", 0, at.start()) + 1
        evidence = Evidence(config.path(name), line, at[0].strip())
        off = _SWITCHED_OFF.search(condition)
        if off and (off[2] == "==") == ("unless" in condition):
            if config.given(off[1])[0] != off[3]:
                return f"Puma's plug-in runs it unless {off[1]} is {off[3]}", evidence
            continue
        if "ENV" not in condition and "Rails.env" not in condition:
            return "Puma's plug-in runs it", evidence
        variable = _set_variable(config, condition)
        if variable and "unless" not in condition:
            return f"{variable} is set", evidence
        if variable:
            continue
        if "ENV" in condition and _has_only_web(config):
            return "no other process is there for it", evidence
        if re.search(r"\bif\b.*production|\bunless\b(?!.*production)", condition):
            return "Puma's plug-in runs it in production", evidence
    return None


def _has_only_web(config: Config) -> bool:
    """Tell if what is deployed has no process for jobs, nor the program that Rails makes for it.

    A Procfile names all processes; ``bin/jobs`` is what one would start.
    """
    deployed = config.says("Procfile") and not re.search(r"job|queue|work", config.text("Procfile"))
    return deployed and not config.has("bin/jobs")


def _set_variable(config: Config, condition: str) -> str:
    """Return the variable that a condition asks for, if the deployment sets it."""
    for name, default in re.findall(
        r"""ENV(?:\.fetch)?[\[(]\s*["'](\w+)["'](?:\s*,\s*["']?(\w+))?""", condition
    ):
        if not re.fullmatch(r"(RAILS|RACK|APP)_ENV", name) and (
            default in ("true", "1") or config.given(name)[0] in ("true", "1", "yes", "on")
        ):
            return name
    return ""


def _good_job(config: Config) -> Inside | None:
    given, path = config.given("GOOD_JOB_EXECUTION_MODE")
    for name in _GOOD_JOB_FILES:
        at, text = _execution_mode(config, name) or (None, "")
        mode = given if at and at[1] and given else at[2] if at else ""
        if at and mode.startswith("async"):
            line = text.count("\n", 0, at.start()) + 1
            return f"execution_mode is :{mode}", Evidence(config.path(name), line, at[0])
        if at:
            return None
    if given.startswith("async"):
        return f"GOOD_JOB_EXECUTION_MODE is {given}", Evidence(path, 0)
    return None


def _que(config: Config, version: Version) -> Inside | None:
    """Return where Que is told to work in the web server; before its command it did unasked."""
    if version >= _QUE_WITHOUT_MODES:
        return None
    prefix = config.path("")
    servers = (path for path in config.project.suffixed("rb", "ru")
               if re.fullmatch(_SERVERS, path.removeprefix(prefix)))  # fmt: skip
    for path in dict.fromkeys([*config.below("config"), *servers]):
        text = "" if _OTHER_ENVIRONMENT.search(path) else config.said(path)
        at, _ = _first(_QUE_MODE, config, text) or (None, "")
        mode = value(at[1], config.setting) if at else ""
        if at and mode:
            evidence = Evidence(path, text.count("\n", 0, at.start()) + 1, at[0])
            return ("Que's mode is :async", evidence) if mode == "async" else None
    if version and not que_has_command(version) and config.has("config/application.rb"):
        number = ".".join(map(str, version))
        return f"Que {number} works inside of the server", Evidence(config.path("Gemfile"), 0)
    return None
