-- Find jobs.
-- needs: look record
-- Input: KEYS[1] the queue's base. ARGV: time, clock, a selection (parts/look.lua).
-- Output: {records (parts/record.lua), cursor or nothing, ids looked at}. No events.

-- Bytes of one answer; the next one goes on behind the last job that fitted in.
local ENOUGH_BYTES = 8388608

local s, q = next_selection(), open_queue(KEYS[1])
local most, records, bytes = s.most, {}, 0
local hits, ended = look(s, q)
for place, hit in ipairs(hits) do
  local found, size = record(q, hit.id, hit.state, hit.due)
  bytes = bytes + size
  records[place] = found
  if bytes > ENOUGH_BYTES and place < #hits then
    if hit.section then
      s.most = place
      hits, ended = look_at_state(s, q)
    else
      ended = { looked = hit.place }
    end
    break
  end
end
return { records, cursor_of(s, ended, hits, {}) }
