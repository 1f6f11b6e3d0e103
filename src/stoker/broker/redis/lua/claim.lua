-- Claim jobs of several queues in turn; due delayed jobs become waiting on the way.
-- needs: take
-- Input: KEYS the queues' bases. ARGV: time, clock, then the want: count, what tokens begin with, lease in
--   ms, worker, number of queues, and for each its place in KEYS and the most jobs from it.
--   A time that is not known yet is "@" and how many ms the server's clock is ahead of the caller's.
-- Output: {{jobs that were never run, others, when the next one may be there (ms) or nothing}, time, how many
--   ms the server's clock is ahead}; see take.
-- Events: waiting, active.
--
-- Where memory is full it runs too: the first it writes is what takes something out, see trim_events.

local time = call('TIME')
local by_server = time[1] * 1000 + math.floor(time[2] / 1000)
if not now then
  now = by_server - tonumber(string.sub(ARGV[1], 2))
  ARGV[1] = string.format('%.0f', now)
end

local want = next_want()
return { take_wanted(want, function(place) return open_queue(KEYS[place]) end), now, by_server - now }
