"""What will be written, as plain data: ``stoker sidecar plan`` prints it, a person may edit it.

Everything that a renderer needs is in here. Strings are values, not template text: a renderer
quotes them for its own format. What a value may be is part of its type, so that ``checked`` refuses
a plan that could not be written safely, wherever it comes from.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, get_args

import msgspec

from stoker.errors import ConfigError
from stoker.sidecar.address_parts import part_of
from stoker.sidecar.detection import BrokerKind, Evidence, Language, Role, Unit
from stoker.sidecar.secrets import masked
from stoker.sidecar.values import Absolute, Given, Place, Text, Variable

Seconds = Annotated[int, msgspec.Meta(ge=1, le=86_400)]
Replicas = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Name = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,62}\Z")]
"""Of a compose project, a service, an image stage."""
Command = Annotated[tuple[Text, ...], msgspec.Meta(max_length=256)]
Tag = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")]
Reference = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[a-z0-9][a-z0-9._/:-]{0,200}:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?\Z"
    ),
]
"""An image with its tag, and its digest if it is pinned to one."""
Part = Literal[
    "url", "host", "port", "address", "password", "user", "database", "sslmode", "server", "other"
]  # fmt: skip
"""Of an address; the last two as in ``BrokerUse.variables``."""
SystemPackage = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9+.-]{1,100}\Z")]


FORCE_ROOT = "C_FORCE_ROOT"
"""What Celery asks for before it starts as root where jobs may be pickled."""


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check that means something: it fails when the worker does not work."""

    command: Command
    """Words; ``("sh", "-c", line)`` where a pipe is needed."""
    interval: Seconds = 60
    timeout: Seconds = 30
    start_period: Seconds = 60
    retries: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A client of a database that Prisma makes of a schema. Places are relative to the context."""

    dir: Place
    """Of the package that has it."""
    files: tuple[Place, ...]
    """What it is made of: there before anything is installed, as installing may make it, too."""
    schema: Place | Literal[""] = ""
    """Which of them is asked for; empty where its own settings say it."""


NEW_FOR_PRODUCTION = "compose.prod.yaml"
"""The file for production where the project has none of its own."""


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Another way to build an image from the same Dockerfile of the project's own."""

    target: Name | Literal[""] = ""
    args: dict[Variable, Text] = {}


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What services are started from."""

    name: Name
    context: Place
    """The build context, relative to the root."""
    language: Language
    manager: str
    version: Tag
    """Of the language's base image, always a tag: ``3.12``."""
    manifests: tuple[Place, ...]
    """Copied before the source, relative to the context."""
    scattered: bool = False
    """These refer to others: the source is there before anything is installed."""
    build: Command = ()
    package: Text = ""
    """Of a workspace: the member that is meant, by its name."""
    package_dir: Place = "."
    """The same by its directory, relative to the context."""
    dockerfile: Place = "Dockerfile"
    """Relative to the context."""
    outside: Place | Literal[""] = ""
    """The same of a Dockerfile of the project's own that lies outside of the context: relative to
    the root, and meant instead."""
    target: Name | Literal[""] = ""
    """The stage that services start from; empty: the last."""
    existing: bool = False
    """The Dockerfile is the project's own and is not written."""
    args: dict[Variable, Text] = {}
    """What its own Dockerfile's ``ARG`` are given, as a compose file has it: Compose fills in the
    variables that are put in."""
    variants: dict[Place, Variant] = {}
    """Compose files in which it is built another way, as the app is: in production, say."""
    pulled: dict[Place, Text] = {}
    """Compose files of the project's own where the app that is built so is no more than named: it
    was built elsewhere."""
    starts: bool = False
    """That starts a program of its own, whatever command it is given: only another entry point has
    it start a worker."""
    entry: Command = ()
    """Of Go and Rust: what its own Dockerfile has it start, the program's path among the words."""
    chosen: bool = False
    """That is the program that is meant, whatever it is called there: ``args`` say it."""
    kept: tuple[Place, ...] = ()
    """What its own Dockerfile copies by name, and contexts else go without: files of variables,
    certificates. Relative to the context."""
    system_packages: tuple[SystemPackage, ...] = ()
    """Debian packages that the dependencies need, also when they run."""
    dev_packages: bool = False
    """Of Node: what runs needs the packages for development, too, such as ``tsx``."""
    binary: Text = ""
    """Of Go and Rust: what is built, as the build command names it."""
    clients: tuple[Client, ...] = ()
    """Of Node: what is made of schemas before anything is built."""
    uninstalled: bool = False
    """Of Python: only what the project depends on is installed, as it cannot be itself."""
    additional: tuple[Place, ...] = ()
    """Of Python: requirements beyond those of the project, relative to the context."""
    vendored: bool = False
    """Of Go: it is built of what lies in its ``vendor``, and nothing is downloaded."""

    @property
    def program(self) -> str:
        """Return what the built binary is called."""
        last = posixpath.basename(posixpath.normpath(self.binary)) if self.binary else "."
        return self.name if last == "." else last.removesuffix(".go")


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A container beside the app."""

    name: Name
    role: Role
    framework: str | None
    image: Name
    """An ``Image`` of this plan."""
    command: Command
    dir: Place = "."
    """The working directory, relative to the image's context."""
    place: Absolute | Literal[""] = ""
    """The same in an image of the project's own, where that starts commands in another one."""
    places: dict[Place, Absolute | None] = {}
    """The same in compose files whose variant of the image has it elsewhere, or where it starts."""
    scratch: Absolute | Literal[""] = ""
    """Of Ruby: the ``tmp`` that Rails and its gems write to, in an image of the project's own."""
    queues: tuple[Text, ...] = ()
    waiting: Literal["", "stream", "jetstream", "nowhere"] = ""
    """Where its jobs wait, if its framework leaves the choice: empty for the usual."""
    concurrency: int | None = None
    environment: dict[Variable, Text] = {}
    production: dict[Variable, Text] = {}
    """Those that are another's in production, where no file for it says what they are."""
    given: tuple[Given, ...] = ()
    """What compose files of the project's own give it, or the app that it is another process of."""
    own: dict[Place, Text] = {}
    """What it is called in those of the project's own compose files that have it already."""
    edited: tuple[Place, ...] = ()
    """Those of them where Stoker wrote it, and a person changed it since: it is not theirs."""
    needs: tuple[Name, ...] = ()
    """Brokers and stores of this plan that must be healthy first."""
    stop_signal: Annotated[str, msgspec.Meta(pattern=r"\ASIG[A-Z0-9]{2,10}\Z")] = "SIGTERM"
    stop_grace: Seconds = 30
    health: Health | None = None
    """``None``: no check means anything here; an inherited one is disabled."""
    replicas: Replicas = 1
    singleton: bool = False
    """Two of it at once would do things twice."""
    alone: bool = False
    """Its jobs are in a file inside its container, which it has to be able to write: a second one
    would have a file of its own, and no jobs."""
    profile: Name | Literal[""] = ""
    """Started only with this profile."""
    port: Port | None = None
    """Of a dashboard: bound to loopback."""
    dev_command: Command = ()
    reloads: bool | None = None
    """What development starts sees a changed source by itself, and is not to be started anew.

    ``None``: if its command is one that does, as in a plan from before this was asked."""
    built: bool = False
    """It starts what the image built of its source: a change there builds the image anew."""
    watch: tuple[Place, ...] = ()
    """Source directories, relative to the context, for development."""
    memory: Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{0,5}[MG]\Z")] = "512M"
    cpus: Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{1,3}(\.[0-9]{1,2})?\Z")] = "0.50"
    reason: str = ""
    """Why it is given that long to stop, if there is more to it than being careful."""
    prepared: Command = ()
    """What the app runs in its image before it can start: it ends while its jobs have no tables."""
    evidence: tuple[Evidence, ...] = ()

    def called(self, path: str) -> str:
        """Return its name in a compose file."""
        return self.own.get(path, self.name)

    @property
    def theirs(self) -> frozenset[str]:
        """The compose files in which a person's own service is it."""
        return frozenset(self.own).difference(self.edited)


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A broker or database that services need."""

    name: Name
    kind: BrokerKind
    image: Reference
    """With its tag."""
    variables: dict[Variable, Text] = {}
    """What services get to find it: variable → value, ``redis://redis:6379/0``."""
    parts: dict[Variable, Part] = {}
    """What those of them hold whose names do not say it."""
    databases: dict[Variable, Text] = {}
    """The names of databases that are in an address only in production: in development the app's
    own settings say another one."""
    jobs: Variable | Literal[""] = ""
    """The variable that leads to the jobs, where several lead to databases of one server."""
    secret: Variable | Literal[""] = ""
    """The variable that its password is in where the operator says it, if the project has one for
    that: else it is called as usual, ``REDIS_PASSWORD``."""
    existing: bool = False
    """The project's compose file has it already: depended on, not written."""
    files: tuple[Place, ...] = ()
    """Those of its compose files in which it is there; none named: in each."""
    mounts: dict[Text, Text] = {}
    """What its own service has mounted where people develop: the place inside → a volume's name, or
    a directory."""
    kept: tuple[Name, ...] = ()
    """Those of these volumes that ours has, too: it is the same, and goes on with its data."""
    edited: tuple[Place, ...] = ()
    """Those of them where Stoker wrote it, and a person changed it since: it is not theirs."""
    told: dict[Place, dict[Variable, Text]] = {}
    """In these, what services get to find it, instead of ``variables``: as its own service there
    makes its account. A ``$`` in it is meant for Compose."""
    outside: Text = ""
    """Where it is, if somebody else runs it: a URL, with a word in place of the password. Neither
    written nor waited for; services are told by ``variables``, or as the project tells them."""
    elsewhere: tuple[Place, ...] = ()
    """The same in these compose files only: what they give services says where."""
    file: Text = ""
    """Of a file: the URL that the source itself says, so that no variable leads to it."""
    user: Text = ""
    """Of a database: who services are to it, where none of ``variables`` says that."""
    database: Text = ""
    """The same of its name."""
    address: Variable | Literal[""] = ""
    """The variable that holds all of that address, where only the project's own files of variables
    say it."""

    def part(self, variable: str) -> str | None:
        """Return what one of its variables holds of its address."""
        return self.parts.get(variable) or part_of(variable)

    def is_in(self, path: str) -> bool:
        """Tell if a compose file of the project's own has it already."""
        return self.existing and (path in self.files or not self.files)


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One choice, why it was made, and what else there was."""

    what: str
    why: str
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Keep no secret, as what it is shown by keeps none."""
        for name in ("what", "why"):
            msgspec.structs.force_setattr(self, name, masked(getattr(self, name)))
        msgspec.structs.force_setattr(self, "alternatives", tuple(map(masked, self.alternatives)))


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The containers of one project."""

    name: Name
    project: Name | Literal[""] = ""
    """What Compose calls it, if that is other than ``name``: with a ``_`` in it, say."""
    images: tuple[Image, ...] = ()
    services: tuple[Service, ...] = ()
    stores: tuple[Store, ...] = ()
    app: Service | None = None
    """The app itself, where its start is known: beside the workers in development."""
    app_offered: bool = False
    """The project's own compose file goes without it: put in only when asked."""
    app_services: dict[Place, Text] = {}
    """What the app is called in those of the project's own compose files that start it."""
    compose_files: tuple[Place, ...] = ()
    """The project's own, relative to the root: extended, never replaced."""
    layers: dict[Place, tuple[Place, ...]] = {}
    """Those of them that are only read on top of others, each with these, in their order."""
    includes: dict[Place, tuple[Place, ...]] = {}
    """What others of those include: Compose has it in both, and refuses what is there once more."""
    defaults: dict[Place, dict[Variable, Text]] = {}
    """In these: secrets that they have a default for, each as it is put in there."""
    devcontainer: Place | Literal[""] = ""
    """The project's own ``devcontainer.json``, relative to the root."""
    desk: Name | Literal[""] = ""
    """The stage that an editor opens, where what it would open has no shell: the stage before."""
    secrets: tuple[Variable, ...] = ()
    """Variables whose values are the operator's: in ``.env.example``, never in an image."""
    needed: tuple[Variable, ...] = ()
    """Those of ``secrets`` without which nothing starts in production."""
    settings: tuple[Variable, ...] = ()
    """Other variables that the source reads, and workers have if the operator says them."""
    elsewhere: tuple[Variable, ...] = ()
    """Those of ``secrets`` that lead to a service of the project's which is in no new file: what
    they are in development leads nowhere in production."""
    decisions: tuple[Decision, ...] = ()
    notes: tuple[str, ...] = ()
    version: Literal[1] = 1


