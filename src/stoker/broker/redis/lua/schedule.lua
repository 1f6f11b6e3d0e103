-- Arm the next job of a BullMQ job scheduler, once the one before it has begun.
-- needs: store
-- Input: KEYS[1] the queue's base. ARGV: time, clock, scheduler, id of the job that began, when the next
--   one is due by its pattern ("" if it repeats at an interval), options of the next one.
-- Output: the id of the next job, or nothing: the scheduler is gone, or somebody armed it already.
-- Events: added, delayed, waiting.

local q = open_queue(KEYS[1])
local scheduler, producer = next_argument(), next_argument()
local due, opts = tonumber(next_argument()), next_argument()
local repeats = q.base .. 'repeat'
local key = repeats .. ':' .. scheduler

local before = tonumber(call('ZSCORE', repeats, scheduler) or nil)
if not before or producer ~= string.format('repeat:%s:%.0f', scheduler, before) then return false end
local stored = call('HMGET', key, 'name', 'data', 'every', 'offset')
local given = decoded(opts)
-- Schedulers of earlier BullMQs have their interval in their jobs only.
local repeated = type(given['repeat']) == 'table' and given['repeat'] or {}
local every = tonumber(stored[3] or nil) or tonumber(repeated.every)

-- Intervals that nobody was there for are passed over; those to come keep their phase.
if every and every > 0 then
  due = before + every
  if due < now then
    due = math.floor(now / every) * every + (tonumber(stored[4] or nil) or 0)
    if due <= now then due = due + every end
  end
end
if not due then return false end

local id = string.format('repeat:%s:%.0f', scheduler, due)
if call('EXISTS', q.base .. id) == 1 then
  tell(q, 'duplicated', 'jobId', id)
  return false
end
trim_events(q)
call('ZADD', repeats, due, scheduler)
call('HINCRBY', key, 'ic', 1)
call('INCR', q.base .. 'id')
local delay = math.max(due - now, 0)
-- An object without members is never given, so that its end can be written anew.
opts = string.format('%s,"delay":%.0f,"jobId":%s}', string.sub(opts, 1, -2), delay, cjson.encode(id))
store(q, id, {
  name = stored[1] or '', data = stored[2] or '{}', opts = opts, delay = delay,
  scheduler = scheduler, priority = tonumber(given.priority) or 0, lifo = given.lifo,
})
announce(q)
return id
