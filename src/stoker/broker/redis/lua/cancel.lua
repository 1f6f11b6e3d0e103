-- End unfinished jobs for good.
-- needs: look ending counting scheduled
-- Input: KEYS[1] the queue's base. ARGV: time, clock, why, extra, a selection (parts/look.lua).
-- Output: {ids, cursor or nothing}.
-- Events: failed, and an entry "cancelled" for each.

local why, extra = next_argument(), next_argument()
local s, q = next_selection(), open_queue(KEYS[1])
trim_events(q)
local hits, ended = look(s, q, true)
local going, ids, gone = {}, {}, {}
for _, hit in ipairs(hits) do
  local has_ended = hit.state == 'completed' or hit.state == 'failed'
  if not has_ended and not is_armed(q, hit) then going[#going + 1] = hit end
end
out_of_lists(s, q, going)
for _, hit in ipairs(going) do
  local id, key = hit.id, q.base .. hit.id
  local prev = former(q, hit)
  out_of(q, hit)
  if hit.state == 'active' then break_lease(q, id) end
  if hit.state == 'waiting' then call('ZREM', q.base .. 'waiting-children', id) end
  call('HSET', key, 'delay', 0)
  end_kept(q, id, why, extra, prev)
  tell(q, 'cancelled', 'jobId', id)
  ids[#ids + 1] = id
  gone[id] = true
end
count_ended(q, 'failed', #ids)
return { ids, cursor_of(s, ended, hits, gone) }
