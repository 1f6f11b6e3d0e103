-- needs: queue delay
-- Where a job stands.

-- Returns its state and, if delayed, when it is due; nothing if there is no such job. A job that is in
-- no set and not active has to be in line: the line itself is not searched, it may be long.
local function state_of(q, id)
  local stored = fields_of(q.base .. id, 'timestamp', 'finishedOn', 'name')
  if not stored[1] and not stored[3] then return end
  if stored[2] then
    if call('ZSCORE', q.base .. 'completed', id) then return 'completed' end
    if call('ZSCORE', q.base .. 'failed', id) then return 'failed' end
  end
  local due = call('ZSCORE', q.delayed, id)
  if due then return 'delayed', math.floor(tonumber(due) / DELAY_STEP) end
  if call('EXISTS', q.base .. id .. ':lock') == 1 or call('LPOS', q.active, id) then
    return 'active'
  end
  return 'waiting'
end
