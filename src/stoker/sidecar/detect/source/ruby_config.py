"""The files in which an application of Ruby says how it is set up."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stoker.sidecar.project import Project

_ADAPTER = re.compile(r"queue_adapter\s*=\s*:?[\"']?(\w+)|queue_adapter[\s,=]+:(\w+)")
_ADAPTERS = {
    "good_job": "good_job", "solid_queue": "solid_queue", "sidekiq": "sidekiq", "que": "que",
    "resque": "resque", "delayed_job": "delayed_job", "delayed": "delayed_job",
}  # fmt: skip
_SCHEMAS = r"schema\.rb|\w+_schema\.rb|\w*structure\.sql"
"""What Rails writes down of each database: all of its tables."""
_TABLE = re.compile(rb"create_table\b|\bCREATE TABLE\b")


class Config:
    """The configuration files of a Rails application, or of a plain one."""

    def __init__(self, project: Project, dir: str) -> None:
        self.project, self.dir = project, dir

    def path(self, name: str) -> str:
        """Return a path below the package."""
        return name if self.dir == "." else f"{self.dir}/{name}"

    def text(self, name: str) -> str:
        """Return what a file of the package says, without comments."""
        return self.said(self.path(name))

    def said(self, path: str) -> str:
        """Return what a file of the project says, without comments."""
        return re.sub(r"^\s*#.*$", "", self.project.text(path), flags=re.MULTILINE)

    def has(self, name: str) -> bool:
        """Tell if there is such a file."""
        return self.path(name) in self.project.files

    def says(self, name: str) -> bool:
        """Tell if there is such a file, and anything but comments in it."""
        return self.has(name) and bool(self.text(name).strip())

    def below(self, *dirs: str) -> Iterator[str]:
        """Yield the files of Ruby below directories of the package."""
        starts = tuple(self.path(f"{dir}/") for dir in dirs)
        for path in self.project.suffixed("rb"):
            if path.startswith(starts) and not self.project.is_aside(path):
                yield path

    @property
    def is_plugin(self) -> bool:
        """Tell if it is a part that Redmine or Discourse loads: their workers do its jobs."""
        return "Redmine::Plugin.register" in self.text("init.rb") or (
            re.match(r"\s*(?:#.*\n\s*)*# name:", self.project.text(self.path("plugin.rb")))
            is not None
        )

    def adapters(self) -> set[str]:
        """Return what Active Job is told to use outside of tests."""
        found: set[str] = set()
        for path in self.below("config", "app/jobs"):
            if not path.endswith("environments/test.rb") and not self._is_for_desk(path):
                named = (one or other for one, other in _ADAPTER.findall(self.said(path)))
                found |= {_ADAPTERS[name] for name in named if name in _ADAPTERS}
        return found

    def _is_for_desk(self, path: str) -> bool:
        """Tell if a file is for development, where that for production names its own adapter."""
        return path.endswith("environments/development.rb") and any(
            (one or other) in _ADAPTERS
            for one, other in _ADAPTER.findall(self.text("config/environments/production.rb"))
        )

    def has_task(self, namespace: str, name: str) -> bool:
        """Tell if the package has a task of Rake's of its own."""
        start = self.path("")
        files = [*self.project.suffixed("rake"), *self.project.named("Rakefile")]
        paths = (path for path in files if path.startswith(start))
        return any(
            re.search(rf"""\bnamespace\s*+\(?\s*+:?["']?{re.escape(namespace)}\b""", text)
            and re.search(rf"""\btask\s*+\(?\s*+:?["']?{re.escape(name)}\b""", text)
            for text in map(self.said, paths) if text
        )  # fmt: skip

    def lacks(self, table: str) -> bool:
        """Tell if the database is known, and no file about it knows of a table."""
        inside = self.path("db/")
        schemas = [p for p in self.project.matching(_SCHEMAS) if p.startswith(inside)]
        if not any(self.project.telling(schemas, _TABLE)):
            return False
        about = (p for p in self.project.suffixed("rb", "sql") if p.startswith(inside))
        return not any(self.project.telling(about, re.compile(table.encode())))

    def setting(self, variable: str) -> str:
        """Return what a deployment gives a variable, in lower case."""
        return self.given(variable)[0]

    def given(self, variable: str) -> tuple[str, str]:
        """Return what a deployment gives a variable, in lower case, and the file.

        What a Dockerfile's ``RUN`` has is only there while the image is built.
        """
        value = re.compile(
            rf"""^(?!\s*RUN\b)[^#\n]*\b{variable}["']?(?:\s*[:= ]|\s*\n\s*["']?value["']?:)"""
            r"""\s*["']?(?:\$\{\w+:?-)?(\w+)""",
            re.MULTILINE,
        )
        for path in [
            *self.project.named(".env", ".env.production", "fly.toml", "render.yaml", "app.json"),
            *self.project.matching(
                r"dockerfile.*|(docker-)?compose.*\.ya?ml|deploy.*\.ya?ml|production\.ya?ml"
            ),
        ]:
            found = None if self.project.is_aside(path) else value.search(self.project.text(path))
            if found:
                return found[1].lower(), path
        return "", ""
