-- Make delayed, completed and failed jobs waiting: promote, run again, replay.
-- needs: look parents
-- Input: KEYS[1] the queue's base. ARGV: time, clock, a selection (parts/look.lua).
-- Output: {ids, cursor or nothing}.
-- Events: waiting.

local s, q = next_selection(), open_queue(KEYS[1])
trim_events(q)
local hits, ended = look(s, q)
local moved, gone = {}, {}

for _, hit in ipairs(hits) do
  local id, key, state = hit.id, q.base .. hit.id, hit.state
  if state == 'delayed' or state == 'completed' or state == 'failed' then
    local job = fields_of(key, 'priority', 'opts', 'parentKey', 'parent', 'timestamp',
      'name')
    call('ZREM', q.base .. state, id)
    if job[5] or job[6] then
      if state == 'delayed' then
        call('HSET', key, 'delay', 0)
      else
        call('HDEL', key, 'finishedOn', 'processedOn', 'atm', 'ats', 'stc', 'returnvalue',
          'failedReason', 'stoker.failure', 'stoker.taken', 'progress', 'defa')
        if job[3] then child_again(key, job[3], job[4]) end
      end
      to_line(q, id, tonumber(job[1]) or 0, is_lifo(job[2]))
      tell(q, 'waiting', 'jobId', id, 'prev', state, 'stoker', 'requeued')
      moved[#moved + 1] = id
      gone[id] = true
    end
  end
end
if #moved > 0 then mark(q) end
return { moved, cursor_of(s, ended, hits, gone) }
