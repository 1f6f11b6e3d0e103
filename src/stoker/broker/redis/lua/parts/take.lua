-- needs: queue line delay
-- Give out jobs: the first in line become active, each with a lock.

local POPPED_AT_ONCE = 50
-- What was popped and was no job, at the most: in a line of such a call would go on and on.
local MOST_PASSED_OVER = 2000
local BORN_WITH = 6
-- Delayed jobs of all queues that a call still makes wait. Of more, the next due is in the past.
local promotable = 200
-- From so many waiting jobs on the server waits for memory at every key. For so few it is not worth looking
-- ahead.
local LONG_LINE = 500000
local FEW_WANTED = 10
-- Bytes of data from which on an answer is long enough.
local ENOUGH_BYTES = 1048576

local function length_of_line(q)
  return call('LLEN', q.wait) + call('ZCARD', q.prioritized)
end

local function pop(q, count)
  local ids = call('RPOP', q.wait, count) or {}
  if #ids < count then
    local more = call('ZPOPMIN', q.prioritized, count - #ids)
    for place = 1, #more, 2 do ids[#ids + 1] = more[place] end
    if #more > 0 and #ids < count then call('DEL', q.base .. 'pc') end
  end
  return ids
end

-- How many jobs the queue's own settings leave room for, and in how many ms to ask again.
local function room(q, count)
  if q.paused then return 0 end
  if q.concurrency then count = math.min(count, q.concurrency - call('LLEN', q.active)) end
  if q.max then
    local left = q.max - (tonumber(call('GET', q.base .. 'limiter') or 0) or 0)
    if left <= 0 then
      local wait = call('PTTL', q.base .. 'limiter')
      if wait > 0 then return 0, wait end
      call('DEL', q.base .. 'limiter')
      left = q.max
    end
    count = math.min(count, left)
  end
  return math.max(count, 0)
end

local function count_in_limit(q, taken)
  if q.max and taken > 0 and call('INCRBY', q.base .. 'limiter', taken) == taken then
    call('PEXPIRE', q.base .. 'limiter', math.floor(q.duration or 1000))
  end
end

-- Whether nobody else holds a job that was popped; if so, it is taken.
local function hold(q, key, id, token, starts, want)
  if not call('SET', key .. ':lock', token, 'NX', want.ends, want.ends_at) then return false end
  call('HSET', key, 'processedOn', ARGV[1], 'pb', want.worker, 'ats', starts)
  call('XADD', q.events, '*', 'event', 'active', 'jobId', id, 'prev', 'waiting')
  return true
end

-- A job that was run before, or that others wrote to.
local function give_other(q, key, id, want, given)
  local job = fields_of(key, 'name', 'data', 'opts', 'timestamp', 'priority', 'atm', 'ats', 'stc',
    'progress', 'failedReason', 'stacktrace', 'stoker.failure', 'finishedOn', 'defa', 'rjk')
  if not job[1] and not job[4] then
    count_oddity(q, 'missing')
    return
  end
  local starts = (tonumber(job[7]) or 0) + 1
  local token = want.token .. starts
  if job[13] or not hold(q, key, id, token, starts, want) then
    count_oddity(q, 'repeated')
    return
  end
  job[7] = starts
  given.others[#given.others + 1] = { given.count, want.queue, id, token, job }
  return #(job[2] or '')
end

-- Give out one job. Returns the size of its data, or nothing if what was in line is none: no hash,
-- finished, or held by somebody.
local function give(q, id, want, given)
  local key = q.base .. id
  -- A hash of just the fields that every job is born with has none of the others to look for.
  if redis.pcall('HLEN', key) ~= BORN_WITH then return give_other(q, key, id, want, given) end
  local job = call('HMGET', key, 'name', 'data', 'opts', 'timestamp', 'priority')
  if not (job[1] and job[2]) or not hold(q, key, id, want.first_token, '1', want) then
    return give_other(q, key, id, want, given)
  end
  local fresh, last = given.fresh, #given.fresh
  fresh[last + 1], fresh[last + 2] = want.queue, id
  fresh[last + 3], fresh[last + 4], fresh[last + 5] = job[1], job[2], job[3]
  fresh[last + 6], fresh[last + 7] = job[4], job[5]
  return #job[2]
end

-- Have the server look for the keys of many jobs before it works on each: within one command its processor
-- waits for several of them at once.
local function look_ahead(q, ids)
  local keys = {}
  for place = 1, #ids do
    local key = q.base .. ids[place]
    keys[2 * place - 1], keys[2 * place] = key, key .. ':lock'
  end
  call('EXISTS', unpack(keys))
end

-- Give out up to ``count`` jobs. Returns when to ask again if there are none, as far as that is known.
local function take(q, count, want, given)
  promotable = promotable - promote(q, promotable)
  local wait
  count, wait = room(q, count)
  local taken, bytes, passed_over, is_empty = 0, 0, 0, false
  local is_long = count > FEW_WANTED and length_of_line(q) > LONG_LINE
  while taken < count and bytes < ENOUGH_BYTES and passed_over < MOST_PASSED_OVER do
    local wanted = math.min(count - taken, POPPED_AT_ONCE)
    local ids = pop(q, wanted)
    is_empty = #ids < wanted
    if #ids == 0 then break end
    local held = {}
    if is_long then look_ahead(q, ids) end
    for place = 1, #ids do
      local size = give(q, ids[place], want, given)
      if size then
        given.count = given.count + 1
        held[#held + 1] = ids[place]
        bytes = bytes + size
      end
    end
    if #held > 0 then call('LPUSH', q.active, unpack(held)) end
    taken = taken + #held
    passed_over = passed_over + #ids - #held
  end
  count_in_limit(q, taken)
  if taken > 0 then
    -- Whoever took them may be busy for long now. Others learn of what is left, or when it will be due.
    if is_empty then mark_delay(q) else mark(q) end
    return
  end
  if wait then return now + wait end
  if passed_over >= MOST_PASSED_OVER then return now end
  return not q.paused and next_due(q) or nil
end

-- Wake a worker for what is waiting, or have one woken for what is delayed.
local function mark_left(q)
  if length_of_line(q) > 0 then mark(q) else mark_delay(q) end
end

-- What a worker wants, as ``claim`` and ``finish`` are told; nothing if its count is 0.
local function next_want()
  local want = { count = next_number(), token = next_argument() .. '.' .. ARGV[1] .. '.',
    lease = next_number(), worker = next_argument(), queues = {} }
  want.first_token = want.token .. '1'
  want.ends, want.ends_at = end_of(want.lease)
  for _ = 1, next_number() do
    want.queues[#want.queues + 1] = { place = next_number(), most = next_number() }
  end
  return want
end

-- What is given out, in order. Jobs that were never run are one list of their values (place of the queue, id,
-- fields): a table for each would cost more than reading it did. The others are each {number of
-- jobs before it, place of the queue, id, token, fields}.
local function take_wanted(want, queue_at)
  local given, due = { count = 0, fresh = {}, others = {} }, nil
  for _, wanted in ipairs(want.queues) do
    local most = math.min(wanted.most, want.count - given.count)
    if most > 0 then
      want.queue = wanted.place
      local at = take(queue_at(wanted.place), most, want, given)
      if at and (not due or at < due) then due = at end
    elseif wanted.most > 0 then
      -- Whoever claims may have popped this one's marker too, and has no room to look.
      mark_left(queue_at(wanted.place))
    end
  end
  return { given.fresh, given.others, due or false }
end
