"""Which machine, which versions, which command: without it a figure says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.processes import ROOT
from benchmarks.raw import sync_ms
from benchmarks.systems import Kind


def machine(folder: Path, command: str) -> dict[str, str]:
    """Return what a reader has to know whatever was measured, by name."""
    p50, p99 = sync_ms(folder)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": command,
        "commit": _commit(),
        "python": f"{platform.python_implementation()} {platform.python_version()}, asyncio",
        "machine": f"{platform.system()} {platform.release()}, {_processor()}, "
        f"{os.cpu_count()} cores, {_memory_gib():.0f} GiB, load before {load}",
        "disk": f"{_shown(folder.parent)}: write 4 KiB and sync p50 {p50:.2f} ms, p99 {p99:.2f} ms",
    }


def identity(folder: Path, kinds: Sequence[Kind], command: str) -> dict[str, str]:
    """Return what a reader has to know of a run on SQLite."""
    return {
        **machine(folder, command),
        **{kind.name: kind.description.version for kind in kinds},
        "durability": "WAL; an add or a finish is answered once the disk has it",
    }


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _shown(folder: Path) -> str:
    inside = folder.resolve()
    return str(inside.relative_to(ROOT)) if inside.is_relative_to(ROOT) else str(inside)


def _commit() -> str:
    def git(*command: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *command], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "src")
    return (git("rev-parse", "--short", "HEAD") or "?") + (" with changes in src" * bool(changed))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )
