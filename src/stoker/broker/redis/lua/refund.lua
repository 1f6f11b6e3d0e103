-- Take jobs that were claimed but never run out of the count of their queue's rate limit.
-- needs: line
-- Input: KEYS the queues' bases. ARGV: time, clock, for each queue the number of its jobs.
-- Output: nothing. No events.

for _, base in ipairs(KEYS) do
  local q, count = open_queue(base), next_number()
  local limiter = base .. 'limiter'
  local used = q.max and tonumber(call('GET', limiter) or 0) or 0
  if used > 0 then
    call('DECRBY', limiter, math.min(count, used))
    if call('LLEN', q.wait) + call('ZCARD', q.prioritized) > 0 then mark(q) end
  end
end