def project_of(plan: Plan) -> str:
    """Return what Compose calls the project."""
    return plan.project or plan.name


def started(plan: Plan) -> tuple[Service, ...]:
    """Return the services that are started in development."""
    return (*plan.services, *([plan.app] if plan.app and not plan.app_offered else []))


def own_files(paths: Iterable[str], *, production: bool) -> list[str]:
    """Return the compose files that are for this use by their names, the most usual first.

    Those for tests, and old ones, are none: nobody develops with them, and nobody deploys them.
    """
    chosen = [
        path
        for path in paths
        if bool(_words(path) & _PRODUCTION) == production and not _words(path) & _TESTS
    ]
    return sorted(
        chosen,
        key=lambda path: (is_beneath(path), len(_words(path)), path.count("/")),
    )


def is_beneath(path: str) -> bool:
    """Tell if a compose file is called one that others are put on."""
    return bool(_words(path) & _BENEATH)


def for_development(unit: Unit) -> list[Given]:
    """Return what a unit is given, without what only production is to know.

    A worker on a developer's machine that had its address would take its jobs.
    """
    own = own_files([each.path for each in unit.given], production=False)
    return [each for each in unit.given if each.path in own]


_PRODUCTION = frozenset({"prod", "production"})
_BENEATH = frozenset({"base", "common", "shared"})
"""Called so, it is for no use by itself: what has one is put on it."""
_TESTS = frozenset({"test", "tests", "testing", "e2e", "ci", "old", "bak", "backup"})


