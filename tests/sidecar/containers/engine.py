"""A container engine of the tests' own: Debian's, with base images that are made here.

No image can be pulled where these tests run. So the names that the generated files ask for
(``python:3.13-slim``, ``redis:7-alpine``, …) are given to images built from Debian's packages. They
stand in for the real ones where it matters: what is on PATH, who runs, which port listens.

What takes long is kept in one folder between runs; ``STOKER_CONTAINERS`` says where.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import pytest

RELEASE = "trixie"
PACKAGES = {"dockerd": "docker.io", "debootstrap": "debootstrap", "iptables": "iptables"}
HERE = Path(__file__).parent
PLUGINS = ("docker-compose", "docker-buildx")
PYTHON = "python:3.13-slim"
BASES = {
    PYTHON: "python",
    "node:20-slim": "node",
    "oven/bun:1-slim": "bun",
    "ruby:3.3-slim": "ruby",
    "golang:1.24": "golang",
    "alpine:3.22": "alpine",
    "rust:1.85-bookworm": "rust",
    "debian:bookworm-slim": "debian",
    "redis:7-alpine": "redis",
}
DEBIAN = f"stoker-base:{RELEASE}"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
START_SECONDS = 60.0


class NotHere(Exception):
    """No engine can run on this machine; the message says why."""


def wait(until: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Look until something holds."""
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds}s: {what}")
        time.sleep(0.1)


