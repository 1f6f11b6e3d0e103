-- A queue as a script sees it: its keys, its settings, and telling what happens in it.
--
-- KEYS are the bases of the queues concerned ("bull:mail:"); every other key is built from them. In
-- a cluster they share a hash tag, so that one declared key leads to the node of them all.
-- ARGV[1] is the caller's time in ms. ARGV[2] is "1" if the ends of leases and dedup keys are
-- instants of the caller's clock (tests), not spans of the server's.

local call = redis.call
local now = tonumber(ARGV[1])
local by_instant = ARGV[2] == '1'
local argument = 2

local function next_argument()
  argument = argument + 1
  return ARGV[argument]
end

local function next_number()
  return tonumber(next_argument())
end

local DEFAULT_MAX_EVENTS = 10000

local function open_queue(base)
  local meta = call('HMGET', base .. 'meta', 'paused', 'concurrency', 'max', 'duration',
    'opts.maxLenEvents', 'version', 'stoker.completed', 'stoker.failed')
  return {
    base = base,
    meta = base .. 'meta',
    wait = base .. 'wait',
    paused_list = base .. 'paused',
    active = base .. 'active',
    prioritized = base .. 'prioritized',
    delayed = base .. 'delayed',
    marker = base .. 'marker',
    events = base .. 'events',
    paused = meta[1] and true or false,
    concurrency = tonumber(meta[2]),
    max = tonumber(meta[3]),
    duration = tonumber(meta[4]),
    max_events = tonumber(meta[5]),
    version = meta[6],
    kept_for = { completed = meta[7], failed = meta[8] },
  }
end

-- The stream is trimmed before a script's own events. In some it is also what lets them run while memory
-- is full: the server refuses what needs memory only until a script has written for the first time, and
-- trimming needs none. A job that runs has to be able to end: it is how memory becomes free.
local function trim_events(q)
  call('XTRIM', q.events, 'MAXLEN', '~', q.max_events or DEFAULT_MAX_EVENTS)
end

local function tell(q, ...)
  call('XADD', q.events, '*', 'event', ...)
end

-- Something in the store that cannot be: counted where an operator finds it.
local function count_oddity(q, what)
  call('HINCRBY', q.meta, 'stoker.' .. what, 1)
end

-- Whether a step went through; if not, also what stopped it. Others write into the store too, and what
-- they left must not take the other jobs of a batch along, for what a script has written stays written.
local function attempt(q, step, ...)
  local fine, why = pcall(step, ...)
  if fine then return true end
  count_oddity(q, 'broken')
  return false, type(why) == 'table' and why.err or tostring(why)
end

local function end_of(span)
  if by_instant then return 'PXAT', now + span end
  return 'PX', span
end

-- What a hash holds, or nothing where the key is not a hash.
local function fields_of(key, ...)
  local fields = redis.pcall('HMGET', key, ...)
  if fields.err then return {} end
  return fields
end

local function decoded(text)
  if not text or text == '' then return {} end
  local fine, value = pcall(cjson.decode, text)
  if fine and type(value) == 'table' then return value end
  return {}
end