def _words(path: str) -> frozenset[str]:
    """Return what a compose file's name says beyond being one."""
    words = re.split(r"[-._]", path.rpartition("/")[2].lower())
    return frozenset(words) - {"docker", "compose", "yaml", "yml", ""}


def checked(plan: Plan, where: str = "the plan") -> Plan:
    """Return the plan, if it can be written.

    Raises ``ConfigError`` that names ``where`` it comes from and the value's path in it.
    """
    try:
        return decode(msgspec.json.encode(plan), where)
    except UnicodeEncodeError as error:
        raise ConfigError(f"{where}: text that is not Unicode ({error})", hint=_HINT) from None


def decode(text: bytes, where: str) -> Plan:
    """Read a plan that may have been edited. Raises as ``checked`` does."""
    try:
        plan = msgspec.json.decode(text, type=Plan)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        unread = "" if isinstance(error, msgspec.ValidationError) else "not readable as JSON: "
        raise ConfigError(f"{where}: {unread}{_in_words(error)}", hint=_HINT) from None
    for problem in _problems(plan):
        raise ConfigError(f"{where}: {problem}", hint=_HINT)
    return plan


def _problems(plan: Plan) -> Iterator[str]:
    """Yield what refers to nothing, or is there twice."""
    services = plan.services if plan.app is None else (*plan.services, plan.app)
    images = {image.name for image in plan.images}
    stores = {store.name for store in plan.stores}
    names = [service.name for service in services] + [store.name for store in plan.stores]
    for name in names:
        if names.count(name) > 1:
            yield f"the name {name!r} is given twice"
    for service in services:
        if service.image not in images:
            yield f"service {service.name!r}: there is no image {service.image!r}"
        for need in service.needs:
            if need not in stores:
                yield f"service {service.name!r}: it needs {need!r}, and there is no such store"


def _in_words(error: Exception) -> str:
    """Return what was expected by its name: nobody reads a pattern."""
    text = str(error)
    for kind, words in _WORDS:
        text = text.replace(f"`str` matching regex {_pattern(kind)!r}", words)
    return text


def _pattern(kind: Any) -> str | None:
    return get_args(kind)[1].pattern


_WORDS = (
    (Name, "a name of small letters, digits, '-' and '_'"),
    (Text, "text without NUL and half characters"),
    (Place, "a path below the root: relative, with '/', without '..' and line breaks"),
    (Variable, "the name of an environment variable"),
    (Tag, "a tag such as '3.12'"),
    (Reference, "an image with its tag, such as 'redis:7-alpine'"),
    (Absolute, "a path in a container: absolute, with '/', without line breaks"),
    (SystemPackage, "the name of a Debian package"),
)
_HINT = "stoker sidecar plan PATH --json prints one that works"
