-- needs: queue state
-- A parent's children and theirs, youngest first: what goes when the parent is removed.

local FAMILY_AT_ONCE = 200
local DEEPEST = 100
-- Descendants that are looked at for locks.
local MOST_LOOKED_AT = 500

-- Append what a set or hash names to ``found``; returns whether that was all of it. Those that were taken
-- out of it leave gaps where a scan begins, so one look may find nothing.
local function scan(command, key, step, found)
  local cursor = '0'
  repeat
    local answer = redis.pcall(command, key, cursor, 'COUNT', FAMILY_AT_ONCE)
    if answer.err then return true end -- of another type, so it names nobody
    cursor = answer[1]
    for place = 1, #answer[2], step do found[#found + 1] = answer[2][place] end
  until cursor == '0' or #found >= FAMILY_AT_ONCE
  return cursor == '0'
end

-- Those whom a job waited or waits for, as keys, or some of them; and whether that was all.
local function children_of(key)
  local found = {}
  local all = scan('HSCAN', key .. ':processed', 2, found)
    and scan('HSCAN', key .. ':failed', 2, found)
    and scan('ZSCAN', key .. ':unsuccessful', 2, found)
    and scan('SSCAN', key .. ':dependencies', 1, found)
  return found, all
end

local function forget_child(parent_key, child)
  redis.pcall('HDEL', parent_key .. ':processed', child)
  redis.pcall('HDEL', parent_key .. ':failed', child)
  redis.pcall('ZREM', parent_key .. ':unsuccessful', child)
  redis.pcall('SREM', parent_key .. ':dependencies', child)
end

-- Whether a job is held, or one that it waits for.
local function is_held(key, looks)
  looks.left = looks.left - 1
  if call('EXISTS', key .. ':lock') == 1 then return true end
  if looks.left <= 0 then return false end
  local waited_for = {}
  scan('SSCAN', key .. ':dependencies', 1, waited_for)
  for _, child in ipairs(waited_for) do
    if looks.left > 0 and is_held(child, looks) then return true end
  end
  return false
end

-- Append a job's descendants to ``found`` as {key, parent_key}, children before their parents, until
-- there are enough. Returns whether that was all of them.
local function gather_family(key, found, seen, depth)
  if depth >= DEEPEST then return true end
  local children, all = children_of(key)
  for _, child in ipairs(children) do
    if not seen[child] then
      seen[child] = true
      if not gather_family(child, found, seen, depth + 1) then return false end
      if #found >= FAMILY_AT_ONCE then return false end
      found[#found + 1] = { key = child, parent_key = key }
    end
  end
  return all
end
