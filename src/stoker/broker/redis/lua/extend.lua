-- Renew leases.
-- needs: lease
-- Input: KEYS the queues' bases. ARGV: time, clock, lease in ms, number of leases, and for each: place
--   in KEYS, id, token.
-- Output: the places of the leases that are lost. No events.

local lease = next_number()
local lost = {}

-- PEXPIRE, because a server that is out of memory still takes it; SET it refuses.
local function prolong(lock)
  if by_instant then return call('PEXPIREAT', lock, now + lease) end
  return call('PEXPIRE', lock, lease)
end

for place = 1, next_number() do
  local base, id, token = KEYS[next_number()], next_argument(), next_argument()
  local key = base .. id
  local lock = call('GET', key .. ':lock')
  if not holds(key, lock, token) or (not lock and not call('LPOS', base .. 'active', id)) then
    lost[#lost + 1] = place
  elseif lock then
    prolong(key .. ':lock')
  else
    call('SET', key .. ':lock', token, end_of(lease))
    call('HDEL', key, 'stoker.overdue')
  end
end
return lost
