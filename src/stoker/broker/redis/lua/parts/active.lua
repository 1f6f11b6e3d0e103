-- needs: queue
-- The list of active jobs: its left end is the last that was claimed.

-- Jobs end in about the order in which they were claimed. Below this many it is not worth looking.
local FEW = 4

local function remove_each(q, ids, gone)
  for place = 1, #ids do
    if not gone[place] then gone[place] = call('LREM', q.active, -1, ids[place]) == 1 end
  end
  return gone
end

-- Take jobs out of the list; returns for each whether it was there. Where most of the oldest are among
-- them, that end of the list is taken off at once and what is to stay is put back: a removal for each
-- would be a command and a line of the server's log for each.
local function out_of_active(q, ids)
  local gone = {}
  if #ids < FEW then return remove_each(q, ids, gone) end
  local place_of, left, stays = {}, 0, {}
  for place = #ids, 1, -1 do place_of[ids[place]] = place end
  local oldest = call('LRANGE', q.active, -#ids, -1)
  for place = 1, #oldest do
    local found = place_of[oldest[place]]
    if found and not gone[found] then
      gone[found], left = true, left + 1
    else
      stays[#stays + 1] = oldest[place]
    end
  end
  if #stays > left then return remove_each(q, ids, {}) end
  if left > 0 then
    call('RPOP', q.active, #oldest)
    if #stays > 0 then call('RPUSH', q.active, unpack(stays)) end
  end
  return left < #ids and remove_each(q, ids, gone) or gone
end
