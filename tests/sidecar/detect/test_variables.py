"""Variables of scripts and Makefiles: put in where the file says them, or left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.sidecar.detect.shell import steps
from stoker.sidecar.detect.variables import put_in, put_in_recipes

SCRIPT = """\
ROOT="$(cd "$(dirname "$0")/.." && pwd)"
: "${QUEUES:=mail,reports}"
LEVEL=${LOG_LEVEL:-info}
COUNT=$(nproc)
OPTIONS=(-E "--loglevel=$LEVEL")
read -r NODE < /etc/node
export APP=shop
"""


def commands(text: str, *arguments: str) -> list[str]:
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1)]
    filled = [line for _, line in put_in(lines, "deploy", arguments)]
    return [" ".join(step.words) for line in filled for step in steps(line)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("celery -A $APP worker", "celery -A shop worker"),
        ('celery -A "${APP}" worker -Q "$QUEUES"', "celery -A shop worker -Q mail,reports"),
        ('celery -A a worker "${OPTIONS[@]}"', "celery -A a worker -E --loglevel=info"),
        ("celery -A a worker -c $COUNT -l info", "celery -A a worker -l info"),
        ("celery -A a worker --concurrency=$COUNT", "celery -A a worker"),
        ('celery -A a worker -n "$NODE"', "celery -A a worker"),
        ("celery -A a worker -n w-${SHA::7}", "celery -A a worker"),
        ("celery -A a worker -c ${CPUS:-2}", "celery -A a worker -c 2"),
        ("node $ROOT/dist/worker.js", "node dist/worker.js"),
        ("$ROOT/.venv/bin/celery -A a worker", "celery -A a worker"),
        ("/srv/app/venv/bin/rq worker", "rq worker"),
        ("$(which rq) worker", "rq worker"),
        ("export C_FORCE_ROOT=1 && rq worker", "rq worker"),
        ("Q=mail; rq worker $Q", "rq worker mail"),
        ("rq worker ${1:-mail}", "rq worker mail"),
        ("rq worker $1", "rq worker"),
        ("celery -A a worker -Q $OUTSIDE", "celery -A a worker -Q $OUTSIDE"),
    ],
)
def test_what_a_script_says_is_put_in(line: str, words: str) -> None:
    assert commands(SCRIPT + line)[-1] == words


def test_arguments_are_put_in_until_they_are_shifted_away() -> None:
    text = 'echo "$1"\nshift\nrq worker "$@"'

    assert commands(text, "worker", "high", "low")[-1] == "rq worker high low"


def test_what_an_option_sets_is_by_default_what_was_there_before() -> None:
    text = 'QUEUES=mail\nwhile [ $# -gt 0 ]; do\n  QUEUES="$2"\ndone\nrq worker $QUEUES'

    assert commands(text)[-1] == "rq worker mail"


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("\t$(VENV)/bin/celery -A $(APP) worker", "celery -A shop worker"),
        ("\trq worker $$QUEUE", "rq worker $QUEUE"),
        ("\tcelery -A a worker -c $(shell nproc)", "celery -A a worker"),
        ("\t$(BIN) worker -c $(or $(COUNT),4)", "bin/shop worker -c 4"),
        ("\trq worker $(or $(NAME), $(APP) , mail)", "rq worker shop"),
        ("    celery -A {{ APP }} worker", "celery -A shop worker"),
        ("    celery -A a worker -n {{arg}}", "celery -A a worker"),
    ],
)
def test_what_a_makefile_or_a_justfile_says_is_put_in(recipe: str, words: str) -> None:
    text = f"APP := shop\nBIN = bin/$(APP)\nCOUNT =\nVENV ?= .venv\nworker:\n{recipe}"
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1)]
    *_, (_, filled) = put_in_recipes(lines)

    assert [" ".join(step.words) for step in steps(filled)] == [words]


PARTS = ("A=$A$A", "${", "}", '"', "'", "(", ")", "$(", "`", "$1", "${A:-${B}", "read A", ";#")


@given(st.lists(st.sampled_from(PARTS)))
def test_whatever_a_script_says_its_lines_stay_short(parts: list[str]) -> None:
    lines = [(1, "A=" + "x" * 3_000), (2, "A=$A$A"), (3, "A=$A$A"), (4, "".join(parts))]

    assert all(len(line) < 10_000 for _, line in put_in(lines, "."))
