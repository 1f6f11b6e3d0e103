-- Claim jobs of several queues in turn; due delayed jobs become waiting on the way.
-- needs: take
-- Input: KEYS the queues' bases. ARGV: time, clock, then the want: count, token, lease in ms, worker,
--   number of queues, and for each its place in KEYS and the most jobs from it.
-- Output: {jobs that were never run, others, when the next one may be there (ms) or nothing}; see take.
-- Events: waiting, active.

local want = next_want()
return take_wanted(want, function(place)
  local q = open_queue(KEYS[place])
  trim_events(q)
  return q
end)
