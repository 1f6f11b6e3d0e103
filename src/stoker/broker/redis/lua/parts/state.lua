-- needs: queue delay search
-- Where a job stands.

-- Entries of lists that one call goes through for jobs that are named by their ids, and then of one job
-- more: 4 ms each at the most.
local SEARCHED_AT_ONCE = 200000
-- As far as that was to see whether jobs are active.
local gone_through = 0
local seen = {}

-- The server walks the list for this: to have it read takes as long as fifty walks.
local function is_active(q, id)
  if seen[q.base .. id] then return true end
  gone_through = gone_through + call('LLEN', q.active)
  for _, other in ipairs(search(q.active, id, -1)) do seen[q.base .. other] = true end
  return seen[q.base .. id] or false
end

-- The claim from which a job was last taken back is kept with it, for whoever asks where it stands.
local function claim_of(claimed_at, starts)
  return (claimed_at or '') .. ':' .. (starts or '')
end

-- It was claimed before and nobody holds it: only the list of active jobs can tell.
local UNTOLD = 'untold'

-- What its hash, its lock and the sets tell of where a job stands, which is all but of a few.
local function told_state(q, id)
  local stored = fields_of(q.base .. id, 'timestamp', 'finishedOn', 'name', 'processedOn', 'ats',
    'stoker.taken')
  if not stored[1] and not stored[3] then return end
  if stored[2] then
    if call('ZSCORE', q.base .. 'completed', id) then return 'completed' end
    if call('ZSCORE', q.base .. 'failed', id) then return 'failed' end
  end
  local due = call('ZSCORE', q.delayed, id)
  if due then return 'delayed', math.floor(tonumber(due) / DELAY_STEP) end
  if call('EXISTS', q.base .. id .. ':lock') == 1 then return 'active' end
  local was_taken_back = stored[6] == claim_of(stored[4], stored[5])
  if not stored[4] or was_taken_back or call('ZSCORE', q.prioritized, id) then return 'waiting' end
  return UNTOLD
end

-- Returns a job's state and, if delayed, when it is due; nothing if there is no such job. One that is
-- nowhere else has to be in line: the line itself is not searched, it may be long.
local function state_of(q, id)
  local state, due = told_state(q, id)
  if state ~= UNTOLD then return state, due end
  return is_active(q, id) and 'active' or 'waiting'
end
