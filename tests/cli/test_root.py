"""The command itself: help, versions, and how errors are shown."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from stoker.app import Stoker
from stoker.cli import main
from stoker.cli.root import COMMANDS
from stoker.job.model import NewJob
from tests.cli.support import URL, Shop, ok, stoker

GROUPS = {
    "queue": ["ls", "pause", "resume", "clean"],
    "job": ["ls", "show", "logs", "retry", "promote", "cancel", "rm"],
    "dead": ["ls", "show", "replay", "purge"],
}
PAGES = [[name] for name in COMMANDS] + [
    [group, name] for group, names in GROUPS.items() for name in names
]


def test_the_version_names_all_that_a_report_needs() -> None:
    shown = ok("--version")

    python = ".".join(map(str, sys.version_info[:3]))
    assert re.fullmatch(rf"stoker \d\S*\n\w+ {python} on .+\nSQLite 3\.\d+\.\d+\n", shown)


@pytest.mark.parametrize("page", PAGES, ids=" ".join)
def test_every_command_explains_itself_with_an_example(page: list[str]) -> None:
    shown = ok(*page, "--help")

    assert re.search(r"Examples?: stoker " + " ".join(page[:1]), shown)
    assert max(map(len, shown.splitlines())) <= 80


def test_all_commands_are_listed() -> None:
    shown = ok("--help")

    assert re.findall(r"^  (\w+)  ", shown, re.MULTILINE) == list(COMMANDS)


def test_a_command_is_imported_only_when_it_is_used() -> None:
    code = (
        "import sys, stoker.cli.worker, stoker.cli.root, stoker.cli.seeing;"
        "print(sorted(name for name in sys.modules if name in "
        "('rich', 'watchfiles', 'stoker.cli.check', 'stoker.cli.demo', 'importlib.metadata')))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout == "[]\n", done.stderr


USAGE = {
    ("wroker", "shop"): "No such command 'wroker'. Did you mean 'worker'?",
    ("worker",): "Missing argument 'MODULE:APP'.",
    ("job", "ls", "--limit", "many"): "Invalid value for '--limit': 'many' is not a whole number",
    ("worker", "shop", "-c", "0"): (
        "Invalid value for '-c' / '--concurrency' (env var: 'STOKER_CONCURRENCY', "
        "'WORKER_CONCURRENCY'): 0 is not 1 or more"
    ),
    ("worker", "shop", "--grace", "soon"): (
        "Invalid value for '--grace' (env var: 'STOKER_GRACE'): 'soon' is not a duration: "
        "30 (seconds), 500ms, 10m, 1h30m, 7d; at most 36500d"
    ),
    ("worker", "shop", "--lease", "20ms"): (
        "Invalid value for '--lease' (env var: 'STOKER_LEASE'): '20ms' is too short: at least 1s"
    ),
    ("worker", "shop", "-q", "a:b"): (
        "Invalid value for '-q' / '--queues' (env var: 'STOKER_QUEUES'): queue='a:b' is not a name"
        ": 1 to 255 printable characters, none of them : { } *, and no space at either end"
    ),
    ("job", "ls", "--state", "lost"): (
        "Invalid value for '--state': 'lost' is no state: "
        "waiting, delayed, active, completed, failed"
    ),
    ("job", "ls", "--since", "lately"): (
        "Invalid value for '--since': 'lately' is no time: "
        "2h (ago), 2026-11-22 or 2026-11-22T14:00Z"
    ),
    ("job", "ls", "--app", "shop", "--url", URL): (
        "Give either --app or --url: an app knows its URL."
    ),
    ("job", "cancel", "--url", URL): "Which jobs? Give ids or filters, or --all to cancel all.",
    ("job", "cancel", "1", "--all", "--url", URL): "Give either ids or filters.",
    ("job", "retry", "--state", "active", "--url", URL): "A job that is active is not finished.",
    ("job", "rm", "--queue", "mail", "--url", URL): (
        "Say which: --state completed,delayed,failed,waiting."
    ),
    ("enqueue", "shop:app"): "Which task of shop:app? stoker enqueue shop:app TASK",
    ("enqueue", "send"): (
        "Whose task is 'send'? stoker enqueue MODULE:APP send, --app or STOKER_APP"
    ),
    ("enqueue", "to=ada"): "Which task? stoker enqueue MODULE:APP TASK [KEY=VALUE]...",
    ("enqueue", "shop:app", "send", "ada"): "'ada' is not KEY=VALUE.",
    ("enqueue", "shop:app", "send", "to=ada", "3"): "'3' is not KEY=VALUE.",
    ("enqueue", "shop:app", "send", "to=ada", "to=bob"): "'to' is given twice.",
    ("enqueue", "shop:app", "send", "--data", "{"): (
        "--data is not JSON: Input data was truncated. A shell takes it in single quotes, keys and "
        'text in double ones: \'{"to": "ada@example.com"}\''
    ),
    ("enqueue", "shop:app", "send", "--data", "[1]"): (
        '--data is no JSON object, such as {"to": "ada@example.com"}.'
    ),
    ("enqueue", "shop:app", "send", "a=1", "--data", "{}"): "Give either KEY=VALUE or --data.",
    ("enqueue", "shop:app", "send", "--url", URL): (
        "Give either MODULE:APP or --url: an app knows its URL."
    ),
}


@pytest.mark.parametrize("command", USAGE, ids=" ".join)
def test_what_makes_no_sense_is_refused(shop: Shop, command: tuple[str, ...]) -> None:
    result = stoker(*command)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == f"Error: {USAGE[command]}"
    assert not (shop.folder / "jobs.db").exists()


def test_an_error_names_the_variable_a_url_is_from(shop: Shop) -> None:
    missing = stoker("queue", "ls", env={"STOKER_URL": "sqlite:///job.db"})
    mistyped = stoker("queue", "ls", env={"STOKER_URL": "jobs.db"})

    assert missing.stderr.startswith(
        f"error: there is no file {shop.folder}/job.db (from STOKER_URL)\n"
    )
    assert mistyped.stderr.startswith(
        "error: broker URL 'jobs.db' (from STOKER_URL) has no scheme\n"
    )


ERRORS = {
    ("queue", "ls"): (
        "error: there is no file {folder}/stoker.db\n"
        "hint: --url or STOKER_URL says where the jobs are; --app uses the application's own\n"
    ),
    ("queue", "ls", "--url", "sqlite:///."): (
        "error: {folder} is a folder, and jobs are kept in a file\n"
        "hint: for example {folder}/stoker.db\n"
    ),
    ("queue", "ls", "--url", "nonsense"): (
        "error: broker URL 'nonsense' has no scheme\nhint: for a file: sqlite:///nonsense\n"
    ),
    ("queue", "ls", "--url", "amqp://me:hush@host/1"): (
        "error: no broker for amqp://me:***@host/1: jobs are kept in SQLite, Redis or Valkey\n"
        "hint: set STOKER_URL=sqlite:///path/to/file.db or redis://host:6379/0, "
        "or pass such a URL to Stoker()\n"
    ),
    ("queue", "ls", "--url", "sqlite://:memory:"): (
        "error: sqlite://:memory: is the memory of one process: no other process sees its jobs\n"
        "hint: keep them in a file: sqlite:///stoker.db\n"
    ),
    ("queue", "ls", "--url", "sqlite:///notes.txt"): (
        "error: {folder}/notes.txt is damaged or not a SQLite file: file is not a database\n"
        "hint: check that it is the right file; if so, restore it from a backup, or salvage it "
        "with: sqlite3 FILE .recover\n"
    ),
    ("queue", "pause", "mial", "--app", "shop"): (
        "error: there is no queue 'mial'\nhint: did you mean 'mail'?\n"
    ),
    ("queue", "pause", "elsewhere", "--app", "shop"): (
        "error: there is no queue 'elsewhere'\nhint: there is: default, mail, pictures, slow\n"
    ),
    ("job", "show", "17", "--app", "shop"): (
        "error: there is no job 17 in the 4 queues\n"
        "hint: it was removed, or its retention has passed; stoker job ls shows what there is\n"
    ),
    ("job", "retry", "17", "-q", "mail", "--app", "shop"): (
        "error: there is no job 17 in queue 'mail'\n"
        "hint: it was removed, or its retention has passed; stoker job ls shows what there is\n"
    ),
    ("enqueue", "shop", "sned", "to=ada"): (
        "error: there is no task 'sned'\nhint: did you mean 'send'?\n"
    ),
    ("enqueue", "shop", "nothing"): (
        "error: there is no task 'nothing'\nhint: there is: send, remind, bounce, crawl, Picture\n"
    ),
    ("enqueue", "shop", "send", "too=ada"): (
        "error: send() got an unexpected keyword argument 'too'\nhint: it takes to, copies\n"
    ),
    ("enqueue", "shop", "send"): (
        "error: send() missing 1 required argument: 'to'\nhint: it takes to, copies\n"
    ),
    ("enqueue", "shop", "send", "to=007"): "added job 1 to mail\n",  # 007 is no JSON, so text
    ("enqueue", "shop", "send", "to=7"): (
        "error: send(): to: expected str, got int\n"
        "hint: text that could be JSON needs its quotes: code='\"007\"'\n"
    ),
    ("enqueue", "shop", "remind", "on=tomorrow"): (
        "error: remind(): on: not a date such as 2026-12-24\n"
    ),
    ("enqueue", "shop", "send", "to=ada", "--priority", "-1"): (
        "error: send(): priority=-1 is not a whole number from 0 to 2097151\n"
    ),
    ("enqueue", "shop", "send", "to=ada", "--id", "17"): (
        "error: send(): id='17' cannot be a job's id\n"
        "hint: text of 1 to 255 printable characters without ':', and not a whole number: "
        "those are the ids that the broker gives\n"
    ),
    ("worker", "shop", "-q", "nowhere"): (
        "error: no task belongs to queue 'nowhere'\nhint: there is: mail, default, slow, pictures\n"
    ),
}


def test_a_queue_without_tasks_that_the_environment_names_is_said_to_be_from_there(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOKER_QUEUES", "mail,nowhere")

    result = stoker("worker", "shop")

    assert result.output == (
        "error: no task belongs to queue 'nowhere'\n"
        "hint: there is: mail, default, slow, pictures; the queues are from STOKER_QUEUES\n"
    )
    assert result.exit_code == 1


@pytest.mark.parametrize("command", ERRORS, ids=" ".join)
def test_an_error_says_what_is_wrong_and_what_to_do(shop: Shop, command: tuple[str, ...]) -> None:
    (shop.folder / "notes.txt").write_text("buy milk\n" * 100, encoding="utf-8")

    result = stoker(*command)

    assert result.output == ERRORS[command].replace("{folder}", str(shop.folder))
    assert result.exit_code == ERRORS[command].startswith("error")


def test_with_json_an_error_is_json(shop: Shop) -> None:
    result = stoker("job", "show", "17", "--json", "--app", "shop")

    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads(result.stderr) == {
        "error": {
            "type": "JobNotFound",
            "message": "there is no job 17 in the 4 queues",
            "hint": "it was removed, or its retention has passed; "
            "stoker job ls shows what there is",
        }
    }


@pytest.mark.parametrize(
    ("words", "message", "command"),
    [
        (("enqueue", "send", "--data", "{", "--app", "shop"), "--data is not JSON: ", "enqueue"),
        (("job", "ls", "--state", "zzz"), "Invalid value for '--state': 'zzz' is no", "job ls"),
        (("job", "rm"), "Which jobs? Give ids or filters, or --all to remove all.", "job rm"),
        (("job", "ls", "--colour"), "No such option", "job ls"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_with_json_a_usage_error_is_json_too(
    shop: Shop, words: tuple[str, ...], message: str, command: str
) -> None:
    result = stoker(*words, "--json")

    error = json.loads(result.stderr)["error"]
    assert (result.exit_code, result.stdout, error["type"]) == (2, "", "UsageError")
    assert error["message"].startswith(message)
    assert error["hint"] == f"main {command} --help"
    assert stoker(*words).stderr.startswith("Usage: ")


def test_an_error_nobody_foresaw_is_one_line_unless_debugged(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("the sky fell")

    monkeypatch.setattr("stoker.cli.target.load", fail)

    result = stoker("queue", "ls", "--app", "shop")
    debugged = stoker("--debug", "queue", "ls", "--app", "shop")

    assert result.exit_code == 1
    assert result.stderr == (
        "error: RuntimeError: the sky fell\nhint: stoker --debug … shows where it comes from\n"
    )
    assert isinstance(debugged.exception, RuntimeError)


def test_control_c_ends_with_130(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stoker.cli.target.load", interrupt)

    assert stoker("queue", "ls", "--app", "shop").exit_code == 130


def test_python_m_stoker_is_the_same(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stoker", "queue", "ls"], capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr == CliRunner().invoke(main, ["queue", "ls"]).stderr


@pytest.mark.parametrize("more", [[], ["--json"]], ids=["table", "json"])
def test_a_reader_that_leaves_is_no_reason_to_complain(shop: Shop, more: list[str]) -> None:
    shop.do(fill)
    command = [sys.executable, "-m", "stoker", "job", "ls", "--url", URL, "--limit", "5000", *more]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()

    assert complaint == b""
    assert process.returncode in (0, 141)  # 0 if it noticed nothing


async def fill(app: Stoker) -> None:
    """Add more jobs than fit a pipe."""
    broker = await app.client.broker()
    await broker.add([NewJob("mail", "send", id=f"{number:a>200}") for number in range(2_000)])


@pytest.mark.parametrize("group", [[], ["queue"], ["job"], ["dead"], ["sidecar"]], ids=" ".join)
def test_the_help_of_a_group_has_whole_sentences(group: list[str]) -> None:
    listed = ok(*group, "--help").partition("Commands:\n")[2].partition("\n\n")[0]

    assert [line for line in listed.splitlines() if not line.endswith(".")] == []
    assert "..." not in listed


def test_without_a_client_for_redis_it_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for loaded in list(sys.modules):
        if loaded.startswith("stoker.broker.redis"):
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, "redis", None)

    result = stoker("queue", "ls", "--url", "redis://shop/0")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "error: a broker at redis://shop/0 needs the package redis, which is not installed\n"
        "hint: pip install 'stoker[redis]', or in a clone of Stoker: pip install '.[redis]'\n"
    )


@pytest.mark.parametrize("lacks", ["", "from redis.nowhere import Nobody\n"])
def test_a_client_for_redis_that_is_too_old_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    for loaded in list(sys.modules):
        if loaded.partition(".")[0] == "redis" or loaded.startswith("stoker.broker.redis"):
            monkeypatch.delitem(sys.modules, loaded)
    (folder / "redis").mkdir()
    (folder / "redis" / "__init__.py").write_text(lacks, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))

    result = stoker("queue", "ls", "--url", "redis://shop/0")

    assert (result.exit_code, result.stdout) == (1, "")
    error, hint = result.stderr.splitlines()
    assert error.startswith("error: a broker at redis://shop/0 needs another version of redis than")
    assert hint == "hint: pip install --upgrade 'stoker[redis]'"
