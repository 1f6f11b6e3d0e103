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
-- So many are searched for in any case. If then more are missing than are worth a search each, the list is
-- read, which takes as long as twenty or thirty.
local SEARCHES = 8
local MANY_SEARCHES = 24
-- What a call may do in a queue's list, about 4 ms: to walk past an entry costs 1, to read it READING.
local BUDGET = 600000
local READING = 16
-- Where to look from when the whole list was read: the list has moved meanwhile, so what is missing is
-- searched for.
local SEARCH = -1

local function remove_each(q, ids)
  local gone = {}
  for place = 1, #ids do gone[place] = call('LREM', q.active, -1, ids[place]) == 1 end
  return gone
end

-- Take out those that are not gone yet, wherever they are, as far as a call may look.
local function remove_scattered(q, ids, gone, from)
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
        gone[found], missing = true, missing - 1
        places[#places + 1] = first + n - 1 - (side == 1 and 0 or length)
      end
    end
  end

  local searches, walked = 0, 0
  local function is_worth_a_search()
    if from == SEARCH then return walked == 0 or walked + length <= BUDGET end
    if from > 0 then return false end
    if missing <= MANY_SEARCHES and walked == 0 then return true end
    return (searches < SEARCHES or missing <= MANY_SEARCHES) and walked + length <= BUDGET / 2
  end
  for place = 1, #ids do
    if gone[place] == nil and is_worth_a_search() then
      searches, walked = searches + 1, walked + length
      look_through(search(q.active, ids[place], side))
      if not gone[place] then gone[place], missing = false, missing - 1 end
    end
  end

  local following = missing > 0 and SEARCH or nil
  if from > 0 or (from == 0 and missing > MANY_SEARCHES) then
    local count = math.max(math.floor((BUDGET - walked) / READING), AT_ONCE)
    local last, found_before = math.min(from + count, length), #places
    for first = from, last - 1, AT_ONCE do
      local to = math.min(first + AT_ONCE, last) -- all counted from the right
      look_through(call('LRANGE', q.active, -to, -(first + 1)), length - to)
    end
    if last < length then
      following = last - (#places - found_before)
    elseif from == 0 then
      following = nil -- all of it was read by this call
    end
  end
  out_of_places(q.active, places)
  for place = 1, #ids do
    if not following and not gone[place] then gone[place] = false end
  end
  return gone, following
end

-- Take jobs out of the list; returns for each whether it was there, or nothing where that is not known yet:
-- then also where to look ``from`` in the next call. The first looks from 0. The oldest are looked through,
-- as far as all may be among them; then that end of the list is taken off at once, and what is to stay is
-- put back: a removal for each would be a command, a walk past all that is older, and a line of the
-- server's log for each.
local function out_of_active(q, ids, from)
  local gone = {}
  if #ids < FEW then return remove_each(q, ids) end
  if from ~= 0 then return remove_scattered(q, ids, gone, from) end
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
  if looked > WORTH * left then return remove_scattered(q, ids, {}, from) end
  if left > 0 then
    call('RPOP', q.active, looked)
    for part = #staying, 1, -1 do -- what was read last lies furthest to the left
      if #staying[part] > 0 then call('RPUSH', q.active, unpack(staying[part])) end
    end
  end
  if left < #ids then return remove_scattered(q, ids, gone, from) end
  return gone
end
