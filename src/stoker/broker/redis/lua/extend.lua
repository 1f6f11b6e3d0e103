-- Renew leases.
-- needs: lease
-- Input: KEYS the queues' bases. ARGV: time, clock, lease in ms, number of leases, and for each: place
--   in KEYS, id, token.
-- Output: the places of the leases that are lost. No events.

local lease = next_number()
local lost = {}
-- From so many lookups on, reading the list of active jobs once is cheaper than to go through it for each.
local FEW = 32
local looked_up, active = 0, {}

local function is_active(base, id)
  looked_up = looked_up + 1
  if looked_up <= FEW then return call('LPOS', base .. 'active', id) end
  if not active[base] then
    active[base] = {}
    for _, other in ipairs(call('LRANGE', base .. 'active', 0, -1)) do active[base][other] = true end
  end
  return active[base][id]
end

-- Whether the job of a lock that is gone still runs. Of one that has just ended its worker may not know yet:
-- without a look at its hash, each of those would be searched for.
local function runs_on(base, id)
  return call('HEXISTS', base .. id, 'finishedOn') == 0 and is_active(base, id)
end

-- PEXPIRE, because a server that is out of memory still takes it; SET it refuses.
local function prolong(lock)
  if by_instant then return call('PEXPIREAT', lock, now + lease) end
  return call('PEXPIRE', lock, lease)
end

for place = 1, next_number() do
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
end
return lost
