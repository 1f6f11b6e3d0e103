"""Where handlers run: on the event loop, in a thread, in a child process."""

from __future__ import annotations

from stoker.context import running
from stoker.errors import InvalidPayload
from stoker.failure import Failure
from stoker.handler import Handler
from stoker.job.outcome import Control, Raised, Report, Returned
from stoker.worker.deadlines import Deadlines
from stoker.worker.executors.process import Children
from stoker.worker.executors.thread import Threads
from stoker.worker.run import Run

_NOTHING = Returned("null")


class Executors:
    """The three places, and the choice between them."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._threads = Threads()
        self._children = Children(self._threads, deadlines)

    async def run(self, run: Run) -> Report:
        """Run a job where its handler belongs and return what it reported.

        Raises what the handler raises. Cancelling the call interrupts the run: at an ``await`` on
        the loop; by leaving it behind in a thread; by killing a child process.
        """
        match run.handler.run_in:
            case "loop":
                self._deadlines.add(run)
                running.set(run.context)
                return reported(run.handler, await run.handler.call(run.context))
            case "thread":
                self._deadlines.add(run)
                running.set(run.context)
                return await self._threads.run(_call, run)
            case "process":
                return await self._children.run(run)

    async def close(self) -> None:
        """Let the children go."""
        await self._children.close()


def _call(run: Run) -> Report:
    return reported(run.handler, run.handler.call(run.context))


def reported(handler: Handler, value: object) -> Report:
    """Return what a handler's return value means."""
    if value is None:
        return _NOTHING
    if isinstance(value, Control):
        return value
    try:
        return Returned(handler.encode(value))
    except InvalidPayload as error:
        # The work is done, and doing it again would end in the same way.
        failure = Failure("unrecoverable", f"its result cannot be stored: {error}")
        return Raised(failure, final=True)
