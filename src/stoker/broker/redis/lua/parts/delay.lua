-- needs: queue line
-- Jobs that wait for a time. Their score is that time, with 12 bits that keep the order of jobs
-- which fall due in the same millisecond.

local DELAY_STEP = 4096

local function next_due(q)
  local first = call('ZRANGE', q.delayed, 0, 0, 'WITHSCORES')
  if first[2] then return math.floor(tonumber(first[2]) / DELAY_STEP) end
end

-- Who waits for jobs learns when the first of these falls due.
local function mark_delay(q)
  local due = next_due(q)
  if due then call('ZADD', q.marker, due, '1') end
end

local function to_delayed(q, id, due, ...)
  local least = due * DELAY_STEP
  local most = least + DELAY_STEP - 1
  local last = call('ZREVRANGEBYSCORE', q.delayed, most, least, 'WITHSCORES', 'LIMIT', 0, 1)
  local score = last[2] and math.min(tonumber(last[2]) + 1, most) or least
  call('ZADD', q.delayed, score, id)
  tell(q, 'delayed', 'jobId', id, 'delay', due, ...)
end

-- Make a bounded number of due jobs waiting, in the order they fell due.
local function promote(q, limit)
  local ids = call('ZRANGEBYSCORE', q.delayed, '-inf', (now + 1) * DELAY_STEP - 1, 'LIMIT', 0, limit)
  if #ids == 0 then return 0 end
  call('ZREM', q.delayed, unpack(ids))
  for _, id in ipairs(ids) do
    local job = fields_of(q.base .. id, 'priority', 'opts')
    to_line(q, id, tonumber(job[1]) or 0, is_lifo(job[2]))
    tell(q, 'waiting', 'jobId', id, 'prev', 'delayed')
    if job[2] then call('HSET', q.base .. id, 'delay', 0) end
  end
  mark(q)
  return #ids
end
