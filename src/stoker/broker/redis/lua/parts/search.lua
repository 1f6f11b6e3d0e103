-- needs: queue
-- Searching a list.

-- Jobs that were claimed together lie together: on each side of one that was found, so many are looked at.
local AROUND = 64

-- Search a list from the left (side 1) or the right (-1). Returns what is around an id that is there, and
-- the place of the first of these from the left.
local function search(list, id, side)
  local at = call('LPOS', list, id, 'RANK', side)
  if not at then return {} end
  local first = math.max(at - AROUND, 0)
  return call('LRANGE', list, first, at + AROUND), first
end
