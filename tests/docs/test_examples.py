"""The runner of the pages' code blocks runs them, and fails where a page is wrong."""

import importlib
from pathlib import Path

import pytest
from sybil.example import SybilFailure

from tests.docs.examples import commands, examples, matches, set_up, tear_down


def run(folder: Path, text: str) -> None:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    document = examples(folder).parse(page)
    set_up(document.namespace)
    try:
        for example in document.examples():
            example.evaluate()
    finally:
        tear_down(document.namespace)


def test_the_blocks_of_a_page_are_one_story(tmp_path: Path) -> None:
    run(
        tmp_path,
        """
```python
# shop/prices.py
async def price(pieces: int) -> int:
    return pieces * 3
```

```python
from shop.prices import price as again

total = await price(2) + await again(1)
```

```python
assert total == 9
```

```console
$ python -c 'from shop.prices import price; print(price.__name__, 42)'
price ...
$ ls shop/prices.py
```

```sh
exit 1
```
""",
    )


@pytest.mark.parametrize("file", ["left_behind.py", "left_behind/again.py"])
def test_a_page_leaves_nothing_behind(tmp_path: Path, file: str) -> None:
    before = Path.cwd()

    run(tmp_path, f"```python\n# {file}\nx = 1\n```\n")

    assert Path.cwd() == before
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("left_behind")


@pytest.mark.parametrize(
    ("block", "error"),
    [
        ("```python\nassert 1 == 2\n```\n", AssertionError),
        ("```python\n# wrong.py\nimport nowhere_to_be_found\n```\n", ModuleNotFoundError),
        ("```console\n$ exit 3\n```\n", SybilFailure),
        ("```console\n$ echo yes\nno\n```\n", SybilFailure),
        ("```console\necho yes\n```\n", ValueError),
    ],
)
def test_a_wrong_page_fails(tmp_path: Path, block: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        run(tmp_path, block)


def test_a_console_block_is_commands_with_their_output() -> None:
    text = "$ one \\\n  more\nits output\n$ two\n"

    assert commands(text) == [("one \\\n  more", "its output"), ("two", "")]


def test_dots_stand_for_any_output() -> None:
    assert matches("job ... done", "job 17 is\ndone\n")
    assert not matches("job ... done", "job 17 failed\n")
