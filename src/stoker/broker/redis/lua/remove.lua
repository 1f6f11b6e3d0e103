-- Delete jobs with all that belongs to them.
-- needs: look dedup parents removal
-- Input: KEYS[1] the queue's base. ARGV: time, clock, "1" to remove active ones too, a selection
--   (parts/look.lua).
-- Output: {ids, cursor or nothing}.
-- Events: removed, and what the end of waiting for a child brings.

local force = next_argument() == '1'
local s, q = next_selection(), open_queue(KEYS[1])
trim_events(q)
local hits, ended = look(s, q, true)
local going, ids, gone = {}, {}, {}
for _, hit in ipairs(hits) do
  if force or hit.state ~= 'active' then going[#going + 1] = hit end
end
out_of_lists(s, q, going)
for _, hit in ipairs(going) do
  local id, key = hit.id, q.base .. hit.id
  local prev = former(q, hit)
  local job = fields_of(key, 'deid', 'parentKey')
  out_of(q, hit)
  if hit.state == 'active' then break_lease(q, id) end
  if hit.state == 'waiting' then call('ZREM', q.base .. 'waiting-children', id) end
  if job[1] then attempt(q, drop_dedup, q, id, job[1]) end
  if job[2] then attempt(q, child_removed, key, job[2]) end
  tell(q, 'removed', 'jobId', id, 'prev', prev)
  ids[#ids + 1] = id
  gone[id] = true
end
if #ids > 0 then delete_jobs(q, ids) end
return { ids, cursor_of(s, ended, hits, gone) }
