"""What no file of this repository may hold."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "stoker"
MODULES = sorted(SOURCE.rglob("*.py"))
LOCKS = [ROOT / "requirements" / "dev.txt", *(ROOT / "benchmarks").glob("requirements*.txt")]
NODE_LOCKS = [ROOT / "benchmarks" / "package-lock.json"]

MOST_LINES = 600

REGISTRY_HOST = re.compile(
    r"""\b(?:[\w-]+\.)*
    (?:pypi|pythonhosted|anaconda|npmjs|yarnpkg|crates|rubygems|packagist|nuget|maven|debian)
    \.(?:org|com|io|net|dev)\b""",
    re.VERBOSE | re.IGNORECASE,
)
# The home of a person; that of a user inside a container image is nobody's.
HOME_PATH = re.compile(
    r"(?<![\w.])(?:/(?:home|Users)/(?!app\b|node\b|stoker\b|user\b)\w[\w.-]*|/root/(?!\.cache\b)[\w.]"
    r"|[A-Za-z]:\\Users\\\w)"
)

LOCKED = re.compile(
    r"""(?:
      [#].*
    | [\w.-]+(?:\[[\w,-]+\])?==[\w.!+]+(?:\ ;\ [\w\s'".<>=!()]+)?\ \\
    | \ {4}--hash=sha256:[0-9a-f]{64}(?:\ \\)?
    )?""",
    re.VERBOSE,
)

BANNED_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}
BANNED_CALLS = {"eval", "exec", "__import__", "yaml.load", "yaml.unsafe_load"}


def tracked_texts() -> Iterator[tuple[Path, str]]:
    # The owner of a checkout may be another user than the one who runs the tests.
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listing.returncode != 0:
        pytest.skip(f"not a git checkout: {listing.stderr.strip()}")
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" not in data:
            yield path, data.decode("utf-8")


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), start=1)
        for match in pattern.finditer(line)
    ]


def test_no_file_names_a_registry_host() -> None:
    assert found(REGISTRY_HOST) == []


def test_no_file_holds_the_path_of_a_home() -> None:
    assert found(HOME_PATH) == []


def test_the_patterns_find_what_they_are_for() -> None:
    hosts = ["https://files.python" + "hosted.org/x", "registry.npm" + "js.org", "py" + "pi.org"]
    homes = ["/home/" + "me/x", "/Users/" + "me", "in /root" + "/src", "C:\\Users\\" + "me"]

    assert all(REGISTRY_HOST.search(host) for host in hosts)
    assert all(HOME_PATH.search(home) for home in homes)
    assert not HOME_PATH.search("WORKDIR /home/node/app, and src/root/x.py")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_lock_holds_versions_and_hashes_and_nothing_else(lock: Path) -> None:
    lines = lock.read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if not LOCKED.fullmatch(line) or "://" in line] == []


@pytest.mark.parametrize("lock", NODE_LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_node_lock_holds_hashes_and_no_address(lock: Path) -> None:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    named = {name: package for name, package in packages.items() if name}

    assert all(package["integrity"].startswith("sha512-") for package in named.values())
    assert "://" not in lock.read_text(encoding="utf-8")


def banned_uses(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    if alias.name.partition(".")[0] in BANNED_MODULES:
                        yield f"{node.lineno}: import {alias.name}"
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in BANNED_MODULES:
                yield f"{node.lineno}: from {module}"
            case ast.Call(func=func) if ast.unparse(func) in BANNED_CALLS:
                yield f"{node.lineno}: {ast.unparse(func)}()"
            case _:
                pass


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_runs_no_data_and_keeps_its_size(module: Path) -> None:
    text = module.read_text(encoding="utf-8")

    assert list(banned_uses(ast.parse(text))) == []
    assert len(text.splitlines()) <= MOST_LINES


def test_a_banned_use_is_found() -> None:
    text = "import pickle\nfrom marshal import loads\neval('1')\nyaml.load(x)\n__import__('os')\n"

    assert len(list(banned_uses(ast.parse(text)))) == 5
    assert list(banned_uses(ast.parse("literal_eval('1')\nyaml.safe_load(x)\n"))) == []
