-- needs: queue
-- What is told of a queue when jobs have ended.

local function tell_if_drained(q)
  if call('LLEN', q.wait) == 0 and call('LLEN', q.active) == 0
      and call('ZCARD', q.prioritized) == 0 then
    tell(q, 'drained')
  end
end

-- Jobs that ended in each minute, for BullMQ's chart; points of two weeks.
local MOST_POINTS = 20160

local function count_ended(q, state, count)
  if count == 0 then return end
  local key = q.base .. 'metrics:' .. state
  local total = call('HINCRBY', key, 'count', count)
  local before = call('HMGET', key, 'prevTS', 'prevCount')
  local since = tonumber(before[1])
  if not since then
    call('HSET', key, 'prevTS', now, 'prevCount', 0)
    return
  end
  local minutes = math.min(math.floor(now / 60000) - math.floor(since / 60000), MOST_POINTS)
  if minutes <= 0 then return end
  call('LPUSH', key .. ':data', total - count - (tonumber(before[2]) or 0))
  local quiet = minutes - 1
  while quiet > 0 do
    local zeros = {}
    for place = 1, math.min(quiet, 1000) do zeros[place] = 0 end
    call('LPUSH', key .. ':data', unpack(zeros))
    quiet = quiet - #zeros
  end
  call('LTRIM', key .. ':data', 0, MOST_POINTS - 1)
  call('HSET', key, 'prevTS', now, 'prevCount', total - count)
end
