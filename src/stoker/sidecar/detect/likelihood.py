"""Whether what is written down starts something of this project, and is not only talked about."""

from __future__ import annotations

import posixpath
import re
from functools import cached_property

from stoker.sidecar.detect.candidates import Words
from stoker.sidecar.detect.grammar import Launch
from stoker.sidecar.detect.manifests import Manifests
from stoker.sidecar.detect.source.node_commands import BUNDLER, script_of
from stoker.sidecar.detect.source.python_modules import PythonSource
from stoker.sidecar.detect.written import Written
from stoker.sidecar.detection import Language
from stoker.sidecar.frameworks import FRAMEWORKS, Framework
from stoker.sidecar.project import Project

_NEED_AN_APP = frozenset({"celery", "stoker", "huey_consumer", "huey_consumer.py"})
BY_MODULE = frozenset({"celery", "dramatiq", "arq", "saq", "taskiq", "huey", "stoker"})
_THREAD = re.compile(
    rb"\b(?:parentPort|isMainThread)\b|\bself\.onmessage\b|\bimportScripts\("
    rb"""|\baddEventListener\(\s*["'](?:fetch|message|install)["']"""
)
_BUILT = ("dist", "build", "lib", "out", "output", ".build", "target")
_MANAGE = re.compile(r"(^|/)manage\.py$")
TELLING = ("docs", "Makefile", "shell")
"""What may tell of a worker that was planned, or that is another project's."""
_SUFFIXES: dict[Language, tuple[str, ...]] = {
    "python": ("py", "ipynb"), "node": ("js", "ts", "mjs", "cjs", "tsx"), "ruby": ("rb", "ru"),
    "go": ("go",), "rust": ("rs",),
}  # fmt: skip


class Likelihood:
    """Asks what of the project there is for a command to start."""

    def __init__(self, project: Project, manifests: Manifests, python: PythonSource) -> None:
        self.project, self.manifests, self.python = project, manifests, python

    def is_likely(self, written: Written, launch: Launch, language: Language | None) -> bool:
        """Tell if the project has to do with a framework that is only talked about."""
        if written.name in ("web", "release") and launch.app and not launch.framework:
            return False
        if not launch.framework and self._is_no_process(launch.app):
            return False
        if not launch.framework and language == "python" and self._is_elsewhere(launch.words):
            return False
        if not launch.framework and self._is_gone(launch.words):
            return False
        if written.source == "docs" and not launch.app and launch.words[0] in _NEED_AN_APP:
            return False  # talk of the command, not the command
        if written.source == "docs" and self.is_lost(launch):
            return False  # what those are to start who use this package
        if self._is_of_others(written, launch, language):
            return False
        if self._is_only_told(written, launch, language):
            return False
        framework = FRAMEWORKS.get(launch.framework)
        if framework is not None and language == "ruby" and self._is_locked_out(framework):
            return False
        if framework is None or written.source in ("compose", "Procfile", "script"):
            return True
        languages = {package.language for package in self.manifests.packages}
        if language is not None and language not in languages:
            return written.source != "docs" or not languages
        names = [name for names in framework.packages.values() for name in names]
        return self.manifests.has(*names) is not None

    def is_lost(self, launch: Launch) -> bool:
        """Tell if a command names a module that the project has not, nor a directory for it."""
        first = re.split(r"[.:]", launch.app)[0]
        if launch.framework not in BY_MODULE or not re.fullmatch(r"\w+", first):
            return False
        return first not in self._names

    def _is_of_django(self, launch: Launch) -> bool:
        """Tell if a command is one of an app of Django, and the project is none."""
        return any(map(_MANAGE.search, launch.words[:2])) and not self.project.named("manage.py")

    @cached_property
    def _dirs(self) -> frozenset[str]:
        """What the project's directories are called."""
        return frozenset(map(posixpath.basename, self.project.dirs))

    @cached_property
    def _names(self) -> frozenset[str]:
        """What a module or a package may be called: every directory, every file of Python."""
        files = [posixpath.basename(path)[:-3] for path in self.project.suffixed("py")]
        return frozenset([*files, *(posixpath.basename(dir) for dir in self.project.dirs)])

    def _is_locked_out(self, framework: Framework) -> bool:
        """Tell if Bundler's lock has no gem of a framework: no command of it starts any more."""
        gems = [each for each in self.manifests.dependencies if each.language == "ruby"]
        return any(not each.direct for each in gems) and not any(
            each.name in framework.packages.get("ruby", ()) for each in gems
        )

    def _is_of_others(self, written: Written, launch: Launch, language: Language | None) -> bool:
        """Tell if what is started is in an image of somebody else's: nothing of it is here."""
        if self._is_of_django(launch):
            return True
        if written.pulled and (not launch.framework or self.is_lost(launch)):
            return True
        built = written.dockerfile in self.project.files
        return language is not None and not built and not self._has(language)

    def _is_no_process(self, path: str) -> bool:
        """Tell if a file called a worker is a thread's, a browser's, or an example's."""
        aside = path in self.project.files and self.project.is_aside(path)
        return aside or _THREAD.search(self.project.data(path)) is not None

    def _is_elsewhere(self, words: Words) -> bool:
        """Tell if a program of Python is a file that an image brings along, and not the project."""
        name = next((word for word in words[1:] if not word.startswith("-")), "")
        return name.endswith(".py") and posixpath.basename(name)[:-3] not in self._names

    def _is_gone(self, words: Words) -> bool:
        """Tell if a program lies in a directory, or is a module, that the project has not.

        It may be a part that is kept elsewhere, a sub-module of Git's, or have been taken out. What
        an image has at its root is anywhere, and so is what something builds in its own way.
        """
        if words[:1] == ("go",) or words[1:2] == ("-m",):
            path = words[2] if len(words) > 2 else ""
        else:
            path = script_of(words) or next((w for w in words[1:] if not w.startswith("-")), "")
        if words[1:2] == ("-m",):
            return bool(re.fullmatch(r"[\w.]+", path)) and path.split(".")[0] not in self._names
        if path.startswith("/") or re.search(r"[$`*{]|\.\.", path):
            return False
        parts = path.removeprefix("./").split("/")
        is_built = parts[0] in _BUILT and self.project.matching(BUNDLER)
        program = parts if words[:1] == ("go",) and not path.endswith(".go") else parts[:-1]
        named = [part for part in program if part not in _BUILT and part not in ("", ".", "src")]
        return bool(named) and not is_built and named[-1] not in self._dirs

    def _is_only_told(self, written: Written, launch: Launch, language: Language | None) -> bool:
        """Tell if no file has anything of a framework of Python whose command a text shows."""
        if written.source not in TELLING or language != "python" or not launch.framework:
            return False
        name = rb"\b(?:django_|flask_|djcelery|dj)?" + launch.framework.encode()
        return not any(self.project.telling(self.python.paths, re.compile(name, re.IGNORECASE)))

    def _has(self, language: Language) -> bool:
        """Tell if the project has anything in a language."""
        if any(package.language == language for package in self.manifests.packages):
            return True
        return bool(self.project.suffixed(*_SUFFIXES[language]))
