-- needs: queue
-- The line of waiting jobs: a list for priority 0 (its right end is next), a sorted set for others.

local PRIORITY_STEP = 4294967296
-- Jobs that may stand before the first of their priority, in the unused end of the one above.
local FRONT = 1048576

local function maxed(q)
  return q.concurrency and call('LLEN', q.active) >= q.concurrency
end

-- Wake a worker, unless there is nothing it could get.
local function mark(q)
  if not q.paused and not maxed(q) then call('ZADD', q.marker, 0, '0') end
end

-- BullMQ 5 moves the line to a list of its own while a queue is paused, and renames that one back
-- over the line: what was put into the line meanwhile would be lost.
local function line_of(q)
  if not q.line then
    q.line = q.wait
    if q.paused and (string.find(q.version or '', ':5.', 1, true)
        or call('EXISTS', q.paused_list) == 1) then
      q.line = q.paused_list
    end
  end
  return q.line
end

local function to_end(q, id, priority)
  if priority == 0 then
    call('LPUSH', line_of(q), id)
  else
    local count = call('INCR', q.base .. 'pc')
    call('ZADD', q.prioritized, priority * PRIORITY_STEP + count % PRIORITY_STEP, id)
  end
end

local function to_front(q, id, priority)
  if priority == 0 then
    call('RPUSH', line_of(q), id)
    return
  end
  local start = priority * PRIORITY_STEP
  local first = call('ZRANGEBYSCORE', q.prioritized, start - FRONT, start, 'WITHSCORES',
    'LIMIT', 0, 1)
  call('ZADD', q.prioritized, first[2] and tonumber(first[2]) - 1 or start, id)
end

local function is_lifo(opts)
  return opts and string.find(opts, '"lifo":true', 1, true) ~= nil
end

local function to_line(q, id, priority, lifo)
  if lifo then to_front(q, id, priority) else to_end(q, id, priority) end
end

local function born(q, id)
  return tonumber(id) or tonumber(fields_of(q.base .. id, 'timestamp')[1]) or 0
end

-- Take a job out of a list by going through it from the end that is likely to be nearer: who came
-- last, or has the highest number, is on the left.
local function out_of_list(q, list, id)
  local last, first = call('LINDEX', list, 0), call('LINDEX', list, -1)
  if not last then return false end
  local at = born(q, id)
  local side = born(q, last) - at < at - born(q, first) and 1 or -1
  return call('LREM', list, side, id) == 1
end

local function out_of_line(q, id)
  return call('ZREM', q.prioritized, id) == 1
    or out_of_list(q, q.wait, id)
    or out_of_list(q, q.paused_list, id)
end
