-- Renew leases.
-- needs: lease state
-- Input: KEYS the queues' bases. ARGV: time, clock, lease in ms, number of leases, and for each: place
--   in KEYS, id, token.
-- Output: {places of the leases that are lost, how many were looked at if not all}. No events.

local lease = next_number()
local lost = {}
local queues = {}

-- Whether the job of a lock that is gone still runs.
local function runs_on(base, id)
  queues[base] = queues[base] or open_queue(base)
  return state_of(queues[base], id) == 'active'
end

-- PEXPIRE, because a server that is out of memory still takes it; SET it refuses.
local function prolong(lock)
  if by_instant then return call('PEXPIREAT', lock, now + lease) end
  return call('PEXPIRE', lock, lease)
end

local count = next_number()
for place = 1, count do
  local base, id, token = KEYS[next_number()], next_argument(), next_argument()
  local key = base .. id
  local lock = redis.pcall('GET', key .. ':lock')
  if not holds(key, lock, token) or (not lock and not runs_on(base, id)) then
    lost[#lost + 1] = place
  elseif lock then
    prolong(key .. ':lock')
  else
    call('SET', key .. ':lock', token, end_of(lease))
    call('HDEL', key, 'stoker.overdue')
  end
  if gone_through > SEARCHED_AT_ONCE and place < count then return { lost, place } end
end
return { lost, false }
