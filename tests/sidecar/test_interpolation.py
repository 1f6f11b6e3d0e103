"""What Compose puts into a text: the rules of its specification, and texts that break them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.sidecar.detect import detect
from stoker.sidecar.interpolation import LONGEST, asked, escape, filled, required, settled
from tests.sidecar.detect.test_outside import SHOWN, compose, planned

KNOWN = {"A": "a", "EMPTY": "", "B": "b"}


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("$A/${A}", "a/a"),
        ("$EMPTY|${EMPTY}|", "||"),
        ("$NONE|${NONE}|", "$NONE|${NONE}|"),
        ("$A_B ${A}_B", "$A_B a_B"),
        ("${A:-x} ${EMPTY:-x} ${NONE:-x}", "a x x"),
        ("${A-x} ${EMPTY-x} ${NONE-x}", "a  x"),
        ("${A:+x} ${EMPTY:+x} ${NONE:+x}", "x  "),
        ("${A+x} ${EMPTY+x} ${NONE+x}", "x x "),
        ("${A:?x} ${EMPTY:?x} ${NONE:?x}", "a ${EMPTY:?x} ${NONE:?x}"),
        ("${A?x} ${EMPTY?x} ${NONE?x}", "a  ${NONE?x}"),
        ("${NONE:-} ${NONE-}", " "),
        ("${A:-x${NONE:-y}}", "a"),
        ("${NONE:-x${NO:-y}}", "xy"),
        ("${NONE:-x${B:-y}}", "xb"),
        ("${NONE:-x${NO:-y${N:-z}}}!", "xyz!"),
        ("${NONE:-${NO}}", "${NO}"),
        ("${A:+${B}-${NO:-z}}", "b-z"),
        ("${NONE:-redis://:$B@${HOST:-redis}:6379}", "redis://:b@redis:6379"),
        ("${NONE:-a-b?c+d}", "a-b?c+d"),
        ('${NONE:-{"a": {"b": 1}}}', '{"a": {"b": 1}}'),
        ("$$A $${A:-x} $$$A", "$A ${A:-x} $a"),
        ("${NONE:-$$x}", "$x"),
        ("{$A}", "{a}"),
        ("${A:-x", "${A:-x"),
        ("$A ${NONE:-x${B} $A", "a ${NONE:-x${B} $A"),
        ("$ $1 $(x) ${1} ${A%x} ${A:=x}", "$ $1 $(x) ${1} ${A%x} ${A:=x}"),
        ("100$", "100$"),
    ],
)
def test_a_text_is_filled_as_compose_does_it(text: str, made: str) -> None:
    assert filled(text, KNOWN) == made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("plain", "plain"),
        ("a$$b", "a$b"),
        ("${A:-x${B-y}}", "xy"),
        ("${A:+x}", ""),
        ("${A:+$B}", ""),
        ("$A", None),
        ("${A:?x}", None),
        ("${A:-x$B}", None),
        ("${A:-x", None),
        ("$", None),
    ],
)
def test_a_text_is_settled_if_nobody_else_has_a_say(text: str, made: str | None) -> None:
    assert settled(text) == made


def test_what_has_to_be_said_is_found_wherever_it_stands() -> None:
    value = {"a": ["${A:?x}", {"b": "$${NO:?x} ${B?x}"}], "c": "${C:-${D:?x}}", "d": [1, None]}

    assert list(asked(value)) == ["A", "B", "D"]
    assert list(asked(required("A"))) == ["A"]


@given(st.text(st.sampled_from("$${}A:-+?x ")))
def test_whatever_it_is_escaped_it_stays_as_it_is(text: str) -> None:
    assert filled(escape(text), {"A": "a"}) == settled(escape(text)) == text
    filled(text, {"A": "a"})
    settled(text)
    list(asked(text))


def test_what_is_nested_without_an_end_or_grows_stays_as_it_is() -> None:
    for text in ("${A:-" * 1_000, "${A:-" * 1_000 + "}" * 1_000, "$A" * LONGEST):
        assert filled(text, {}) == text
    assert filled("$A$A", {"A": "a" * LONGEST}) == "$A$A"


@pytest.mark.parametrize(
    "dotenv",
    [
        "HOST=queue.example.net\nREDIS_URL=rediss://shop:s3cret@${HOST:-x${DB:-y}}:6380/2\n",
        "REDIS_URL=rediss://shop:s3cret@${NONE:-queue${DB:-.example}.net}:6380/${NO-2}\n",
    ],
)
def test_defaults_in_defaults_of_dotenv_are_read(dotenv: str, tmp_path: Path) -> None:
    plan = planned(tmp_path, {".env": dotenv})

    assert plan.stores[0].outside == SHOWN


def test_defaults_in_defaults_of_a_compose_file_are_filled_from_dotenv(tmp_path: Path) -> None:
    url = "${URL:-rediss://shop:s3cret@${HOST:-${OTHER:-redis}}:6380/2}"
    dotenv = "HOST=queue.example.net\n"

    plan = planned(
        tmp_path, {"compose.yaml": compose("environment:", f"  REDIS_URL: {url}"), ".env": dotenv}
    )

    assert plan.stores[0].outside == SHOWN


def test_a_file_of_variables_whose_name_has_a_variable_is_found(tmp_path: Path) -> None:
    files = {
        "compose.yaml": compose("env_file: ${STAGE:-dev}.env"),
        ".env": "STAGE=live\n",
        "dev.env": "REDIS_URL=redis://localhost\n",
        "live.env": "REDIS_URL=rediss://shop:s3cret@queue.example.net:6380/2\n",
    }

    assert planned(tmp_path, files).stores[0].outside == SHOWN


def test_a_command_is_what_dotenv_makes_of_it_but_for_its_secrets(tmp_path: Path) -> None:
    command = "celery -A ${APP:-none} worker -Q ${QUEUES-x} -b redis://:$REDIS_PASSWORD@redis"
    (tmp_path / "requirements.txt").write_text("celery[redis]\n")
    (tmp_path / "shop.py").write_text("from celery import Celery\napp = Celery('shop')\n")
    (tmp_path / "compose.yaml").write_text(
        f"services:\n  w:\n    build: .\n    command: {command}\n"
    )
    (tmp_path / ".env").write_text("APP=shop\nQUEUES=mail\nREDIS_PASSWORD=hunter2\n")

    [unit] = detect(tmp_path).units

    line = " ".join(unit.command)
    assert "celery -A shop worker -Q mail" in line
    assert "$REDIS_PASSWORD" in line
    assert "hunter2" not in line
