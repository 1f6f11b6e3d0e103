-- needs: queue line delay ending
-- Settling one job: one that failed or is to run again, or one that completed and that somebody waits for.

-- Jobs that failed, by retention: what one has to let go is looked for once.
local function keep_failed(q, retention, id)
  local kind = retention.count .. ' ' .. retention.age .. ' ' .. retention.limit
  q.failed = q.failed or {}
  q.failed[kind] = q.failed[kind] or { retention = retention, members = {} }
  local members = q.failed[kind].members
  members[#members + 1] = now
  members[#members + 1] = id
end

local function fail(q, id, job, outcome)
  local key, attempts = q.base .. id, job.attempts
  note_failure(key, outcome.message, outcome.trace, outcome.extra)
  if outcome.crashed then
    count_crash(key)
  else
    attempts = attempts + 1
    call('HSET', key, 'atm', attempts)
  end
  call('HSET', key, 'finishedOn', now)
  call('HDEL', key, 'defa')
  local allowed = tonumber(decoded(fields_of(key, 'opts')[1]).attempts) or 0
  local kept = outcome.keep.count ~= '0'
  q.ended.failed = q.ended.failed + 1
  end_job(q, id, job, 'failed', 'failedReason', outcome.message, kept, 'active')
  if kept then keep_failed(q, outcome.keep, id) end
  if attempts >= allowed then
    tell(q, 'retries-exhausted', 'jobId', id, 'attemptsMade', attempts)
  end
end

-- A parent cannot complete before its children, nor with one that was to fail it.
local function unfit(key)
  if call('EXISTS', key .. ':dependencies', key .. ':unsuccessful') == 0 then return end
  local early = call('SCARD', key .. ':dependencies') > 0
  return { message = early and 'it ended before its children' or 'one of its children failed',
    trace = '', extra = '', keep = { count = '', age = '', limit = '' } } -- its own is for completed ones
end

-- Put its time and id to ``members``, if it is kept.
local function complete(q, id, job, result, members, may_be_parent)
  local key = q.base .. id
  local failure = may_be_parent and unfit(key)
  if failure then return fail(q, id, job, failure) end
  if members then
    call('HSET', key, 'returnvalue', result, 'finishedOn', ARGV[1], 'atm', job.attempts + 1)
  end
  q.ended.completed = q.ended.completed + 1
  end_job(q, id, job, 'completed', 'returnvalue', result, members, 'active')
  if members then
    members[#members + 1] = ARGV[1]
    members[#members + 1] = id
  end
end

local VERBS = { r = 'retried', s = 'snoozed', x = 'released' }

local function again(q, id, job, outcome)
  local key, verb = q.base .. id, VERBS[outcome.kind]
  if outcome.kind == 'r' then
    note_failure(key, outcome.message, outcome.trace, outcome.extra)
    call('HSET', key, 'atm', job.attempts + 1)
  elseif outcome.crashed then
    count_crash(key)
  end
  if outcome.delay > 0 then
    call('HSET', key, 'delay', outcome.delay)
    to_delayed(q, id, now + outcome.delay, 'stoker', verb)
    mark_delay(q)
    return
  end
  local stored = fields_of(key, 'priority', 'opts')
  to_line(q, id, tonumber(stored[1]) or 0, outcome.kind == 'x' or is_lifo(stored[2]))
  mark(q)
  tell(q, 'waiting', 'jobId', id, 'prev', 'active', 'stoker', verb)
end

return { fail = fail, complete = complete, again = again, lay_out = lay_out, let_go = children_removed }
