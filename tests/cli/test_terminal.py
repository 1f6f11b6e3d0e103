"""On a terminal: questions, colours, progress, 80 columns."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
from pathlib import Path

import pytest

from stoker.app import Stoker
from stoker.job.model import NewJob
from stoker.job.states import State
from tests.cli.support import URL, Shop

pytestmark = pytest.mark.system

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
CONTROL_C = "\x03"
QUESTION = b"[y/N]: "
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(folder: Path, *arguments: str, answer: str = "", **env: str) -> tuple[int, str]:
    """Run ``stoker`` on a terminal of 80 columns; ``answer`` is typed at a question."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        environment = os.environ | {"TERM": "xterm-256color"} | env
        os.execve(sys.executable, [sys.executable, "-m", "stoker", *arguments], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    shown = b""
    again = ""
    while more := _read(terminal, again):
        shown += more
        if answer and QUESTION in shown:
            os.write(terminal, answer.encode())
            answer, again = "", answer if answer == CONTROL_C else ""
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), shown.decode().replace("\r\n", "\n")


def _read(terminal: int, again: str) -> bytes:
    """Read what is shown; nothing at the end.

    ``again`` is typed once more if nothing happens: a Ctrl-C in the very moment between question
    and wait goes unheard, and nobody's fingers are that quick.
    """
    while again and not select.select([terminal], [], [], 1.0)[0]:
        os.write(terminal, again.encode())
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how Linux says that the other side is gone
        return b""


def add_many(shop: Shop, count: int) -> None:
    async def add(app: Stoker) -> None:
        broker = await app.client.broker()
        for start in range(0, count, 500):
            await broker.add([NewJob("mail", "send")] * min(500, count - start))

    shop.do(add)


def test_yes_does_it_with_a_progress_bar(shop: Shop) -> None:
    add_many(shop, 1_200)

    code, shown = on_terminal(
        shop.folder, "job", "cancel", "--queue", "mail", "--url", URL, answer="y\n"
    )

    plain = ESCAPE.sub("", shown)
    assert code == 0
    assert plain.startswith("Cancel 1,200 jobs of mail? [y/N]: y\n")
    assert re.search(r"cancel ━+ 1200/1200", plain)
    assert plain.rstrip().endswith("Cancelled: 1,200 jobs.")
    assert shop.states() == {State.FAILED: 1_200}


def test_the_question_says_where_the_number_is_a_bound(shop: Shop) -> None:
    add_many(shop, 3)

    _, shown = on_terminal(
        shop.folder, "job", "cancel", "--name", "send", "--url", URL, answer="y\n"
    )

    assert ESCAPE.sub("", shown).startswith("Cancel up to 3 jobs of mail? [y/N]: ")


def test_no_leaves_all_as_it_was(shop: Shop) -> None:
    add_many(shop, 3)

    code, shown = on_terminal(shop.folder, "job", "cancel", "--all", "--url", URL, answer="n\n")

    assert code == 1
    assert shown.endswith("Nothing was changed.\n")
    assert shop.states() == {State.WAITING: 3}


def test_control_c_at_the_question_ends_with_130(shop: Shop) -> None:
    add_many(shop, 3)

    code, shown = on_terminal(shop.folder, "job", "cancel", "--all", "--url", URL, answer=CONTROL_C)

    assert code == 130
    assert "Traceback" not in shown
    assert shop.states() == {State.WAITING: 3}


def test_tables_fit_and_have_colours(shop: Shop) -> None:
    long = "order-" + "0123456789" * 6
    shop.add("a_task_with_a_rather_long_name_indeed", id=long)
    shop.fail(message="ValueError: " + "what went wrong is a long story " * 5)
    shop.add("login", "another-queue-with-a-long-name", delay="3h")

    code, shown = on_terminal(shop.folder, "job", "ls", "--url", URL)

    plain = ESCAPE.sub("", shown)
    assert code == 0
    assert max(map(len, plain.splitlines())) <= 80
    assert "ValueError" in plain
    assert COLOUR.search(shown)
    ids = "".join(line.split("  ")[0] for line in plain.splitlines()[2:])
    assert long in ids  # whole, over several lines


@pytest.mark.parametrize("command", [["job", "ls"], ["queue", "ls"], ["job", "show", "1"]])
def test_no_color_means_none(shop: Shop, command: list[str]) -> None:
    shop.add()
    shop.add(delay="1h")

    _, coloured = on_terminal(shop.folder, *command, "--url", URL)
    _, shown = on_terminal(shop.folder, *command, "--url", URL, NO_COLOR="1")

    assert re.search(r"\x1b\[[0-9;]*3[0-7]m", coloured)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)


def test_what_a_job_says_does_nothing_to_the_terminal(shop: Shop) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J[bold]markup[/bold]"
    id = shop.add(data={"to": evil})
    shop.fail(message=f"ValueError: {evil}")

    for command in (["job", "ls"], ["dead", "ls"], ["job", "show", id]):
        _, shown = on_terminal(shop.folder, *command, "--url", URL)
        assert "\x1b]0" not in shown
        assert "\x1b[2J" not in shown
        assert "[bold]markup[/bold]" in shown
