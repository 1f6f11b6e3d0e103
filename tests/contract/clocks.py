"""The time of a test: it moves only when it is told to."""

from __future__ import annotations

from tests.servers.server import Server


class Clock:
    """A time that moves only when it is told to."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def advance(self, ms: int) -> int:
        self.now += ms
        return self.now


class ServerClock(Clock):
    """The same for a store whose server ends locks and keys by itself.

    It begins in the far future: an end by this clock is never reached by the server's, but when the
    clock says so. (Not later than 2039: a delayed job's score has no digits left for that.)
    """

    def __init__(self, server: Server) -> None:
        super().__init__(2_100_000_000_000)
        self._server = server

    def advance(self, ms: int) -> int:
        super().advance(ms)
        with self._server.connect() as client:
            client.eval(_END_WHAT_IS_DUE, 0, self.now)
        return self.now


_END_WHAT_IS_DUE = """
local function ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
for _, key in ipairs(redis.call('KEYS', '*')) do
  local before, left, server_now
  -- Before Redis 7 time goes on while a script runs: an end must seem neither earlier nor later.
  repeat
    before, left, server_now = ms(), redis.call('PTTL', key), ms()
  until before == server_now
  if left > 0 and server_now + left <= tonumber(ARGV[1]) then redis.call('DEL', key) end
end
"""
