"""Commands for many jobs: count, ask, then go through them chunk by chunk."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager

import click
import msgspec

from stoker.app import Stoker
from stoker.broker.base import system_clock
from stoker.cli.records import write_json
from stoker.cli.selection import Criteria, count_jobs
from stoker.cli.target import Target, chosen_queues, find_job, operate
from stoker.errors import ConfigError
from stoker.job.model import REASONS, JobRecord, Reason
from stoker.job.states import FINISHED, UNFINISHED, State
from stoker.queue import Filter, Progress, Queue

Which = Filter | Iterable[str]
Sweep = Callable[[Queue, Which, Progress], Awaitable[int]]


class Verb(msgspec.Struct, frozen=True):
    """Something that can be done to many jobs."""

    name: str
    states: frozenset[State]
    """The states in which it can be done."""
    usual: tuple[State, ...]
    """The states meant if none is named."""
    sweep: Sweep
    question: str
    past: str
    refusal: str
    """What is wrong with a job in another state."""
    leaves_out: tuple[Reason, ...] = ()
    """Of dead letters, those that filters alone do not mean."""
    on_request: Mapping[State, str] = {}
    """Of the states, those that an id alone does not mean, and what to say then."""
    held: str = ""
    """What is wrong with one that was named, and to which it was not done all the same."""
    by_state: bool = False
    """Filters have to name a state, unless they are to take all there are."""


class Part(msgspec.Struct, frozen=True):
    """What is to be done in one queue."""

    queue: str
    which: Filter | tuple[str, ...]
    most: int


class Order(msgspec.Struct, frozen=True):
    """Who is meant, as the command line said it."""

    ids: tuple[str, ...]
    criteria: Criteria
    everything: bool = False
    yes: bool = False
    as_json: bool = False


class Plan(msgspec.Struct, frozen=True):
    """All that is to be done, and the jobs for which it cannot be."""

    parts: Sequence[Part]
    refused: Sequence[JobRecord] = ()
    left_out: int = 0
    """Jobs that the filters match but the verb does not mean."""

    @property
    def most(self) -> int:
        """Jobs at the most."""
        return sum(part.most for part in self.parts)


def carry_out(verb: Verb, target: Target, order: Order) -> None:
    """Do it, or raise what is wrong with the order. Exits with 1 if a job is refused."""
    _check(verb, order)
    app = target.open()
    plan = operate(app, lambda app: _plan(app, verb, order))
    if not order.ids and plan.most and not order.yes:
        _ask(verb, plan, order.criteria)
    done = operate(app, lambda app: _sweep(app, verb, plan)) if plan.most else {}
    if order.ids and verb.held:
        stayed = operate(app, lambda app: _stayed(app, plan))
        plan = msgspec.structs.replace(plan, refused=[*plan.refused, *stayed])
    _tell(verb, plan, done, order)
    if plan.refused:
        raise click.exceptions.Exit(1)


def _check(verb: Verb, order: Order) -> None:
    if order.ids and (order.criteria.narrow or order.everything):
        raise click.UsageError("Give either ids or filters.")
    for state in order.criteria.states:
        if state not in verb.states:
            raise click.UsageError(f"A job that is {state} {verb.refusal}.")
    if order.ids:
        return
    if order.criteria.empty and not order.everything:
        raise click.UsageError(f"Which jobs? Give ids or filters, or --all to {verb.name} all.")
    if verb.by_state and not (order.criteria.states or order.everything):
        raise click.UsageError(f"Say which: --state {','.join(sorted(verb.states))}.")


async def _plan(app: Stoker, verb: Verb, order: Order) -> Plan:
    if order.ids:
        return await _plan_ids(app, verb, order)
    counts = {queue.name: queue.counts for queue in await app.queues()}
    parts: list[Part] = []
    left_out = 0
    for which in map(_settled, order.criteria.filters(verb.usual)):
        for name in await chosen_queues(app, order.criteria.queues):
            count = counts[name].get(which.state, 0)
            part, others = await _part(app.queue(name), verb, which, count)
            parts.append(part)
            left_out += others
    return Plan([part for part in parts if part.most], left_out=left_out)


async def _part(queue: Queue, verb: Verb, which: Filter, most: int) -> tuple[Part, int]:
    """Return what is to be done in a queue, and how many jobs the verb does not mean."""
    chosen = which.state is not State.FAILED or which.reasons is not None
    if chosen or not verb.leaves_out or not most:
        return Part(queue.name, which, most), 0
    left_out = await count_jobs(queue, _failed_for(which, verb.leaves_out))
    meant = _failed_for(which, REASONS.difference(verb.leaves_out))
    return Part(queue.name, meant, max(0, most - left_out)), left_out


def _failed_for(which: Filter, reasons: Iterable[str]) -> Filter:
    return msgspec.structs.replace(which, reasons=tuple(sorted(reasons)))


async def _plan_ids(app: Stoker, verb: Verb, order: Order) -> Plan:
    ids: dict[str, list[str]] = {}
    refused: list[JobRecord] = []
    for id in dict.fromkeys(order.ids):
        job = (await find_job(app, id, order.criteria.queues)).job
        if _why_not(verb, order, job.state) is None:
            ids.setdefault(job.queue, []).append(id)
        else:
            refused.append(job)
    return Plan([Part(queue, tuple(own), len(own)) for queue, own in ids.items()], refused)


async def _stayed(app: Stoker, plan: Plan) -> list[JobRecord]:
    """Return the jobs that were to go, by their ids, and are still there."""
    broker = await app.client.broker()
    named = [(part.queue, id) for part in plan.parts for id in _ids_of(part)]
    details = [await broker.detail(queue, id) for queue, id in named]
    return [detail.job for detail in details if detail is not None]


def _ids_of(part: Part) -> tuple[str, ...]:
    return part.which if isinstance(part.which, tuple) else ()


def _why_not(verb: Verb, order: Order, state: State) -> str | None:
    """Return why nothing is done to a job that was named, if its state forbids it."""
    if state not in verb.states:
        return verb.refusal
    asked = order.criteria.states
    if asked:
        return None if state in asked else f"is left alone, for --state says {','.join(asked)}"
    return verb.on_request.get(state)


def _settled(filter: Filter) -> Filter:
    """Leave out what joins the state from now on.

    A replayed job that fails again at once would otherwise be replayed again, without end.
    """
    if filter.state is State.DELAYED:  # its time is when it falls due
        return filter
    now = system_clock() + 1
    until = now if filter.until is None else min(filter.until, now)
    return msgspec.structs.replace(filter, until=until)


def _ask(verb: Verb, plan: Plan, criteria: Criteria) -> None:
    at_most = "up to " if criteria.narrow else ""
    queues = ", ".join(dict.fromkeys(part.queue for part in plan.parts))
    question = verb.question.format(jobs=f"{at_most}{_jobs(plan.most)} of {queues}")
    if not sys.stdin.isatty():
        raise ConfigError(
            f"not done, for nobody is here to be asked: {question}", hint="add --yes to mean it"
        )
    if not click.confirm(question, err=True):
        click.echo("Nothing was changed.", err=True)
        raise click.exceptions.Exit(1)


async def _sweep(app: Stoker, verb: Verb, plan: Plan) -> dict[str, int]:
    done: dict[str, int] = {}
    with _bar(verb, plan.most) as advance:
        for part in plan.parts:
            count = await verb.sweep(app.queue(part.queue), part.which, advance)
            done[part.queue] = done.get(part.queue, 0) + count
    return done


@contextmanager
def _bar(verb: Verb, total: int) -> Generator[Progress]:
    if not sys.stderr.isatty() or total < 2:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from stoker.cli.tables import screen

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen(stderr=True), transient=True) as bar:
        task = bar.add_task(verb.name, total=total)
        yield lambda changed: bar.advance(task, changed)


def _tell(verb: Verb, plan: Plan, done: Mapping[str, int], order: Order) -> None:
    changed = sum(done.values())
    if order.as_json:
        refused = [
            {
                "queue": job.queue,
                "id": job.id,
                "state": job.state,
                "reason": f"it {_why_not(verb, order, job.state) or verb.held}",
            }
            for job in plan.refused
        ]
        answer = {"verb": verb.name, "changed": changed, "queues": done, "refused": refused}
        write_json(answer | ({"left_out": plan.left_out} if verb.leaves_out else {}))
        return
    for job in plan.refused:
        why = _why_not(verb, order, job.state) or verb.held
        click.echo(f"job {job.id} of {job.queue} is {job.state}: it {why}", err=True)
    if changed or not plan.refused:
        click.echo(f"{verb.past} {_jobs(changed)}.")
    if plan.left_out:
        reasons = ",".join(verb.leaves_out)
        click.echo(f"Left out: {_jobs(plan.left_out)} ({reasons}); --reason {reasons}", err=True)


def _jobs(count: int) -> str:
    return f"{count:,} job{'' if count == 1 else 's'}"


RETRY = Verb(
    "retry", FINISHED | {State.DELAYED}, (State.FAILED,),
    lambda queue, which, progress: queue.requeue(which, progress=progress),
    "Run {jobs} again from the start?", "Put back in line:", "is not finished", ("cancelled",),
    {State.COMPLETED: "has done its work; --state completed runs it once more"},
)  # fmt: skip
PROMOTE = Verb(
    "promote", frozenset({State.DELAYED}), (State.DELAYED,),
    lambda queue, which, progress: queue.requeue(which, progress=progress),
    "Let {jobs} run now?", "Put in line:", "is not delayed",
)  # fmt: skip
CANCEL = Verb(
    "cancel", UNFINISHED, (State.WAITING, State.DELAYED, State.ACTIVE),
    lambda queue, which, progress: queue.cancel(which, "cancelled by an operator", progress),
    "Cancel {jobs}?", "Cancelled:", "is finished already",
)  # fmt: skip
REMOVE = Verb(
    "remove", frozenset(State) - {State.ACTIVE},
    (State.WAITING, State.DELAYED, State.FAILED, State.COMPLETED),
    lambda queue, which, progress: queue.remove(which, progress=progress),
    "Delete {jobs} for good?", "Deleted:", "is running; --force deletes it all the same",
    held="waits for a child that is running; --force deletes both", by_state=True,
)  # fmt: skip
FORCE_REMOVE = Verb(
    "remove", frozenset(State), tuple(State),
    lambda queue, which, progress: queue.remove(which, force=True, progress=progress),
    "Delete {jobs} for good?", "Deleted:", "", by_state=True,
)  # fmt: skip
CLEAN = Verb(
    "clean", FINISHED, (State.COMPLETED,), REMOVE.sweep,
    "Delete {jobs} for good?", "Deleted:", "is not finished; see stoker job rm",
)  # fmt: skip
REPLAY = Verb(
    "replay", frozenset({State.FAILED}), (State.FAILED,), RETRY.sweep,
    "Run {jobs} again from the start?", "Put back in line:", "is no dead letter", ("cancelled",),
)  # fmt: skip
PURGE = Verb(
    "purge", frozenset({State.FAILED}), (State.FAILED,), REMOVE.sweep,
    "Delete {jobs} for good?", "Deleted:", "is no dead letter",
)  # fmt: skip
