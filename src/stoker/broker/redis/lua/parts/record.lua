-- needs: queue
-- A job as the broker reads it: {id, state, due or nothing, token or nothing, fields}.

local function record(q, id, state, due)
  local key = q.base .. id
  local job = fields_of(key, 'name', 'data', 'opts', 'timestamp', 'priority', 'atm', 'ats', 'stc',
    'progress', 'failedReason', 'stacktrace', 'stoker.failure', 'processedOn', 'finishedOn', 'pb',
    'returnvalue')
  local size = #(job[2] or '') + #(job[11] or '') + #(job[16] or '')
  local token = state == 'active' and (call('GET', key .. ':lock') or '')
  return { id, state, due or false, token, job }, size
end