class Engine:
    """A running ``dockerd``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._run = Path(tempfile.mkdtemp(prefix="stoker-docker-"))  # a socket's path is short
        self._socket = self._run / "docker.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None
        self._made: set[str] = set()

    @property
    def env(self) -> dict[str, str]:
        """What makes ``docker`` talk to this engine, and find its plug-ins."""
        config = self.home / "config"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "DOCKER_HOST": f"unix://{self._socket}",
            "DOCKER_CONFIG": str(config),
            "DOCKER_BUILDKIT": "1",
        }

    def docker(self, *words: str | Path, seconds: float = 300.0, cwd: Path | None = None) -> str:
        """Run ``docker``, which has to succeed; return what it printed."""
        command = ["/usr/bin/docker", *map(str, words)]
        done = subprocess.run(
            command, env=self.env, cwd=cwd, capture_output=True, text=True, timeout=seconds
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Start it, with all that it needs. Raises ``NotHere``."""
        _install(PACKAGES)
        self.home.mkdir(parents=True, exist_ok=True)
        self._lock = (self.home / "lock").open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)  # one engine at a time works on one folder
        run = self._run
        log = (run / "dockerd.log").open("wb")
        self._process = subprocess.Popen(
            [
                "/usr/sbin/dockerd",
                *("--host", f"unix://{self._socket}"),
                *("--data-root", self.home / "data"),
                *("--exec-root", run / "exec"),
                *("--pidfile", run / "docker.pid"),
            ],
            stdout=log,
            stderr=log,
        )
        log.close()
        try:
            wait(self._answers, "dockerd answers", START_SECONDS)
            self._import()
        except BaseException as error:
            tail = (run / "dockerd.log").read_text("utf-8", "replace")[-600:]
            self.stop()
            if isinstance(error, (AssertionError, OSError, subprocess.SubprocessError)):
                raise NotHere(f"{error}\n{tail}") from error
            raise

    def need(self, text: str) -> None:
        """Make the base images that a text names, unless they are there."""
        wanted = [tag for tag in BASES if tag in text and tag not in self._made]
        if not wanted:
            return
        context = HERE / "bases"
        recipe = b"".join(file.read_bytes() for file in (*sorted(context.iterdir()), CERTIFICATES))
        version = hashlib.sha256(recipe).hexdigest()[:12]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(context, folder, dirs_exist_ok=True)
            shutil.copy(CERTIFICATES, folder / "ca-certificates.crt")
            apt = folder / "apt.conf.d"
            apt.mkdir()
            for file in Path("/etc/apt/apt.conf.d").glob("99*"):
                shutil.copy(file, apt)
            for tag in wanted:
                self._make(tag, f"stoker-base-{BASES[tag]}:{version}", folder)

    def _make(self, tag: str, label: str, context: Path) -> None:
        if label not in self._images():
            build = ["build", "--network", "host", "--target", BASES[tag], "--tag", label]
            try:
                self.docker(*build, "--build-arg", f"BASE={DEBIAN}", context, seconds=600)
            except (AssertionError, subprocess.SubprocessError) as error:
                pytest.skip(f"containers not run: {str(error)[-600:]}")
        self.docker("tag", label, tag)
        self._made.add(tag)

    def offer(self, wheel: Path) -> None:
        """Let pip find a package that no registry has: Stoker, as it is here."""
        self.need(PYTHON)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copy(wheel, folder)
            project = wheel.name.partition("-")[0]
            (folder / "constraints.txt").write_text(f"{project} @ file:///wheels/{wheel.name}\n")
            (folder / "Dockerfile").write_text(
                f"FROM {PYTHON}\nCOPY *.whl constraints.txt /wheels/\n"
                "ENV PIP_CONSTRAINT=/wheels/constraints.txt\n"
            )
            self.docker("build", "--tag", PYTHON, folder)

    def stop(self) -> None:
        """Stop it, and what it started."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        for mounted in self._run.glob("exec/netns/*"):
            subprocess.run(["umount", mounted], capture_output=True)
        shutil.rmtree(self._run, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"dockerd ended with {self._process.returncode}")
        command = ["/usr/bin/docker", "version"]
        return not subprocess.run(command, env=self.env, capture_output=True).returncode

    def _import(self) -> None:
        tree = self._tree()
        self._plugins(tree)
        if DEBIAN not in self._images():
            packed = f"tar -C '{tree}' -c . | /usr/bin/docker import - {DEBIAN}"
            subprocess.run(["sh", "-c", packed], env=self.env, check=True, capture_output=True)

    def _images(self) -> list[str]:
        return self.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()

    def _tree(self) -> Path:
        tree = self.home / RELEASE
        if not (tree / "done").exists():
            shutil.rmtree(tree, ignore_errors=True)
            subprocess.run(
                ["debootstrap", "--variant=minbase", "--include=ca-certificates", RELEASE, tree],
                check=True,
                capture_output=True,
                timeout=600,
            )
            (tree / "done").touch()
        return tree

    def _plugins(self, tree: Path) -> None:
        """Take Compose and BuildKit's front from the newer release: they are single files."""
        folder = self.home / "config" / "cli-plugins"
        if all((folder / name).exists() for name in PLUGINS):
            return
        folder.mkdir(parents=True, exist_ok=True)
        get = f"cd /tmp && apt-get update -q && apt-get download -q {' '.join(PLUGINS)}"
        for file in Path("/etc/apt/apt.conf.d").glob("99*"):
            shutil.copy(file, tree / "etc" / "apt" / "apt.conf.d")
        shutil.copy("/etc/resolv.conf", tree / "etc")
        subprocess.run(["chroot", tree, "sh", "-c", get], check=True, capture_output=True)
        for package in (tree / "tmp").glob("*.deb"):
            unpacked = self.home / "unpacked"
            subprocess.run(["dpkg", "-x", package, unpacked], check=True)
        for name in PLUGINS:
            shutil.copy(self.home / "unpacked/usr/libexec/docker/cli-plugins" / name, folder)


def _install(packages: Mapping[str, str]) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NotHere("containers need root and Debian's packages")
    missing = [package for program, package in packages.items() if not _has(program)]
    if missing:
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", *missing)


def _has(program: str) -> bool:
    return bool(shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"))


def _apt(*words: str) -> None:
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    command: Sequence[str] = ["apt-get", "-q", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise NotHere(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")
