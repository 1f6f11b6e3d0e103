"""Where jobs are kept: how the place is written, who says it, and that no password is shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from rich.pretty import pretty_repr

from stoker import Stoker
from stoker.broker import make_broker
from stoker.config import MEMORY, BrokerURL, ServerAddress, WorkerSettings, broker_url
from stoker.errors import ConfigError
from stoker.job.states import State
from stoker.queue import Filter

SECRET = "geheim"


@pytest.mark.parametrize(
    ("text", "scheme", "path"),
    [
        ("sqlite:///jobs.db", "sqlite", "jobs.db"),
        ("sqlite:////var/jobs.db", "sqlite", "/var/jobs.db"),
        ("sqlite:///a%20b/100%25.db", "sqlite", "a b/100%.db"),
        ("sqlite:///../jobs.db", "sqlite", "../jobs.db"),
        ("sqlite://:memory:", "sqlite", MEMORY),
        ("sqlite:///:memory:", "sqlite", MEMORY),
        ("redis://localhost:6379/0", "redis", ""),
        ("rediss://user:pw@host/1", "rediss", ""),
    ],
)
def test_a_url_is_read(text: str, scheme: str, path: str) -> None:
    url = BrokerURL.parse(text)

    absolute = str(Path.cwd() / path) if scheme == "sqlite" and path != MEMORY else path
    assert (url.text, url.scheme, url.path) == (text, scheme, absolute)


async def test_a_relative_file_stays_where_it_is_when_the_process_changes_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()

    async with Stoker("sqlite:///jobs.db") as app:
        first = await app.queue().add("task")
        monkeypatch.chdir(tmp_path / "elsewhere")
        await app.queue().add("task")
        await app.close()

        assert len((await app.queue().find(Filter(state=State.WAITING))).jobs) == 2
        assert await first.state() is State.WAITING
    assert app.url.path == str(tmp_path / "jobs.db")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_relative_file_in_a_folder_that_is_gone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(ConfigError) as refusal:
        BrokerURL.parse("sqlite:///jobs.db", "STOKER_URL")

    assert refusal.value.message == (
        "broker URL 'sqlite:///jobs.db' (from STOKER_URL) is relative to a folder that was deleted"
    )
    assert BrokerURL.parse("sqlite:////srv/jobs.db").path == "/srv/jobs.db"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "broker URL '' has no scheme", "for a file: sqlite:///stoker.db"),
        ("jobs.db", "broker URL 'jobs.db' has no scheme", "for a file: sqlite:///jobs.db"),
        (
            "localhost:6379",
            "broker URL 'localhost:6379' has no scheme",
            "for Redis or Valkey: redis://localhost:6379",
        ),
        (
            f"ada:{SECRET}@shop:6379/1",
            "broker URL 'ada:***@shop:6379/1' has no scheme",
            "for Redis or Valkey: redis://ada:***@shop:6379/1",
        ),
        (
            "redis:/shop",
            "broker URL 'redis:/shop' has no scheme",
            "for example redis://host:6379/0",
        ),
        (
            "sqlite://jobs.db",
            "broker URL 'sqlite://jobs.db' names no file",
            "sqlite:///jobs.db is a relative path, sqlite:////data/jobs.db an absolute",
        ),
        (
            "sqlite:///",
            "broker URL 'sqlite:///' names no file",
            "sqlite:///jobs.db is a relative path, sqlite:////data/jobs.db an absolute",
        ),
    ],
)
def test_a_url_that_names_no_place_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        BrokerURL.parse(text)

    assert (refusal.value.message, refusal.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("redis://shop:abc", "its port 'abc' is no number up to 65535"),
        ("redis://shop:65536/0", "its port '65536' is no number up to 65535"),
        ("redis://shop/zero", "its database 'zero' is no number"),
        ("redis://shop/0/more", "nothing comes after the database, and here is 'more'"),
        ("redis+sentinel://shop", "it has to name what the sentinels watch"),
    ],
)
def test_what_cannot_be_read_of_a_servers_url_is_said(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        BrokerURL.parse(text, "STOKER_URL")

    assert refusal.value.message == (
        f"broker URL {text!r} (from STOKER_URL) cannot be read: {problem}"
    )
    assert (refusal.value.hint or "").startswith("for example redis")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("redsi", "redis"),
        ("redis+tls", "rediss"),
        ("sqllite", "sqlite"),
        ("valkey", "redis"),
        ("valkeys", "rediss"),
    ],
)
def test_a_mistyped_scheme_is_guessed(typed: str, meant: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        make_broker(f"{typed}://shop/0")

    assert refusal.value.hint == f"did you mean {meant}://?"


def test_a_scheme_that_no_broker_takes_is_refused_when_the_broker_is_made() -> None:
    with pytest.raises(ConfigError) as refusal:
        make_broker(f"carrier-pigeon://me:{SECRET}@loft")

    assert refusal.value.message == (
        "no broker for carrier-pigeon://me:***@loft: jobs are kept in SQLite, Redis or Valkey"
    )


SERVERS = {
    "redis://localhost": ServerAddress((("localhost", 6379),)),
    "redis://:p%40ss@h:7000/2": ServerAddress((("h", 7000),), database=2, password="p@ss"),
    "rediss://me:a/b?c@h?prefix=app&ssl_ca_certs=ca.pem": ServerAddress(
        (("h", 6379),),
        user="me",
        password="a/b?c",
        prefix="app",
        options=(("ssl_ca_certs", "ca.pem"),),
    ),
    "redis://[::1]:7000": ServerAddress((("::1", 7000),)),
    "redis://h?db=2": ServerAddress((("h", 6379),), database=2),
    "redis://h/1?db=2": ServerAddress((("h", 6379),), database=2),
    "unix:///run/redis.sock?db=3": ServerAddress(socket="/run/redis.sock", database=3),
    "redis+sentinel://a,b:7000/main/1": ServerAddress(
        (("a", 26379), ("b", 7000)), service="main", database=1
    ),
    "redis+cluster://a:1,b:2": ServerAddress((("a", 1), ("b", 2)), prefix="{bull}"),
}


@pytest.mark.parametrize("text", SERVERS)
def test_the_url_of_a_server_is_read(text: str) -> None:
    url = BrokerURL.parse(text)

    assert url.server == SERVERS[text]


@pytest.mark.parametrize(
    "text",
    [
        "redis://h:port/0",
        "redis://h/name",
        "redis://h/0/1",
        "redis+sentinel://h",
        "redis+cluster://h/1",
        "redis+cluster://h?prefix=bull",
        "unix:///s?db=x",
    ],
)
def test_the_url_of_a_server_that_cannot_be_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        BrokerURL.parse(text)

    assert text in refusal.value.message
    assert refusal.value.hint


@pytest.mark.parametrize("path", ["jobs.db", "/var/a b/100%.db", "Grüße?x=1#y.db"])
def test_the_url_of_a_file_leads_back_to_it(path: str) -> None:
    url = BrokerURL.of_file(PurePosixPath(path))

    assert BrokerURL.parse(url.text).path == str(Path.cwd() / path)


REDIS_PARTS = {"REDIS_HOST": "h", "REDIS_PORT": "7000", "REDIS_PASSWORD": "p@ss/w"}


@pytest.mark.parametrize(
    ("given", "env", "text"),
    [
        (None, {}, "sqlite:///stoker.db"),
        ("sqlite:///a.db", {"STOKER_URL": "sqlite:///b.db"}, "sqlite:///a.db"),
        (None, {"STOKER_URL": "sqlite:///b.db", "REDIS_URL": "redis://c"}, "sqlite:///b.db"),
        (None, {"REDIS_URL": "redis://c", **REDIS_PARTS}, "redis://c"),
        (None, {"STOKER_URL": "", "REDIS_URL": "redis://c"}, "redis://c"),
        (None, REDIS_PARTS, "redis://:p%40ss%2Fw@h:7000/0"),
        (None, {"REDIS_HOST": "h"}, "redis://h:6379/0"),
        (None, {"REDIS_HOST": "h", "REDIS_PORT": "", "REDIS_PASSWORD": ""}, "redis://h:6379/0"),
        (None, {"REDIS_PORT": "7000", "REDIS_PASSWORD": "p"}, "sqlite:///stoker.db"),
    ],
)
def test_who_is_closest_says_where_jobs_are_kept(
    given: str | None, env: Mapping[str, str], text: str
) -> None:
    assert broker_url(given, env).text == text


def test_an_app_asks_the_environment_unless_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOKER_URL", "sqlite:///of-the-environment.db")

    assert Stoker().url.text == "sqlite:///of-the-environment.db"
    assert Stoker("sqlite:///given.db").url.text == "sqlite:///given.db"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"redis://:{SECRET}@host:1/0", "redis://:***@host:1/0"),
        (f"redis://me:{SECRET}@host", "redis://me:***@host"),
        (f"redis://me:a/{SECRET}@host", "redis://me:***@host"),
        (f"redis://me:a#{SECRET}@host", "redis://me:***@host"),
        (f"redis://me:a?{SECRET}@host", "redis://me:***@host"),
        (f"redis://me:a@{SECRET}@host", "redis://me:***@host"),
        (f"redis://me:{SECRET}@[::1", "redis://me:***@[::1"),
        (f"redis://host/0?password={SECRET}&prefix=b", "redis://host/0?password=***&prefix=b"),
        (f"rediss://host?ssl_password={SECRET}", "rediss://host?ssl_password=***"),
        (
            f"redis+sentinel://:{SECRET}@host/name?sentinel_password=a%26{SECRET}",
            "redis+sentinel://:***@host/name?sentinel_password=***",
        ),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://me@host:6379/0", "redis://me@host:6379/0"),
        ("sqlite:////srv/a:b@c.db", "sqlite:////srv/a:b@c.db"),
    ],
)
@pytest.mark.parametrize("show", [str, repr, pretty_repr, "{}".format, "{!r}".format])
def test_a_url_is_shown_without_its_password(text: str, shown: str, show: Any) -> None:
    url = BrokerURL.parse(text)

    assert SECRET not in show(url)
    assert shown in show(url)
    assert SECRET not in show([{"url": url}])


@pytest.mark.parametrize("show", [str, repr, pretty_repr])
def test_nothing_that_holds_the_url_shows_the_password(show: Any) -> None:
    app = Stoker(f"redis://:{SECRET}@host")

    @app.task
    async def work() -> None: ...

    for holder in (app, app.url, app.client, app.queue(), app.queue().job("1"), work):
        assert SECRET not in show(holder)


@pytest.mark.parametrize(
    "text", [f"me:{SECRET}@host:6379", f"sqlite://me:{SECRET}@host", f"nowhere://:{SECRET}@host"]
)
def test_no_error_shows_the_password(text: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        make_broker(text)

    assert SECRET not in f"{refusal.value} {refusal.value!r}"
    assert "***@host" in str(refusal.value)


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"REDIS_URL": "amqp://localhost"}, "REDIS_URL"),
        ({"STOKER_URL": "amqp://localhost"}, "STOKER_URL"),
    ],
)
def test_a_refused_url_says_which_variable_it_is_from(env: dict[str, str], variable: str) -> None:
    url = broker_url(env=env)

    with pytest.raises(ConfigError, match=rf"\(from {variable}\)"):
        make_broker(url)


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"concurrency": "x"}, "concurrency='x' is not a whole number", None),
        ({"concurrency": True}, "concurrency=True is not a whole number", None),
        ({"concurrency": 0}, "concurrency=0 is not 1 or more", None),
        ({"processes": -1}, "processes=-1 is not 0 or more", None),
        ({"max_stalls": -1}, "max_stalls=-1 is not 0 or more", None),
        ({"lease_ms": "5s"}, "lease_ms='5s' is not a whole number", "milliseconds: 5_000 is 5 s"),
        ({"queues": "mail"}, "queues='mail' is not a tuple of names", "('mail',)"),
        ({"queues": (1,)}, "queues=(1,) is not a tuple of names", "('mail', 'pictures')"),
        ({"queues": 5}, "queues=5 is not a tuple of names", "('mail', 'pictures')"),
        (
            {"lease": "soon"},
            "WorkerSettings: there is no setting 'lease'",
            "did you mean 'lease_ms'?",
        ),
        (
            {"concurency": 3},
            "WorkerSettings: there is no setting 'concurency'",
            "did you mean 'concurrency'?",
        ),
    ],
)
def test_a_worker_s_setting_that_cannot_be_is_refused_where_it_is_made(
    given: dict[str, Any], message: str, hint: str | None
) -> None:
    with pytest.raises(ConfigError) as refusal:
        WorkerSettings(**given)

    assert (refusal.value.message, refusal.value.hint) == (message, hint)
