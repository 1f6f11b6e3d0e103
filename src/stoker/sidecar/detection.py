"""What was seen in a project, each finding with the file and line that shows it."""

from __future__ import annotations

from typing import Literal

import msgspec

from stoker.sidecar.inside import Inside
from stoker.sidecar.secrets import shown
from stoker.sidecar.values import Given

Role = Literal["worker", "scheduler", "dashboard", "other"]
"""``scheduler``: a companion of which exactly one may run; ``dashboard``: started on demand."""
Language = Literal["node", "python", "ruby", "go", "rust"]
COMPILED: tuple[Language, ...] = ("go", "rust")
"""A program of these is in the image that was built for it, and in no other."""
BrokerKind = Literal[
    "redis", "rabbitmq", "faktory", "postgres", "nats", "sqlite", "database", "sqs"
]  # fmt: skip
"""``database``: whatever the application's own database is. ``sqs``: Amazon's, no container."""


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place in the project that shows something."""

    path: str
    """Relative to the project's root, with ``/``."""
    line: int
    """1 for the first; 0 for a file as such."""
    text: str = ""
    """The line, trimmed; for people, and inert: never used to build a command."""
    note: str = ""
    """What it shows."""

    def __post_init__(self) -> None:
        """Keep no secret, and no more than is shown: people share what they are shown."""
        msgspec.structs.force_setattr(self, "text", shown(self.text))


