-- needs: queue
-- Deleting jobs with all that belongs to them.

local OF_A_JOB = { '', ':logs', ':dependencies', ':processed', ':failed', ':unsuccessful' }
local AT_ONCE = 500

local function delete_jobs(q, ids)
  local keys = {}
  for place, id in ipairs(ids) do
    for _, suffix in ipairs(OF_A_JOB) do keys[#keys + 1] = q.base .. id .. suffix end
    if place % AT_ONCE == 0 or place == #ids then
      call('DEL', unpack(keys))
      keys = {}
    end
  end
end
