-- One job with its log.
-- needs: state record
-- Input: KEYS[1] the queue's base. ARGV: time, clock, id.
-- Output: {record (parts/record.lua), lines, their times} or nothing. No events.

local q, id = open_queue(KEYS[1]), next_argument()
local state, due = state_of(q, id)
if not state then return false end
local found = record(q, id, state, due)
return { found, call('LRANGE', q.base .. id .. ':logs', 0, -1),
  fields_of(q.base .. id, 'stoker.logged')[1] or '' }
