-- Add jobs, all or none: one that would be a duplicate is answered with the job that is there.
-- needs: store
-- Input: KEYS the queues' bases. ARGV: time, clock, number of kinds, and for each: place in KEYS,
--   name, opts, delay, priority, "1" if LIFO, own id or "", dedup key or "", its ms or "",
--   number of jobs, and their data.
-- Output: for each job its id, or that of the job that is there, and 1 if it is a duplicate.
-- Events: added, waiting, delayed, duplicated, deduplicated.

local PUSHED_AT_ONCE = 1000
-- A call for one job trims the events of many: on its own that would be a command more for each job.
local TRIMMED_EACH = 50

local queues = {}
local answers = {}

-- One list of them all: a table for each would cost more.
local function answer(id, duplicate)
  local last = #answers
  answers[last + 1], answers[last + 2] = id, duplicate
end

local function queue_at(place)
  queues[place] = queues[place] or open_queue(KEYS[place])
  return queues[place]
end

local function prepare(q, last, count)
  if not q.max_events then
    q.max_events = DEFAULT_MAX_EVENTS
    call('HSET', q.meta, 'opts.maxLenEvents', DEFAULT_MAX_EVENTS)
  end
  if last % TRIMMED_EACH < count then trim_events(q) end
end

-- The job that counts under the kind's key, unless it is now this one.
local function holder_of(q, kind, id)
  local key = q.base .. 'de:' .. kind.dedup
  local set
  if kind.ttl and kind.ttl > 0 then
    set = call('SET', key, id, 'NX', end_of(kind.ttl))
  else
    set = call('SET', key, id, 'NX')
  end
  if set then return end
  local holder = call('GET', key)
  if call('PTTL', key) == -1 and call('EXISTS', q.base .. holder) == 0 then
    call('DEL', key, q.base .. 'dn:' .. kind.dedup) -- left behind by an outage
    return holder_of(q, kind, id)
  end
  return holder
end

local function duplicate_of(q, kind, id)
  if kind.id and call('EXISTS', q.base .. id) == 1 then
    tell(q, 'duplicated', 'jobId', id)
    return id
  end
  local holder = kind.dedup and holder_of(q, kind, id)
  if holder then
    tell(q, 'deduplicated', 'jobId', holder, 'deduplicationId', kind.dedup,
      'deduplicatedJobId', id)
  end
  return holder
end

-- Jobs that wait in the order in which they came, and can be no duplicates: in line all at once.
local function store_all(q, kind, first, last)
  local ids = {}
  for number = first, last do
    local id = string.format('%.0f', number)
    call('HSET', q.base .. id, 'name', kind.name, 'data', next_argument(), 'opts', kind.opts,
      'timestamp', ARGV[1], 'delay', '0', 'priority', '0')
    call('XADD', q.events, '*', 'event', 'added', 'jobId', id, 'name', kind.name)
    call('XADD', q.events, '*', 'event', 'waiting', 'jobId', id)
    ids[#ids + 1] = id
    answer(id, 0)
    if #ids == PUSHED_AT_ONCE or number == last then
      call(kind.lifo and 'RPUSH' or 'LPUSH', line_of(q), unpack(ids))
      ids = {}
    end
  end
  q.fills = true
end

local function store_each(q, kind, first, last)
  for number = first, last do
    kind.data = next_argument()
    local id = kind.id or string.format('%.0f', number)
    local taken = duplicate_of(q, kind, id)
    if not taken then store(q, id, kind) end
    answer(taken or id, taken and 1 or 0)
  end
end

for _ = 1, next_number() do
  local q = queue_at(next_number())
  local kind = { name = next_argument(), opts = next_argument(), delay = next_number(),
    priority = next_number(), lifo = next_argument() == '1', id = next_argument(),
    dedup = next_argument(), ttl = tonumber(next_argument()) }
  kind.id = kind.id ~= '' and kind.id
  kind.dedup = kind.dedup ~= '' and kind.dedup
  local count = next_number()
  -- The first write of all: where memory is full, this is what the server refuses.
  local last = call('INCRBY', q.base .. 'id', count)
  prepare(q, last, count)
  local plain = not kind.id and not kind.dedup and kind.delay == 0 and kind.priority == 0
  local store_them = plain and store_all or store_each
  store_them(q, kind, last - count + 1, last)
end
for _, q in pairs(queues) do announce(q) end
return answers
