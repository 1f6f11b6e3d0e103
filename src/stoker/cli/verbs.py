"""What can be done to jobs that are there: in which states, and in which words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import msgspec

from stoker.failure import Reason
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
    removes: bool = False
    """Whether it has been done to a job that is gone."""
    by_state: bool = False
    """Filters have to name a state, unless they are to take all there are."""

    def why_not(self, state: State, asked: Sequence[State]) -> str | None:
        """Return why nothing is done to a job that was named, if its state forbids it."""
        if state not in self.states:
            return self.refusal
        if asked:
            return None if state in asked else f"is left alone, for --state says {','.join(asked)}"
        return self.on_request.get(state)

    def done(self, *, dry_run: bool = False) -> str:
        """Return what was done to jobs, or would be: ``Cancelled``, ``Would be cancelled``."""
        return f"Would be {self.past[0].lower()}{self.past[1:]}" if dry_run else self.past


RETRY = Verb(
    "retry", FINISHED | {State.DELAYED}, (State.FAILED,),
    lambda queue, which, progress: queue.requeue(which, progress=progress),
    "Run {jobs} again from the start?", "Put back in line", "is not finished", ("cancelled",),
    {State.COMPLETED: "has done its work; --state completed runs it once more"},
)  # fmt: skip
PROMOTE = Verb(
    "promote", frozenset({State.DELAYED}), (State.DELAYED,),
    lambda queue, which, progress: queue.requeue(which, progress=progress),
    "Let {jobs} run now?", "Put in line", "is not delayed",
)  # fmt: skip
CANCEL = Verb(
    "cancel", UNFINISHED, (State.WAITING, State.DELAYED, State.ACTIVE),
    lambda queue, which, progress: queue.cancel(which, "cancelled by an operator", progress),
    "Cancel {jobs}?", "Cancelled", "is finished already",
)  # fmt: skip
REMOVE = Verb(
    "remove", frozenset(State) - {State.ACTIVE},
    (State.WAITING, State.DELAYED, State.FAILED, State.COMPLETED),
    lambda queue, which, progress: queue.remove(which, progress=progress),
    "Delete {jobs} for good?", "Deleted", "is running; --force deletes it all the same",
    held="waits for a child that is running; --force deletes both", removes=True, by_state=True,
)  # fmt: skip
FORCE_REMOVE = Verb(
    "remove", frozenset(State), tuple(State),
    lambda queue, which, progress: queue.remove(which, force=True, progress=progress),
    "Delete {jobs} for good?", "Deleted", "", removes=True, by_state=True,
)  # fmt: skip
CLEAN = Verb(
    "clean", FINISHED, (State.COMPLETED,), REMOVE.sweep,
    "Delete {jobs} for good?", "Deleted", "is not finished; see stoker job rm", removes=True,
)  # fmt: skip
REPLAY = Verb(
    "replay", frozenset({State.FAILED}), (State.FAILED,), RETRY.sweep,
    "Run {jobs} again from the start?", "Put back in line", "is no dead letter", ("cancelled",),
)  # fmt: skip
PURGE = Verb(
    "purge", frozenset({State.FAILED}), (State.FAILED,), REMOVE.sweep,
    "Delete {jobs} for good?", "Deleted", "is no dead letter", removes=True,
)  # fmt: skip
