-- needs: queue
-- Who holds a job. A token is "<drawn>.<claimed at>.<starts>": once the lock has run out, the last
-- two tell whether the job was given to somebody else since.

local function is_last_claim(key, token)
  local at, starts = string.match(token, '%.(%d+)%.(%d+)$')
  local job = fields_of(key, 'processedOn', 'ats')
  return at ~= nil and job[1] == at and job[2] == starts
end

-- Whether ``token`` holds the job: its lock says so, or the lock has run out and nobody stepped in.
-- That the job is still in ``active`` is for the caller to see.
local function holds(key, lock, token)
  if token == '' then return false end
  if lock then return lock == token end
  return is_last_claim(key, token)
end
