"""What will be written, as plain data: ``stoker sidecar plan`` prints it, a person may edit it.

Everything that a renderer needs is in here. Strings are values, not template text: a renderer
quotes them for its own format.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from stoker.sidecar.detection import BrokerKind, Evidence, Language, Role

Seconds = Annotated[int, msgspec.Meta(ge=1, le=86_400)]
Replicas = Annotated[int, msgspec.Meta(ge=0, le=1_000)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""Of a compose project, a service, an image stage."""
Command = tuple[str, ...]


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check that means something: it fails when the worker does not work."""

    command: Command
    """Words; ``("sh", "-c", line)`` where a pipe is needed."""
    interval: Seconds = 60
    timeout: Seconds = 30
    start_period: Seconds = 60
    retries: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What services are started from."""

    name: Name
    context: str
    """The build context, relative to the root."""
    language: Language
    manager: str
    version: str
    """Of the language's base image, always a tag: ``3.12``."""
    manifests: tuple[str, ...]
    """Copied before the source, relative to the context."""
    build: Command = ()
    package: str = ""
    """Of a workspace: the member that is meant, by its name."""
    package_dir: str = "."
    """The same by its directory, relative to the context."""
    dockerfile: str = "Dockerfile"
    """Relative to the context."""
    target: str = ""
    """The stage that services start from; empty: the last."""
    existing: bool = False
    """The Dockerfile is the project's own and is not written."""
    system_packages: tuple[str, ...] = ()
    """Debian packages that the dependencies need to be built or run."""
    binary: str = ""
    """Of Go and Rust: what is built, as the build command names it."""


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A container beside the app."""

    name: Name
    role: Role
    framework: str | None
    image: Name
    """An ``Image`` of this plan."""
    command: Command
    dir: str = "."
    """The working directory, relative to the image's context."""
    queues: tuple[str, ...] = ()
    concurrency: int | None = None
    environment: dict[str, str] = {}
    needs: tuple[Name, ...] = ()
    """Brokers and stores of this plan that must be healthy first."""
    stop_signal: str = "SIGTERM"
    stop_grace: Seconds = 30
    health: Health | None = None
    """``None``: no check means anything here; an inherited one is disabled."""
    replicas: Replicas = 1
    singleton: bool = False
    """Two of it at once would do things twice."""
    profile: str = ""
    """Started only with this profile."""
    port: Port | None = None
    """Of a dashboard: bound to loopback."""
    dev_command: Command = ()
    watch: tuple[str, ...] = ()
    """Source directories, relative to the context, for development."""
    memory: str = "512M"
    cpus: str = "0.50"
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A broker or database that services need."""

    name: Name
    kind: BrokerKind
    image: str
    """With its tag."""
    variables: dict[str, str] = {}
    """What services get to find it: variable → value, ``redis://redis:6379/0``."""
    existing: bool = False
    """The project's compose file has it already: depended on, not written."""


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One choice, why it was made, and what else there was."""

    what: str
    why: str
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The containers of one project."""

    name: Name
    images: tuple[Image, ...] = ()
    services: tuple[Service, ...] = ()
    stores: tuple[Store, ...] = ()
    app: Service | None = None
    """The app itself, where its start is known: beside the workers in development."""
    compose_files: tuple[str, ...] = ()
    """The project's own, relative to the root: extended, never replaced."""
    secrets: tuple[str, ...] = ()
    """Variables whose values are the operator's: in ``.env.example``, never in an image."""
    decisions: tuple[Decision, ...] = ()
    notes: tuple[str, ...] = ()
    version: Literal[1] = 1
