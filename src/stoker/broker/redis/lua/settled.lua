-- Tell which outcomes count already: they were sent before, and the answer did not come.
-- needs: lease state
-- Input: KEYS the queues' bases. ARGV: time, clock, number of outcomes, each: kind as in finish, place in
--   KEYS, id, token, its result or message, its extra.
-- Output: {places of those that were settled by that token in that way, how many were looked at}. No events.

local ENDS = { d = { completed = true }, f = { failed = true } }
local AGAIN = { waiting = true, delayed = true }

local function is_recorded(kind, key, text, extra)
  local job = fields_of(key, 'returnvalue', 'failedReason', 'stoker.failure')
  if kind == 'd' then return job[1] == text end
  if kind == 'f' or kind == 'r' then return job[2] == text and (job[3] or '') == extra end
  return true
end

-- A job that was taken back from this claim waits too, but not because its worker said so.
local function was_taken_back(key)
  local job = fields_of(key, 'processedOn', 'ats', 'stoker.taken')
  return job[3] == claim_of(job[1], job[2])
end

local settled, looked_at = {}, 0
local count = next_number()
while looked_at < count and gone_through <= SEARCHED_AT_ONCE do
  looked_at = looked_at + 1
  local kind, base, id, token = next_argument(), KEYS[next_number()], next_argument(), next_argument()
  local text, extra = next_argument(), next_argument()
  local key = base .. id
  if is_last_claim(key, token) and (ENDS[kind] or AGAIN)[state_of(open_queue(base), id)]
      and is_recorded(kind, key, text, extra) and not was_taken_back(key) then
    settled[#settled + 1] = looked_at
  end
end
return { settled, looked_at }