class Build(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a compose file builds a service from."""

    context: str
    """Relative to the root, as the Dockerfile is."""
    dockerfile: str
    target: str = ""
    args: dict[str, str] = {}
    """What the Dockerfile's ``ARG`` are given, as the compose file has it, but for secrets."""


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a Dockerfile is told which program to build: ``go build ./cmd/${BIN}``."""

    argument: str
    before: str = ""
    """What the build command has before it, and after it."""
    after: str = ""


class Unit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process of its own that the project needs beside its app."""

    role: Role
    framework: str | None
    """``celery``, ``bullmq``, …; ``None`` for a worker without one."""
    dir: str
    """Where it is started, relative to the root."""
    command: tuple[str, ...]
    """Words, not a shell line; ``("sh", "-c", line)`` where the project needs a shell."""
    queues: tuple[str, ...] = ()
    concurrency: int | None = None
    name: str = ""
    """What the project calls it (a compose service, a Procfile line), if it does."""
    language: Language | None = None
    environment: dict[str, str] = {}
    """Variables that the command was written down with."""
    production: dict[str, str] = {}
    """Variables that are another's in production: they say that this is a developer's machine."""
    given: tuple[Given, ...] = ()
    """What each compose file gives the service that it is."""
    build: Build | None = None
    """What the service is built from that it is, where people develop."""
    builds: dict[str, Build] = {}
    """The same by compose file."""
    timeout: int | None = None
    """Seconds that it is told to wait for running jobs when it is stopped."""
    bounded: bool = False
    """Its settings say how many processes it has, or of which kind they are."""
    runner: tuple[str, ...] = ()
    """What its command was written down with, and is started by in an image of the project's own:
    ``uv run``, ``python -m``."""
    version: str = ""
    """Of the framework, as the project asks for it: ``==5.4``, ``>=4,<5``, ``^5.2``."""
    port: int | None = None
    """Of the app: what it listens on, where that is known."""
    dev_command: tuple[str, ...] = ()
    """The same with reload on change, where the project has one."""
    confidence: float = 1.0
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    """Other commands that were seen or thought of, best first."""


class Embedded(msgspec.Struct, frozen=True, omit_defaults=True):
    """A worker that runs inside the app's own process: it must not be doubled."""

    framework: str
    dir: str
    reason: str
    evidence: tuple[Evidence, ...] = ()
    asked: bool = False
    """It runs only where a setting says so, which by default does not."""


class BrokerUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """A broker that workers need, and how the project finds it."""

    kind: BrokerKind
    variables: dict[str, str] = {}
    """Environment variable that the project reads → what it holds: ``url``, ``host``, ``port``,
    ``password``, ``user``, ``database``, ``sslmode``; of the others of several databases
    ``server``, a URL without a name, which the source has, or ``other``, one with another name."""
    databases: dict[str, str] = {}
    """Of those variables whose address goes without one: the name of the database in production."""
    database: str = ""
    """What the first of them is called in production, where the project plainly says it."""
    jobs: str = ""
    """That of several databases' variables which leads to the jobs; empty for the first."""
    service: str = ""
    """The compose service that already provides it."""
    image: str = ""
    """Of that service, with its tag, where it names one; or what it is built on."""
    built: str = ""
    """The Dockerfile that it is built from."""
    named: bool = False
    """The source, or what sets it up, says that service's name itself: no variable leads there."""
    outside: str = ""
    """Where it is, if somebody else runs it: a URL, with a word in place of the password."""
    elsewhere: tuple[str, ...] = ()
    """Compose files for production whose services are led to one that somebody else runs."""
    given: tuple[Given, ...] = ()
    """What each compose file gives that service: the account that it makes is in there."""
    files: tuple[str, ...] = ()
    """The compose files in which it can be waited for."""
    volumes: tuple[str, ...] = ()
    """Those volumes of the file that people develop with of which it says nothing else."""
    engine: Literal["", "mysql", "sqlite", "other"] = ""
    """Of an application's database: what it is, where that is not PostgreSQL; ``other``: where
    only the operator knows."""
    left: bool = False
    """Of an application's database: its own compose service has its address from ``.env``."""
    app: str = ""
    """Of a file: the URL that the app's own compose service has, in whatever way it is told."""
    file: str = ""
    """Of a file: the URL that the source itself says, where a volume can be mounted."""
    password: str = ""
    """Of a Redis: the variable with the password that its own service asks for."""
    openly: bool = False
    """Its own service says that password to the letter, which is not copied."""
    asked: tuple[str, ...] = ()
    """Those variables that no service is given, and ``.env`` says."""
    written: dict[str, str] = {}
    """Those variables for which the project writes down an address itself: a URL, without its
    account, for a developer's machine."""
    usual: str = ""
    """The same for the others, as the driver of its database wants it: ``postgresql+asyncpg://``."""
    readers: tuple[str, ...] = ()
    """Of what is beside the brokers: the directories of the workers that read its address, where
    others do not."""
    evidence: tuple[Evidence, ...] = ()


class Package(msgspec.Struct, frozen=True, omit_defaults=True):
    """A directory with a manifest of its own: what an image is built from."""

    dir: str
    language: Language
    manager: str
    """``npm``, ``pnpm``, ``yarn``, ``bun``, ``pip``, ``uv``, ``poetry``, ``pdm``, ``pipenv``,
    ``bundler``, ``go``, ``cargo``."""
    manifests: tuple[str, ...] = ()
    """Files that the dependencies are installed from, relative to the root."""
    version: str = ""
    """Of the language, as the project asks for it: ``3.12``, ``22``; empty if it does not."""
    workspace: str = ""
    """The root of the workspace it is a member of, relative to the root."""
    name: str = ""
    build: tuple[str, ...] = ()
    """The command that builds it, where there is one."""
    schema: str = ""
    """Of Node: what Prisma makes its client of; empty where its own settings say it."""
    schema_files: tuple[str, ...] = ()
    """All that this is read from; none where there is no client to be made."""
    vendored: bool = False
    """Of Go: what it depends on lies beside its source, in ``vendor``."""
    side_by_side: tuple[str, ...] = ()
    """Of Python: packages that setuptools is to find by itself, and refuses, being several."""


class Detection(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that was seen; the JSON of ``stoker sidecar detect``."""

    name: str = ""
    """What a compose file calls the project, in whatever directory it lies."""
    units: tuple[Unit, ...] = ()
    embedded: tuple[Embedded, ...] = ()
    brokers: tuple[str, ...] = ()
    """The kinds in ``uses``, for those who only want these."""
    uses: tuple[BrokerUse, ...] = ()
    beside: tuple[BrokerUse, ...] = ()
    """What else workers need: the app's database, a Redis that has other things than jobs."""
    packages: tuple[Package, ...] = ()
    files: dict[str, tuple[str, ...]] = {}
    """Container files that are there already: ``compose``, ``dockerfile``, ``devcontainer``,
    ``kubernetes``, ``dockerignore``, ``env``; ``copied``: what Dockerfiles copy by name, and no
    context would have; ``starting``: Dockerfiles, and stages as ``Dockerfile#stage``, whose image
    starts a program of its own, whatever command it is given."""
    layers: dict[str, tuple[str, ...]] = {}
    """Compose files that are only read on top of others, each with these, in their order."""
    includes: dict[str, tuple[str, ...]] = {}
    """Compose files that include others, each with these, also by way of one of them."""
    defaults: dict[str, dict[str, str]] = {}
    """By compose file: secrets that it has a default for, each as it puts it in."""
    choices: dict[str, Choice] = {}
    """Dockerfiles that build one of several programs of Go or Rust, by an argument."""
    programs: dict[str, tuple[str, ...]] = {}
    """Of Go and Rust: what the images of Dockerfiles, and of stages, start if told nothing."""
    stages: dict[str, Inside] = {}
    """What of the project is in the images of Dockerfiles, and of stages, in their order; a stage
    without a name has its number."""
    variables: tuple[str, ...] = ()
    """Environment variables that the workers' source reads."""
    needed: tuple[str, ...] = ()
    """Those of them without which the app does not start in production."""
    exampled: tuple[str, ...] = ()
    """Those of them that an example of ``.env`` names, but for what leads to this machine."""
    web: Unit | None = None
    """The app itself, if its start is known: role ``other``."""
    notes: tuple[str, ...] = ()
    """What could not be read or decided, with the file and what to do."""
