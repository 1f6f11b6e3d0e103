-- Pause or resume a queue.
-- needs: delay
-- Input: KEYS[1] the queue's base. ARGV: time, clock, "1" to pause, "0" to resume.
-- Output: 1 if jobs are left in the list of a pause by BullMQ 5: call again.
-- Events: paused, resumed.

local AT_ONCE = 5000

local pause = next_argument() == '1'
local q = open_queue(KEYS[1])

if pause then
  if q.paused then return 0 end
  call('HSET', q.meta, 'paused', 1)
  call('DEL', q.marker)
  tell(q, 'paused')
  return 0
end

-- Those that BullMQ 5 set aside were there first: they go before the others, in their order.
local aside = call('LRANGE', q.paused_list, 0, AT_ONCE - 1)
if #aside > 0 then
  call('RPUSH', q.wait, unpack(aside))
  call('LTRIM', q.paused_list, #aside, -1)
end
if q.paused then
  call('HDEL', q.meta, 'paused')
  tell(q, 'resumed')
  q.paused = false
end
if call('LLEN', q.wait) + call('ZCARD', q.prioritized) > 0 then mark(q) else mark_delay(q) end
return call('LLEN', q.paused_list) > 0 and 1 or 0
