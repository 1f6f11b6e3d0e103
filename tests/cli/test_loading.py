"""From ``module:app`` to the application, and what is said where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stoker.app import Stoker
from stoker.cli.loading import load
from tests.cli.support import Shop, stoker

TWO = """
from stoker import Stoker
first = Stoker("sqlite:///1.db")
second = Stoker("sqlite:///2.db")
class Settings:
    app = first
number = 7
"""


@pytest.fixture
def modules(folder: Path) -> Path:
    """A folder of modules, good and bad."""
    (folder / "pack").mkdir()
    for name, text in {
        "two": TWO,
        "alias": "from two import first\nagain = first\n",
        "none": "x = 1\n",
        "missing": "import json\nimport nowhere_to_be_found\n",
        "below": "import broken\n",
        "broken": "def f():\n    return 1 / 0\n\nf()\n",
        "syntax": "x = (\n",
        "leaves": "import sys\nsys.exit(3)\n",
        "twice": "from stoker import Stoker\n"
        'app = Stoker("sqlite:///1.db")\n'
        "def f(): ...\n"
        'app.task(name="same")(f)\n'
        'app.task(name="same")(f)\n',
        "pack/__init__": "",
        "pack/jobs": "from stoker import Stoker\napp = Stoker('sqlite:///p.db')\n",
    }.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("two:second", "sqlite:///2.db"),
        ("two:Settings.app", "sqlite:///1.db"),
        ("alias", "sqlite:///1.db"),  # twice the same one
        ("pack.jobs:app", "sqlite:///p.db"),
        ("pack.jobs", "sqlite:///p.db"),
    ],
)
def test_an_app_is_found(modules: Path, reference: str, url: str) -> None:
    app = load(reference)

    assert isinstance(app, Stoker)
    assert str(app.url) == url


def test_the_current_directory_is_searched_first(modules: Path) -> None:
    load("two:first")

    assert sys.path[0] == str(modules)


ERRORS = {
    "toe:first": (
        "error: there is no module 'toe'\n"
        "hint: did you mean 'two'? it is searched for in {folder} and in this Python's packages\n"
    ),
    r"src\two.py:first": (
        "error: 'src\\\\two.py:first' does not name an app\n"
        "hint: name the module, as import does: src.two:first\n"
    ),
    r"C:\proj\two.py:first": (
        "error: 'C:\\\\proj\\\\two.py:first' does not name an app\n"
        "hint: in the folder it is in, name the module as import does: two:first\n"
    ),
    "/srv/my shop/two.py": (
        "error: '/srv/my shop/two.py' does not name an app\n"
        "hint: in the folder it is in, name the module as import does: two:app\n"
    ),
    "nowhere:app": (
        "error: there is no module 'nowhere'\n"
        "hint: it is searched for in {folder} and in this Python's packages\n"
    ),
    "pack.nowhere:app": (
        "error: there is no module 'pack.nowhere'\n"
        "hint: it is searched for in {folder} and in this Python's packages\n"
    ),
    "missing:app": (
        "error: module 'missing' cannot be imported\n"
        '    File "{folder}/missing.py", line 2, in <module>\n'
        "      import nowhere_to_be_found\n"
        "  ModuleNotFoundError: No module named 'nowhere_to_be_found'\n"
        "hint: install what provides 'nowhere_to_be_found' into {prefix}, or correct the import\n"
    ),
    "below:app": (
        "error: module 'below' cannot be imported\n"
        '    File "{folder}/below.py", line 1, in <module>\n'
        "      import broken\n"
        '    File "{folder}/broken.py", line 4, in <module>\n'
        "      f()\n"
        '    File "{folder}/broken.py", line 2, in f\n'
        "      return 1 / 0\n"
        "             ~~^~~\n"
        "  ZeroDivisionError: division by zero\n"
        "hint: correct it and try again\n"
    ),
    "syntax:app": (
        "error: module 'syntax' cannot be imported\n"
        '    File "{folder}/syntax.py", line 1\n'
        "      x = (\n"
        "          ^\n"
        "  SyntaxError: '(' was never closed\n"
        "hint: correct it and try again\n"
    ),
    "leaves:app": (
        "error: module 'leaves' cannot be imported\n"
        '    File "{folder}/leaves.py", line 2, in <module>\n'
        "      sys.exit(3)\n"
        "  SystemExit: 3\n"
        "hint: what is to run only as a script belongs below: if __name__ == '__main__':\n"
    ),
    "twice:app": (
        "error: module 'twice' cannot be imported\n"
        '    File "{folder}/twice.py", line 5, in <module>\n'
        '      app.task(name="same")(f)\n'
        "  ConfigError: two tasks are called 'same': twice.f and twice.f\n"
        "hint: give one of them another name=\n"
    ),
    "two": "error: module 'two' has 2 apps\nhint: there is: two:first, two:second\n",
    "none": (
        "error: there is no app in module 'none'\n"
        "hint: app = Stoker() makes one; name the module where that is\n"
    ),
    "two:third": ("error: module 'two' has no 'third'\nhint: there is: two:first, two:second\n"),
    "none:app": (
        "error: module 'none' has no 'app'\n"
        "hint: there is no Stoker in this module: app = Stoker() makes one\n"
    ),
    "two:number": (
        "error: two:number is not an app but of type int\nhint: there is: two:first, two:second\n"
    ),
    "two:Settings": (
        "error: two:Settings is not an app but a class\nhint: there is: two:first, two:second\n"
    ),
    "two.py:first": (
        "error: 'two.py:first' does not name an app\n"
        "hint: name the module, as import does: two:first\n"
    ),
    "pack/jobs.py": (
        "error: 'pack/jobs.py' does not name an app\n"
        "hint: name the module, as import does: pack.jobs:app\n"
    ),
    ":app": "error: ':app' does not name an app\nhint: for example: shop.jobs:app\n",
    "a b": "error: 'a b' does not name an app\nhint: for example: shop.jobs:app\n",
}


@pytest.mark.parametrize("reference", ERRORS)
def test_an_error_says_what_to_do(modules: Path, reference: str) -> None:
    wanted = ERRORS[reference].format(folder=modules, prefix=sys.prefix)

    result = stoker("worker", reference)

    assert (result.exit_code, result.stdout) == (1, "")
    assert without_carets(result.stderr) == without_carets(wanted)


def without_carets(text: str) -> str:
    """Where in a line an error is, no two versions of Python draw alike."""
    return "".join(line for line in text.splitlines(True) if line.strip(" ^~\n"))


def test_the_reference_can_come_from_the_environment(shop: Shop) -> None:
    result = stoker("check", env={"STOKER_APP": "shop:app"})

    assert result.exit_code == 0, result.output
