-- Claim jobs of several queues in turn; due delayed jobs become waiting on the way.
-- needs: take
-- Input: KEYS the queues' bases. ARGV: time or "" for the server's, clock, then the want: count, what
--   tokens begin with, lease in ms, worker, number of queues, and for each its place in KEYS and the
--   most jobs from it.
-- Output: {{jobs that were never run, others, when the next one may be there (ms) or nothing}, time}; see
--   take.
-- Events: waiting, active.

if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
  ARGV[1] = string.format('%.0f', now)
end

local want = next_want()
return { take_wanted(want, function(place) return open_queue(KEYS[place]) end), now }
