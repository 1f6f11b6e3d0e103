"""A class as a task: its payload's type, its settings, and what it is refused for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest

from stoker import Backoff, ConfigError, InvalidPayload, JobContext, Keep, Processor, Stoker
from stoker.config import WorkerSettings
from stoker.errors import StokerError
from stoker.job.retry import Policy

T = TypeVar("T")
U = TypeVar("U")


@dataclass
class Picture:
    path: str
    width: int = 200


class Direct(Processor[Picture]):
    async def process(self, job: JobContext[Picture]) -> str:
        return f"{job.data.path}@{job.data.width}"


class Inherited(Direct):
    pass


class Generically(Processor[T], Generic[T]):
    async def process(self, job: JobContext[T]) -> str:
        return repr(job.data)


class Bound(Generically[Picture]):
    pass


class Pair(Generically[U], Generic[T, U]):
    pass


class Swapped(Pair[int, T]):
    pass


class BoundTwice(Swapped[Picture]):
    pass


class Unbound(Generically[T]):
    pass


class Labelled(Generic[T]):
    pass


class OfSomething(Labelled[int]):
    pass


class Behind(OfSomething, Direct):
    pass


class Mixed(dict[str, int], Processor[Picture]):
    async def process(self, job: JobContext[Picture]) -> None: ...


@pytest.mark.parametrize("cls", [Direct, Inherited, Bound, BoundTwice, Behind, Mixed])
async def test_the_payload_type_is_found_wherever_it_was_said(
    app: Stoker, cls: type[Processor[Picture]]
) -> None:
    app.processor(cls)

    job = await cls.enqueue(Picture("cat.png"))

    assert (await job.record()).data == '{"path":"cat.png","width":200}'
    assert cls.handler.decode('{"path":"cat.png"}') == Picture("cat.png")
    with pytest.raises(InvalidPayload):
        await cls.enqueue({"path": 1})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("cls", [Unbound, Generically, type("Bare", (Processor,), {"process": 1})])
def test_a_payload_of_no_type_is_refused(app: Stoker, cls: Any) -> None:
    with pytest.raises(ConfigError) as refusal:
        app.processor(cls)

    assert refusal.value.message == f"{cls.__name__} does not say what its payload is"


def test_a_processor_without_process_is_refused(app: Stoker) -> None:
    with pytest.raises(ConfigError) as refusal:

        @app.processor
        class Idle(Processor[Picture]):
            pass

    assert refusal.value.message == "Idle has no process()"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"queue": "a:b"}, "Wrong.queue='a:b' is not a name"),
        ({"name": "a b "}, "Wrong.name='a b ' is not a name"),
        ({"attempts": 0}, "Wrong: attempts=0 is not a whole number from 1 to 1000000"),
        ({"run_in": "thread"}, "Wrong: async def runs on the event loop"),
        ({"concurrency": 0}, "Wrong: concurrency=0 is not 1 or more"),
        ({"concurrency": True}, "Wrong: concurrency=True is not 1 or more"),
        ({"concurrency": "3"}, "Wrong: concurrency='3' is not 1 or more"),
        ({"conncurrency": 3}, "Wrong.conncurrency: there is no such setting or hook"),
        ({"delay": "5s"}, "Wrong.delay: it is not a setting of a processor, but of a job"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_registration(
    app: Stoker, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as refusal:
        app.processor(type("Wrong", (Direct,), fields))

    assert refusal.value.message == message
    assert app.registry.handlers() == []


MISSPELT: list[tuple[str, Any, str]] = [
    ("conncurrency", 3, "concurrency"),
    ("max_attempts", 3, "attempts"),
    ("time_out", "5s", "timeout"),
    ("keep_fail", False, "keep_failed"),
    ("set_up", lambda self: None, "setup"),
    ("on_death", lambda self, job, failure: None, "on_dead"),
]


@pytest.mark.parametrize(("name", "value", "meant"), MISSPELT)
def test_a_misspelt_setting_or_hook_is_refused_with_a_guess(
    app: Stoker, name: str, value: Any, meant: str
) -> None:
    parent = type("Parent", (Direct,), {name: value})

    with pytest.raises(ConfigError) as refusal:
        app.processor(type("Child", (parent,), {}))

    assert refusal.value.message == f"Child.{name}: there is no such setting or hook"
    assert refusal.value.hint == f"did you mean {meant!r}? One of your own begins with _"


def test_attributes_of_one_s_own_are_left_alone(app: Stoker) -> None:
    @app.processor
    class Thumbnails(Direct):
        size = 3
        names = ("a", "b")
        _timeouts = 5
        bucket: str

        def process_one(self) -> None: ...

        @property
        def queues(self) -> int:
            return 1

    assert Thumbnails.handler.name == "Thumbnails"


async def test_its_settings_are_those_of_its_jobs(app: Stoker) -> None:
    @app.processor
    class Thumbnails(Direct):
        queue = "pictures"
        name = "thumbnail"
        priority = 7
        attempts = 2
        backoff = Backoff.fixed(1)
        timeout = "1m"
        keep_failed = 5
        concurrency = 3

    record = await (await Thumbnails.enqueue(Picture("a"))).record()

    assert (record.queue, record.name, record.priority) == ("pictures", "thumbnail", 7)
    assert Thumbnails.handler.concurrency == 3
    assert Thumbnails.handler.policy == Policy(
        attempts=2, backoff=Backoff.fixed(1), timeout_ms=60_000, keep_failed=Keep(count=5)
    )


async def test_options_apply_to_the_jobs_added_through_them_only(app: Stoker) -> None:
    cls = app.processor(type("Thumbnails", (Direct,), {}))

    twice = cls.options(attempts=1).options(priority=3)
    one = await (await twice.enqueue(Picture("a"))).record()
    other = await (await cls.enqueue(Picture("a"))).record()

    assert (one.name, one.priority, one.options) == ("Thumbnails", 3, '{"attempts":1}')
    assert (other.name, other.priority, other.options) == ("Thumbnails", 0, "{}")


ENQUEUE: list[Callable[[Any], Awaitable[object]]] = [
    lambda cls: cls.enqueue(Picture("a")),
    lambda cls: cls.enqueue_many([Picture("a")]),
    lambda cls: cls.options(attempts=1).enqueue(Picture("a")),
]


@pytest.mark.parametrize("enqueue", ENQUEUE)
async def test_a_class_that_is_not_registered_cannot_be_enqueued(enqueue: Any) -> None:
    cls = type("Forgotten", (Direct,), {})

    with pytest.raises(ConfigError) as refusal:
        await enqueue(cls)

    assert refusal.value.message == "Forgotten is not registered"
    assert refusal.value.hint == "put @app.processor above the class"


@pytest.mark.parametrize("enqueue", ENQUEUE)
async def test_a_subclass_is_not_registered_by_its_parent(app: Stoker, enqueue: Any) -> None:
    parent = app.processor(type("Parent", (Direct,), {}))
    child = type("Child", (parent,), {})

    with pytest.raises(ConfigError, match=r"^Child is not registered"):
        await enqueue(child)


async def test_the_payload_limit_of_the_app_holds_for_its_processors() -> None:
    async with Stoker("sqlite://:memory:", payload_limit=40) as app:
        cls = app.processor(type("Thumbnails", (Direct,), {}))

        for enqueue in (cls.enqueue, lambda picture: cls.enqueue_many([picture])):
            with pytest.raises(InvalidPayload, match="the limit is 40"):
                await enqueue(Picture("x" * 40))


async def test_a_payload_by_name_is_checked(app: Stoker) -> None:
    app.processor(type("Thumbnails", (Direct,), {"queue": "pictures"}))

    job = await app.queue("pictures").add("resize", {"path": "a.png"})

    assert (await job.record()).data == '{"path":"a.png"}'
    with pytest.raises(InvalidPayload) as refusal:
        await app.queue("pictures").add("resize", {"path": "a.png", "width": "wide"})
    assert refusal.value.path == "width"
    assert refusal.value.hint is None


def test_payloads_are_enqueued_from_synchronous_code(app: Stoker) -> None:
    cls = app.processor(type("Thumbnails", (Direct,), {}))

    job = cls.enqueue_sync(Picture("a"))

    assert app.run(job.record()).name == "Thumbnails"


async def test_an_instance_is_set_up_once_used_for_all_jobs_and_torn_down_once(
    app: Stoker,
) -> None:
    seen: list[Any] = []

    @app.processor
    class Counting(Direct):
        async def setup(self) -> None:
            seen.append("setup")

        async def process(self, job: JobContext[Picture]) -> str:
            seen.append((id(self), job.data.path, job.queue, job.name, job.attempt))
            return ""

        async def teardown(self) -> None:
            seen.append("teardown")

    await Counting.enqueue_many([Picture("a"), Picture("b")])
    await (await app.worker(WorkerSettings(burst=True))).run()

    [first, one, two, last] = seen
    assert (first, last) == ("setup", "teardown")
    assert one[0] == two[0]
    assert [one[1:], two[1:]] == [(p, "default", "Counting", 1) for p in ("a", "b")]


async def test_a_setup_that_fails_ends_the_worker_before_it_claims(app: Stoker) -> None:
    @app.processor
    class Broken(Direct):
        async def setup(self) -> None:
            raise StokerError("no connection")

    job = await Broken.enqueue(Picture("a"))
    with pytest.raises(StokerError, match="no connection"):
        await (await app.worker(WorkerSettings(burst=True))).run()

    assert (await job.record()).starts == 0
