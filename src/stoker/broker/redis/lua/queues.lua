-- Count the jobs of queues.
-- needs: queue
-- Input: KEYS the queues' bases. ARGV: time, clock.
-- Output: for each {waiting, delayed, active, completed, failed, 1 if paused}. No events.

local counts = {}
for place, base in ipairs(KEYS) do
  counts[place] = {
    call('LLEN', base .. 'wait') + call('LLEN', base .. 'paused')
      + call('ZCARD', base .. 'prioritized'),
    call('ZCARD', base .. 'delayed'),
    call('LLEN', base .. 'active'),
    call('ZCARD', base .. 'completed'),
    call('ZCARD', base .. 'failed'),
    call('HEXISTS', base .. 'meta', 'paused'),
  }
end
return counts
