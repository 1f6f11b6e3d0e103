-- needs: queue list search
-- The list of active jobs: its left end is the last that was claimed.

-- Jobs end in about the order in which they were claimed. Below this many it is not worth looking.
local FEW = 4
-- For so many it is worth to look past those of other workers, and those that take long: reading and
-- writing one of these takes as long as walking past it does for about thirty.
local MANY = 64
local FURTHEST = 8000
local WORTH = 32
local AT_ONCE = 4000
-- So near to the left end, a batch is looked for from there.
local NEAR = 2000
-- So many are searched for in any case. If then more are missing than are worth a search each, the whole
-- list is read, which takes as long as twenty or thirty.
local SEARCHES = 8
local MANY_SEARCHES = 24

local function remove_each(q, ids)
  local gone = {}
  for place = 1, #ids do gone[place] = call('LREM', q.active, -1, ids[place]) == 1 end
  return gone
end

-- Take out those that are not gone yet, wherever they are.
local function remove_scattered(q, ids, gone)
  local side = call('LPOS', q.active, ids[1], 'MAXLEN', NEAR) and 1 or -1
  local length, place_of, missing, places = call('LLEN', q.active), {}, 0, {}
  for place = #ids, 1, -1 do
    if not gone[place] then
      place_of[ids[place]] = place
      missing = missing + 1
    end
  end
  local function look_through(part, first)
    for n = 1, #part do
      local found = place_of[part[n]]
      if found and not gone[found] then
        gone[found] = true
        places[#places + 1] = first + n - 1 - (side == 1 and 0 or length)
      end
    end
  end
  local searches = 0
  local function is_rather_read()
    return searches >= SEARCHES and missing - #places > MANY_SEARCHES
  end
  for place = 1, #ids do
    if not gone[place] and not is_rather_read() then
      searches = searches + 1
      look_through(search(q.active, ids[place], side))
    end
  end
  for first = 0, is_rather_read() and length - 1 or -1, AT_ONCE do
    look_through(call('LRANGE', q.active, first, first + AT_ONCE - 1), first)
  end
  out_of_places(q.active, places)
  return gone
end

-- Take jobs out of the list; returns for each whether it was there. The oldest are looked through, as far
-- as all may be among them; then that end of the list is taken off at once, and what is to stay is put
-- back: a removal for each would be a command, a walk past all that is older, and a line of the server's
-- log for each.
local function out_of_active(q, ids)
  local gone = {}
  if #ids < FEW then return remove_each(q, ids) end
  local place_of, left, looked, staying = {}, 0, 0, {}
  for place = #ids, 1, -1 do place_of[ids[place]] = place end
  local most = #ids < MANY and #ids or FURTHEST
  while left < #ids and looked < most do
    local count = math.min(math.max(#ids, looked), AT_ONCE) -- twice as far each time
    local part, stays = call('LRANGE', q.active, -(looked + count), -(looked + 1)), {}
    if #part == 0 then break end
    for place = 1, #part do
      local found = place_of[part[place]]
      if found and not gone[found] then
        gone[found], left = true, left + 1
      else
        stays[#stays + 1] = part[place]
      end
    end
    looked = looked + #part
    staying[#staying + 1] = stays
  end
  if looked > WORTH * left then return remove_scattered(q, ids, {}) end
  if left > 0 then
    call('RPOP', q.active, looked)
    for part = #staying, 1, -1 do -- what was read last lies furthest to the left
      if #staying[part] > 0 then call('RPUSH', q.active, unpack(staying[part])) end
    end
  end
  return left < #ids and remove_scattered(q, ids, gone) or gone
end
