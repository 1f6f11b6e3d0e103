"""One connection while it lasts: calls are looked at, committed in groups, and answered.

What is acknowledged is on the disk; but a job may be *run* before its add is acknowledged. So a
group that only adds and claims is committed first, whoever waits for a job gets it, and only then
the disk is waited for and the add is answered: how soon a job starts does not depend on the disk.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import apsw

from stoker.broker.base import Clock
from stoker.broker.sqlite.call import Call, Riders, Synced, answer, fail
from stoker.broker.sqlite.faults import translate
from stoker.broker.sqlite.files import Files
from stoker.broker.sqlite.transaction import Transaction
from stoker.errors import BrokerCorrupt, BrokerUnavailable

GROUP_SECONDS = 0.010
"""Once a transaction has lasted this long, it is committed and the rest waits for the next."""


class Session:
    """Serves calls on one connection. Everything in here happens on the thread that owns it."""

    def __init__(
        self,
        path: str,
        connect: Callable[[str], apsw.Connection],
        clock: Clock,
        riders: Riders,
        committed: Callable[[], None],
        *,
        distrusted: bool = False,
    ) -> None:
        self._path = path
        self._clock = clock
        self._riders = riders
        self._committed = committed
        self._connection = connect(path)
        self._commits_sync: bool | None = None
        self._trouble: Exception | None = None
        self.log_distrusted = distrusted
        """Whether the log may have lost, unsaid, what the disk refused: none may rest on it."""
        try:
            if distrusted:
                self._empty_log()
            self._files = Files(path)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the files."""
        self._connection.close()
        self._files.close()

    def serve(self, calls: Sequence[Call[Any]]) -> bool:
        """Answer the calls; ``False`` if the connection is of no use any more."""
        try:
            self._files.check()
        except BrokerUnavailable as error:
            self._give_up(calls, error)
            return False
        writes: list[Call[Any]] = []
        others: list[Call[Any]] = []
        for call in calls:
            (writes if call.writes and self._wanted(call) else others).append(call)
        for call in others:
            if not call.writes:
                self._look(call)
        answer(others)
        while writes:
            count = self._commit(writes)
            answer(writes[:count])
            writes = writes[count:]
        return self._trouble is None

    def _wanted(self, call: Call[Any]) -> bool:
        """Whether a transaction is worth beginning. A peek that fails leaves that to be seen."""
        try:
            return call.peek is None or call.peek(self._connection, self._clock())
        except Exception:  # whoever waits for the call is told why it fails, not whoever peeks
            return True

    def _look(self, call: Call[Any]) -> None:
        try:
            # One snapshot for all that it looks at: a job may move between two statements.
            self._connection.execute("BEGIN")
            call.value = call.work(self._connection, self._clock())
        except Exception as error:
            call.error = ours(error, self._path)
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except apsw.Error as error:
            self._trouble = ours(error, self._path)

    def _commit(self, calls: Sequence[Call[Any]]) -> int:
        """Run calls in one transaction, for about GROUP_SECONDS; return how many it took."""
        if self._trouble is not None:
            # What the disk refused, it does not refuse twice: what came behind would rest on it.
            fail(calls, self._trouble)
            return len(calls)
        ran: list[Call[Any]] = []
        riders: list[Call[Any]] = []
        try:
            to_sync = self._transact(calls, ran, riders)
        except Exception as error:
            self._roll_back()
            for rider in riders:
                rider.value = None  # it looks for itself, and meets the error there
            answer(riders)
            if isinstance(error, apsw.IOError):  # perhaps of others' pages, and said only once
                self._give_up(calls, ours(error, self._path))
                return len(calls)
            return self._apart(ran, calls, ours(error, self._path), alone=not riders)
        answer([*riders, *(call for call in ran if call.synced is Synced.NEVER)])
        self._committed()
        self._confirm([call for call in ran if call.synced is not Synced.NEVER], to_sync)
        return len(ran)

    def _transact(
        self, calls: Sequence[Call[Any]], ran: list[Call[Any]], riders: list[Call[Any]]
    ) -> bool:
        """Fill ``ran`` and ``riders`` with those that were run, also when one of them fails.

        Returns whether the disk is still to be waited for.
        """
        deadline = time.monotonic() + GROUP_SECONDS
        synced = max(call.synced for call in calls)
        self._let_commits_sync(synced is Synced.BEFORE_SEEN)
        self._connection.execute("BEGIN IMMEDIATE")
        transaction = Transaction(self._connection, self._clock())
        for call in calls:
            ran.append(call)
            call.value = call.work(transaction)
            if time.monotonic() > deadline:
                break
        for rider in self._riders:
            if self._wanted(rider) and self._riders.take(rider):
                riders.append(rider)
                rider.value = rider.work(transaction)
        transaction.flush()
        self._connection.execute("COMMIT")
        return synced is Synced.BEFORE_ANSWER or transaction.rests_on_others

    def _let_commits_sync(self, sync: bool) -> None:
        """Have SQLite wait for the disk at each commit, or not."""
        if self._commits_sync is not sync:
            self._commits_sync = None  # unknown, should it fail
            # SQLite may heed it when it is prepared: one from the cache need not do anything.
            level = "FULL" if sync else "NORMAL"
            self._connection.execute(f"PRAGMA synchronous = {level}", can_cache=False)
            self._commits_sync = sync

    def _apart(
        self, ran: Sequence[Call[Any]], calls: Sequence[Call[Any]], error: Exception, *, alone: bool
    ) -> int:
        """Deal with a transaction that failed; return how many calls are through with it."""
        if not ran:  # no transaction was to be had: nobody would fare better
            fail(calls, error)
            return len(calls)
        if alone and len(ran) == 1:
            fail(ran, error)
        else:  # one of them is to blame: each gets a transaction of its own
            for call in ran:
                self._commit([call])
        return len(ran)

    def _confirm(self, calls: Sequence[Call[Any]], to_sync: bool) -> None:
        """Make sure that what was committed stays, before these are answered."""
        try:
            if to_sync:
                self._files.sync()
            if calls:
                self._files.check()
        except BrokerUnavailable as error:
            self._give_up(calls, error)
        except OSError as error:
            self._give_up(
                calls,
                BrokerUnavailable(
                    f"{self._path}: the disk did not take what was written: {error.strerror}",
                    hint="this call may have been stored or not; see what is wrong with the disk",
                ),
            )

    def _give_up(self, calls: Sequence[Call[Any]], error: Exception) -> None:
        """Serve no more on this connection.

        The log is emptied into the database: it may be deleted already, or the disk has refused it
        and will not be asked again for the same pages. But not if the database is another by now.
        """
        self._trouble = error
        if self._files.in_place():
            self.log_distrusted = True
            with contextlib.suppress(apsw.Error, BrokerUnavailable):
                self._empty_log()
        fail(calls, error)

    def _empty_log(self) -> None:
        """Have all of the log in the database, and the next commit begin it anew."""
        pragma = "PRAGMA wal_checkpoint(TRUNCATE)"
        [(busy, _, _)] = self._connection.execute(pragma).fetchall()
        if busy:
            raise BrokerUnavailable(
                f"{self._path}-wal has what the disk refused and cannot be emptied; "
                "this call was not made",
                hint="look for a process that holds a transaction open on the file",
            )
        self.log_distrusted = False


def ours(error: Exception, path: str) -> Exception:
    """Return ``error`` as what a caller of the broker is told."""
    if isinstance(error, UnicodeDecodeError):
        return BrokerCorrupt(f"{path} holds text that is not UTF-8: {error}")
    if isinstance(error, OSError):
        return BrokerUnavailable(f"{path}: {error.strerror}", hint="see what the system says there")
    return translate(error, path) if isinstance(error, apsw.Error) else error
