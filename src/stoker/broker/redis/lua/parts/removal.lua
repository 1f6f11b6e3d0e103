-- needs: queue
-- Deleting jobs with all that belongs to them.

local BESIDE_A_JOB = { ':logs', ':dependencies', ':processed', ':failed', ':unsuccessful' }
local AT_ONCE = 500

-- Most jobs have nothing beside their hash: to look first is cheaper than to write a deletion of nothing
-- into the server's log.
local function delete_some(q, ids, first, last)
  local hashes, beside = {}, {}
  for place = first, last do
    local key = q.base .. ids[place]
    hashes[#hashes + 1] = key
    for suffix = 1, #BESIDE_A_JOB do beside[#beside + 1] = key .. BESIDE_A_JOB[suffix] end
  end
  call('DEL', unpack(hashes))
  if call('EXISTS', unpack(beside)) > 0 then call('DEL', unpack(beside)) end
end

local function delete_jobs(q, ids)
  for first = 1, #ids, AT_ONCE do delete_some(q, ids, first, math.min(first + AT_ONCE - 1, #ids)) end
end
