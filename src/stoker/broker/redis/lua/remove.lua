-- Delete jobs with all that belongs to them; one that is named by its id, with its children too.
-- needs: look dedup parents removal family scheduled
-- Input: KEYS[1] the queue's base. ARGV: time, clock, "1" to remove active ones too, a selection
--   (parts/look.lua).
-- Output: {ids, cursor or nothing}.
-- Events: removed, and what the end of waiting for a child brings.

local force = next_argument() == '1'
local s, q = next_selection(), open_queue(KEYS[1])
trim_events(q)
local hits, ended = look(s, q, true)
local going, ids, gone = {}, {}, {}

local function take_away(of, hit)
  local id, key = hit.id, of.base .. hit.id
  local prev = former(of, hit)
  local job = fields_of(key, 'deid', 'parentKey')
  if hit.state == 'waiting' and call('ZREM', of.base .. 'waiting-children', id) == 1 then
    prev = 'waiting-children'
  else
    out_of(of, hit)
  end
  if hit.state == 'active' then break_lease(of, id) end
  if job[1] then attempt(of, drop_dedup, of, id, job[1]) end
  if job[2] then attempt(of, child_removed, key, job[2]) end
  tell(of, 'removed', 'jobId', id, 'prev', prev)
end

local searched = 0

-- One that is not there any more is only forgotten.
local function remove_child(child)
  local id = id_in(child.key)
  local of = queue_in(child.key, id)
  forget_child(child.parent_key, child.key)
  local state = state_of(of, id)
  searched = searched + length_of_lists(of, state)
  if state then take_away(of, { id = id, state = state }) end
  delete_jobs(of, { id })
end

-- The children of one job. Returns whether it may go itself, and whether some of them are left.
local function remove_family(key)
  if not force and is_held(key, { left = MOST_LOOKED_AT }) then return false, false end
  local family = {}
  local complete = gather_family(key, family, { [key] = true }, 0)
  for place, child in ipairs(family) do
    if not force and call('EXISTS', child.key .. ':lock') == 1 then return false, false end
    attempt(q, remove_child, child)
    if gone_through + searched > SEARCHED_AT_ONCE and place < #family then return false, true end
  end
  return complete, not complete
end

local before = gone_through
for n, hit in ipairs(hits) do
  if n > 1 and not hit.section and gone_through - before + searched > SEARCHED_AT_ONCE then
    ended = { looked = hit.place - 1 } -- what the children before have cost is enough
    break
  end
  local goes, more = (force or hit.state ~= 'active') and not is_armed(q, hit), false
  if goes and not hit.section then
    local fine
    fine, goes, more = pcall(remove_family, q.base .. hit.id)
    if not fine then goes, more = true, false end -- its children are nowhere to be found
  end
  if more then
    ended = { looked = hit.place - 1 }
    break
  end
  if goes then going[#going + 1] = hit end
end
out_of_lists(s, q, going)
for _, hit in ipairs(going) do
  take_away(q, hit)
  ids[#ids + 1] = hit.id
  gone[hit.id] = true
end
if #ids > 0 then delete_jobs(q, ids) end
return { ids, cursor_of(s, ended, hits, gone) }
