-- needs: queue
-- Jobs of BullMQ's job schedulers: one begins, and the next is armed.

-- Whether a job that has not begun is the one that a scheduler has armed. Taken away, it would end the
-- schedule, and nobody would say so: BullMQ leaves it alone as well.
local function is_armed(q, hit)
  if hit.state ~= 'waiting' and hit.state ~= 'delayed' then return false end
  local scheduler, due = string.match(hit.id, '^repeat:(.+):(%d+)$')
  if not scheduler then return false end
  local armed = tonumber(redis.pcall('ZSCORE', q.base .. 'repeat', scheduler) or nil)
  return armed ~= nil and string.format('%.0f', armed) == due
end
