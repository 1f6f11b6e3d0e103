-- Take back jobs of one queue whose lock is gone; keep house.
-- needs: list state ending counting retention
-- Input: KEYS[1] the queue's base. ARGV: time, clock, crashes allowed, patience in ms, the message of a
--   dead letter up to its number, extra, offset in the active list from its oldest end, jobs to look at.
-- Output: {ids taken back, offset to go on from or nothing}.
-- Events: waiting, stalled, failed.

local q = open_queue(KEYS[1])
local allowed, patience = next_number(), next_number()
local message, extra = next_argument(), next_argument()
local offset, most = next_number(), next_number()
-- One that is taken back costs as much as hundreds that are only looked at.
local MOST_TAKEN = 100
local taken, places = {}, {}
trim_events(q)

local function bury(id, crashes)
  end_kept(q, id, message .. crashes .. ' times when its process died', extra, 'active')
  tell(q, 'stalled', 'jobId', id)
  attempt(q, count_ended, q, 'failed', 1)
end

local function take_back(id)
  local key = q.base .. id
  local stored = fields_of(key, 'timestamp', 'priority', 'ats', 'name', 'processedOn', 'stc')
  call('SREM', q.base .. 'stalled', id)
  if not stored[1] and not stored[4] then
    count_oddity(q, 'missing')
    return
  end
  local is_doomed = (tonumber(stored[6]) or 0) >= allowed
  -- First what may fail, where others have left something in the way: it is no crash, however often.
  if not is_doomed then to_front(q, id, tonumber(stored[2]) or 0) end
  local crashes = count_crash(key)
  if patience > 0 then call('HDEL', key, 'stoker.overdue') end
  call('HSET', key, 'stoker.taken', claim_of(stored[5], stored[3]))
  if is_doomed then
    bury(id, crashes)
  else
    tell(q, 'waiting', 'jobId', id, 'prev', 'active')
    tell(q, 'stalled', 'jobId', id)
  end
  taken[#taken + 1] = id
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

local function all_are_locked()
  local locks = {}
  for place = 1, #active do locks[place] = q.base .. active[place] .. ':lock' end
  return #active == 0 or call('EXISTS', unpack(locks)) == #active
end

-- What cannot be taken back stays for the next look.
local function goes(id)
  return call('EXISTS', q.base .. id .. ':lock') == 0 and is_overdue(q.base .. id)
    and attempt(q, take_back, id)
end

local looked = all_are_locked() and #active or 0
while looked < #active and #places < MOST_TAKEN do
  looked = looked + 1
  if goes(active[#active - looked + 1]) then places[#places + 1] = -(offset + looked) end
end
out_of_places(q.active, places)
if #taken > 0 then mark(q) end

if #places == 0 then -- one call does one or the other
  for _, state in ipairs({ 'completed', 'failed' }) do
    if q.kept_for[state] then
      remove_older(q, state, tonumber(q.kept_for[state]), MOST_REMOVED / 2,
        state == 'failed' and children_removed)
    end
  end
end
local is_all = looked == #active and #active < most
return { taken, not is_all and offset + looked - #places or false }
