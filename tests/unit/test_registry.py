"""Which handler runs a job, and what is said of a name that nobody has."""

from __future__ import annotations

from typing import Any

import pytest

from stoker import ConfigError, InvalidPayload, Processor, Stoker, UnknownTask


@pytest.fixture
def app() -> Stoker:
    """An application with two tasks and a processor."""
    app = Stoker("sqlite://:memory:")

    @app.task
    async def remind(customer: int) -> None: ...

    @app.task(queue="mail", name="mail.send")
    def send(to: str) -> None: ...

    @app.processor
    class Thumbnails(Processor[dict[str, Any]]):
        queue = "pictures"

        async def process(self, job: Any) -> None: ...

    return app


@pytest.mark.parametrize(
    ("queue", "name", "found"),
    [
        ("default", "remind", "remind"),
        ("mail", "mail.send", "mail.send"),
        ("another", "mail.send", "mail.send"),
        ("mail", "send", None),
        ("default", "Thumbnails", "Thumbnails"),
        ("pictures", "Thumbnails", "Thumbnails"),
        ("pictures", "whatever", "Thumbnails"),
        ("pictures", "remind", "Thumbnails"),
        ("nowhere", "whatever", None),
    ],
)
def test_a_job_is_its_queues_and_only_where_no_processor_is_a_task_of_another_queue_has_it(
    app: Stoker, queue: str, name: str, found: str | None
) -> None:
    handler = app.registry.find(queue, name)

    assert (handler and handler.name) == found


def test_handlers_and_queues_are_in_the_order_of_registration(app: Stoker) -> None:
    @app.task(name="late")
    def another() -> None: ...

    names = [handler.name for handler in app.registry.handlers()]

    assert names == ["remind", "mail.send", "Thumbnails", "late"]
    assert app.registry.queues() == ["default", "mail", "pictures"]


def test_two_tasks_of_one_name_are_refused_with_both_places(app: Stoker) -> None:
    with pytest.raises(ConfigError) as refusal:

        @app.task(queue="elsewhere", name="remind")
        def another() -> None: ...

    here = f"{__name__}.app.<locals>.remind"
    there = f"{__name__}.{test_two_tasks_of_one_name_are_refused_with_both_places.__name__}"
    assert refusal.value.message == (
        f"two tasks are called 'remind': {here} and {there}.<locals>.another"
    )
    assert refusal.value.hint == "give one of them another name="


def test_two_processors_of_one_queue_are_refused(app: Stoker) -> None:
    with pytest.raises(ConfigError, match=r"^queue 'pictures' has two processors: ") as refusal:

        @app.processor
        class Posters(Processor[dict[str, Any]]):
            queue = "pictures"

            def process(self, job: Any) -> None: ...

    assert refusal.value.hint == "one processor takes all jobs of its queue; use two queues"
    handler = app.registry.find("pictures", "x")
    assert handler is not None
    assert handler.name == "Thumbnails"


def test_a_task_may_share_its_queue_with_a_processor(app: Stoker) -> None:
    @app.task(queue="pictures")
    def rotate() -> None: ...

    found = [app.registry.find("pictures", name) for name in ("rotate", "resize")]

    assert [handler and handler.name for handler in found] == ["rotate", "Thumbnails"]


@pytest.mark.parametrize(
    ("queue", "name", "message", "hint"),
    [
        (
            "default",
            "remnid",
            "name='remnid': there is no such task in queue 'default'",
            "did you mean 'remind'?",
        ),
        (
            "mail",
            "x",
            "name='x': there is no such task in queue 'mail'",
            "known: mail.send",
        ),
    ],
)
def test_a_name_that_the_app_would_know_is_refused_with_a_guess(
    app: Stoker, queue: str, name: str, message: str, hint: str
) -> None:
    with pytest.raises(UnknownTask) as refusal:
        app.registry.encode(queue, name, {}, 100)

    assert (refusal.value.message, refusal.value.hint) == (message, hint)


def test_a_queue_without_tasks_here_takes_any_object(app: Stoker) -> None:
    assert app.registry.encode("of-another-app", "x", {"a": [1]}, 100) == '{"a":[1]}'

    with pytest.raises(InvalidPayload, match=r"^of-another-app\.add\('x'\): .*the limit is 100"):
        app.registry.encode("of-another-app", "x", {"a": "x" * 100}, 100)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("remind", {"customer": "seven"}, "remind(): customer: "),
        ("remind", {}, "remind() missing 1 required argument: 'customer'"),
        ("remind", {"customer": 7, "by": "mail"}, "remind() got an unexpected keyword argument"),
    ],
)
def test_data_by_name_is_checked_as_the_task_would_check_it(
    app: Stoker, name: str, data: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        app.registry.encode("default", name, data, 100)

    assert refusal.value.message.startswith(message)
    assert app.registry.encode("default", name, {"customer": 7}, 100) == '{"customer":7}'
