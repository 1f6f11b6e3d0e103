"""Commands for many jobs: count, ask, then go through them chunk by chunk."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
import msgspec

from stoker.app import Stoker
from stoker.broker.base import system_clock
from stoker.cli.named import Fate, fates
from stoker.cli.records import write_json
from stoker.cli.selection import Criteria, count_jobs
from stoker.cli.target import Target, chosen_queues, operate
from stoker.cli.verbs import Verb
from stoker.errors import ConfigError
from stoker.failure import REASONS
from stoker.job.states import State
from stoker.queue import Filter, Progress, Queue


class Part(msgspec.Struct, frozen=True):
    """What is to be done in one queue."""

    queue: str
    which: Filter
    most: int


class Order(msgspec.Struct, frozen=True):
    """Who is meant, as the command line said it."""

    ids: tuple[str, ...]
    criteria: Criteria
    everything: bool = False
    yes: bool = False
    as_json: bool = False
    dry_run: bool = False


class Plan(msgspec.Struct, frozen=True):
    """All that is to be done where filters say to what."""

    parts: Sequence[Part]
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
    if order.ids:
        _carry_out_named(app, verb, order)
        return
    plan = operate(app, lambda app: _plan(app, verb, order))
    if order.dry_run:
        changed = operate(app, lambda app: _count(app, plan))
    else:
        if plan.most and not order.yes:
            _ask(verb, plan, order.criteria)
        changed = operate(app, lambda app: _sweep(app, verb, plan)) if plan.most else {}
    if order.as_json:
        write_json(_answer(verb, order, changed, left_out=plan.left_out))
        return
    click.echo(f"{verb.done(dry_run=order.dry_run)}: {_jobs(sum(changed.values()))}.")
    if plan.left_out:
        reasons = ",".join(verb.leaves_out)
        click.echo(f"Left out: {_jobs(plan.left_out)} ({reasons}); --reason {reasons}", err=True)


def _carry_out_named(app: Stoker, verb: Verb, order: Order) -> None:
    found = operate(
        app, lambda app: fates(app, verb, order.ids, order.criteria, dry_run=order.dry_run)
    )
    refused = [each for each in found if each.why_not]
    changed: Counter[str] = Counter()
    for each in found:
        if not each.why_not:
            changed[each.queue or ""] += each.changed
    if order.as_json:
        write_json(_answer(verb, order, changed, found))
    else:
        _tell_each(verb, order, found)
        if changed or not refused:
            click.echo(f"{verb.done(dry_run=order.dry_run)}: {_jobs(changed.total())}.")
    if refused:
        raise click.exceptions.Exit(1)


def _tell_each(verb: Verb, order: Order, found: Sequence[Fate]) -> None:
    done = verb.done(dry_run=order.dry_run)
    for each in found:
        if each.state is None:
            click.echo(f"error: {each.why_not}", err=True)
        elif each.why_not:
            click.echo(f"error: {each.job} is {each.state}: {each.why_not}", err=True)
        elif len(found) > 1:
            click.echo(f"{each.job}: {done[0].lower()}{done[1:]}")
    for hint in dict.fromkeys(each.hint for each in found):
        if hint:
            click.echo(f"hint: {hint}", err=True)


def _answer(
    verb: Verb,
    order: Order,
    changed: Mapping[str, int],
    named: Sequence[Fate] = (),
    *,
    left_out: int = 0,
) -> dict[str, Any]:
    return {
        "verb": verb.name,
        "changed": sum(changed.values()),
        "queues": changed,
        "refused": [_refusal(each) for each in named if each.why_not],
        "done": [{"queue": each.queue, "id": each.id} for each in named if not each.why_not],
        "left_out": left_out,
        "dry_run": order.dry_run,
    }


def _refusal(each: Fate) -> dict[str, Any]:
    return {
        "queue": each.queue,
        "id": each.id,
        "state": each.state,
        "reason": each.why_not,
        "hint": each.hint,
    }


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


async def _count(app: Stoker, plan: Plan) -> dict[str, int]:
    """Return how many there are now, by queue."""
    counts: Counter[str] = Counter()
    for part in plan.parts:
        counts[part.queue] += await count_jobs(app.queue(part.queue), part.which)
    return counts


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


def _jobs(count: int) -> str:
    return f"{count:,} job{'' if count == 1 else 's'}"
