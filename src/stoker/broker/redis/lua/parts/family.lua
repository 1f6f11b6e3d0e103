-- needs: queue state
-- A parent's children and theirs, youngest first: what goes when the parent is removed.

local FAMILY_AT_ONCE = 500
local DEEPEST = 100
-- Descendants that are looked at for locks.
local MOST_LOOKED_AT = 2000

-- Some of those whom a job waited or waits for, as keys; and whether there are more.
local function children_of(key)
  local found, more = {}, false
  local function gather(answer, step)
    if answer.err then return end -- of another type, so it names nobody
    more = more or answer[1] ~= '0'
    for place = 1, #answer[2], step do found[#found + 1] = answer[2][place] end
  end
  gather(redis.pcall('HSCAN', key .. ':processed', 0, 'COUNT', FAMILY_AT_ONCE), 2)
  gather(redis.pcall('HSCAN', key .. ':failed', 0, 'COUNT', FAMILY_AT_ONCE), 2)
  gather(redis.pcall('ZSCAN', key .. ':unsuccessful', 0, 'COUNT', FAMILY_AT_ONCE), 2)
  gather(redis.pcall('SSCAN', key .. ':dependencies', 0, 'COUNT', FAMILY_AT_ONCE), 1)
  return found, more
end

local function forget_child(parent_key, child)
  call('HDEL', parent_key .. ':processed', child)
  call('HDEL', parent_key .. ':failed', child)
  call('ZREM', parent_key .. ':unsuccessful', child)
  call('SREM', parent_key .. ':dependencies', child)
end

-- Whether a job is held, or one that it waits for.
local function is_held(key, looks)
  looks.left = looks.left - 1
  if call('EXISTS', key .. ':lock') == 1 then return true end
  if looks.left <= 0 then return false end
  local waited_for = call('SSCAN', key .. ':dependencies', 0, 'COUNT', FAMILY_AT_ONCE)[2]
  for _, child in ipairs(waited_for) do
    if looks.left > 0 and is_held(child, looks) then return true end
  end
  return false
end

-- Append a job's descendants to ``found`` as {key, parent_key}, children before their parents, until
-- there are enough. Returns whether that was all of them.
local function gather_family(key, found, seen, depth)
  if depth >= DEEPEST then return true end
  local children, more = children_of(key)
  for _, child in ipairs(children) do
    if not seen[child] then
      seen[child] = true
      if not gather_family(child, found, seen, depth + 1) then return false end
      if #found >= FAMILY_AT_ONCE then return false end
      found[#found + 1] = { key = child, parent_key = key }
    end
  end
  return not more
end
