-- Take back jobs of one queue whose lock is gone; keep house.
-- needs: ending
-- Input: KEYS[1] the queue's base. ARGV: time, clock, crashes allowed, patience in ms, the message of a
--   dead letter up to its number, extra, offset in the active list from its oldest end, jobs to look at.
-- Output: {ids taken back, offset to go on from or nothing}.
-- Events: waiting, stalled, failed.

local q = open_queue(KEYS[1])
local allowed, patience = next_number(), next_number()
local message, extra = next_argument(), next_argument()
local offset, most = next_number(), next_number()
local taken = {}
trim_events(q)

local function bury(id, crashes)
  end_kept(q, id, message .. crashes .. ' times when its process died', extra, 'active')
  tell(q, 'stalled', 'jobId', id)
  count_ended(q, 'failed', 1)
end

local function take_back(id)
  local key = q.base .. id
  local stored = fields_of(key, 'timestamp', 'priority', 'ats', 'name')
  call('SREM', q.base .. 'stalled', id)
  if not stored[1] and not stored[4] then
    count_oddity(q, 'missing')
    return
  end
  local crashes = count_crash(key)
  if patience > 0 then call('HDEL', key, 'stoker.overdue') end
  if stored[3] then call('HSET', key, 'stoker.taken', stored[3]) end -- for settled.lua
  taken[#taken + 1] = id
  if crashes > allowed then
    bury(id, crashes)
  else
    to_front(q, id, tonumber(stored[2]) or 0)
    tell(q, 'waiting', 'jobId', id, 'prev', 'active')
    tell(q, 'stalled', 'jobId', id)
  end
end

-- Whether an earlier look found this claim's lock gone already, long enough ago.
local function is_overdue(key)
  if patience == 0 then return true end
  local job = fields_of(key, 'stoker.overdue', 'processedOn')
  local seen = tonumber(job[1])
  if seen and seen >= (tonumber(job[2]) or 0) then return seen <= now - patience end
  if job[2] then call('HSET', key, 'stoker.overdue', now) end
  return not job[2]
end

local active = call('LRANGE', q.active, -(offset + most), -(offset + 1))
local stayed = 0

local function all_are_locked()
  local locks = {}
  for place = 1, #active do locks[place] = q.base .. active[place] .. ':lock' end
  return #active == 0 or call('EXISTS', unpack(locks)) == #active
end

if all_are_locked() then
  stayed = #active
else
  local side = 2 * offset > call('LLEN', q.active) and 1 or -1
  for place = #active, 1, -1 do
    local id = active[place]
    if call('EXISTS', q.base .. id .. ':lock') == 1 or not is_overdue(q.base .. id) then
      stayed = stayed + 1
    else
      call('LREM', q.active, side, id)
      take_back(id)
    end
  end
end
if #taken > 0 then mark(q) end

for _, state in ipairs({ 'completed', 'failed' }) do
  if q.kept_for[state] then remove_older(q, state, tonumber(q.kept_for[state])) end
end
return { taken, #active == most and offset + stayed or false }
