-- Renew leases.
-- needs: lease state
-- Input: KEYS the queues' bases. ARGV: time, clock, lease in ms, where to look from, number of leases, and for
--   each: place in KEYS, id, token. Where to look from is 0, or what the call before answered.
-- Output: {places of the leases that are lost, places of those that are to be asked for again, where to look
--   from then}. No events.
--
-- Of a lease whose lock is gone only the list of active jobs can tell whether its job runs on. Where that is
-- long and these are many, one call reads a part of it; what was in none is searched for in the end, for the
-- list has moved meanwhile.

local lease, from = next_number(), next_number()
-- Entries that one call reads: with what else it does about 5 ms.
local READ_AT_ONCE = 3000
local SEARCH = -1

local lost, left, doubtful = {}, {}, {}
local queues, bases = {}, {}

local function queue_at(place)
  local base = KEYS[place]
  if not queues[base] then
    queues[base] = open_queue(base)
    bases[#bases + 1] = base
  end
  return queues[base]
end

-- PEXPIRE, because a server that is out of memory still takes it; SET it refuses.
local function prolong(lock)
  if by_instant then return call('PEXPIREAT', lock, now + lease) end
  return call('PEXPIRE', lock, lease)
end

local function decide(one, runs_on)
  if not runs_on then
    lost[#lost + 1] = one.place
    return
  end
  local key = one.q.base .. one.id
  call('SET', key .. ':lock', one.token, end_of(lease))
  call('HDEL', key, 'stoker.overdue')
end

local function search_each()
  for _, one in ipairs(doubtful) do
    if gone_through > SEARCHED_AT_ONCE then
      left[#left + 1] = one.place
    else
      decide(one, is_active(one.q, one.id))
    end
  end
  return SEARCH
end

local function read_on()
  local count, active, is_over = math.floor(READ_AT_ONCE / #bases), {}, true
  for _, base in ipairs(bases) do
    local part = call('LRANGE', queues[base].active, -(from + count), -(from + 1))
    for n = 1, #part do active[base .. part[n]] = true end
    is_over = is_over and #part < count
  end
  for _, one in ipairs(doubtful) do
    if active[one.q.base .. one.id] then decide(one, true) else left[#left + 1] = one.place end
  end
  return is_over and SEARCH or from + count
end

local long = 0
for place = 1, next_number() do
  local q, id, token = queue_at(next_number()), next_argument(), next_argument()
  local key = q.base .. id
  local lock = redis.pcall('GET', key .. ':lock')
  if not holds(key, lock, token) then
    lost[#lost + 1] = place
  elseif lock then
    prolong(key .. ':lock')
  elseif told_state(q, id) == UNTOLD then
    doubtful[#doubtful + 1] = { place = place, q = q, id = id, token = token }
    long = long + call('LLEN', q.active)
  else
    lost[#lost + 1] = place
  end
end
local are_few = from == SEARCH or long <= SEARCHED_AT_ONCE
local following = are_few and search_each() or read_on()
return { lost, left, following }
