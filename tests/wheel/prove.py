"""Prove that a wheel works alone: python tests/wheel/prove.py dist/stoker-….whl

It is compared with the source tree, installed in a new virtual environment outside the repository
together with its run-time dependencies and nothing else, and then has to carry one job from add to
finish.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LOCK = ROOT / "requirements" / "dev.txt"


def main(wheel: Path) -> None:
    compare_with_source(wheel)
    with tempfile.TemporaryDirectory(prefix="stoker-wheel-") as folder:
        home = Path(folder)
        python = install(wheel, home)
        refuse_development_tools(python)
        run_journey(python, home)
    print(f"{wheel.name} works alone")


def compare_with_source(wheel: Path) -> None:
    """Every file of the package is in the wheel, SQL and templates no less than Python."""
    source = ROOT / "src"
    wanted = {
        path.relative_to(source).as_posix()
        for path in (source / "stoker").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("stoker/")}
    if wanted != packed:
        difference = sorted(wanted ^ packed)
        sys.exit(f"the wheel and src/stoker differ in {', '.join(difference)}")
    if "stoker/py.typed" not in packed:
        sys.exit("the wheel has no py.typed")


def install(wheel: Path, home: Path) -> Path:
    """Install the wheel with the versions of the lock, and return the interpreter that has it."""
    venv.create(home / "venv", with_pip=True, symlinks=True)
    python = home / "venv" / "bin" / "python"
    versions = re.findall(r"^[\w.-]+==[^\\\n]+", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    constraints = home / "constraints.txt"
    constraints.write_text("\n".join(line.rstrip() for line in versions), encoding="utf-8")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--constraint", constraints, wheel], check=True)
    return python


def refuse_development_tools(python: Path) -> None:
    """What a development tool brought along would hide a missing dependency."""
    listing = subprocess.run(
        [python, "-m", "pip", "--disable-pip-version-check", "list", "--format=freeze"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    installed = {line.partition("==")[0].lower() for line in listing.splitlines()}
    if unwanted := installed & {"pytest", "ruff", "pyright", "watchfiles", "pydantic", "huey"}:
        sys.exit(f"the wheel brings {', '.join(sorted(unwanted))} along")


def run_journey(python: Path, home: Path) -> None:
    work = home / "work"
    work.mkdir()
    for name in ("hello.py", "journey.py"):
        shutil.copy(HERE / name, work)
    # What the caller's shell says about Python or Stoker must not help.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "STOKER", "VIRTUAL_ENV"))
    }
    subprocess.run([python, "journey.py"], check=True, cwd=work, env=environment, timeout=120)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: {Path(sys.argv[0]).name} WHEEL")
    main(Path(sys.argv[1]).resolve())
