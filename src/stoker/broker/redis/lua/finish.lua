-- Settle the outcomes of runs, then claim what is wanted.
-- needs: take lease ending
-- Input: KEYS the queues' bases. ARGV: time, clock; number of retentions, each a count, an age and how
--   many to remove for their age for each outcome, "" for no limit; number of outcomes, each: kind, place in KEYS, id, token, and by kind
--     d (done): retention, result          f (failed): retention, message, trace, extra, "1" if crashed
--     r (retried): delay, message, trace, extra      s (snoozed): delay      x (released): "1" if crashed
--   then a want as in claim, with a count of 0 for none.
-- Output: {places of the outcomes whose lease was lost, jobs, when to ask again}.
-- Events: completed, failed, retries-exhausted, delayed, waiting, drained, and those of claim.

local queues, lost = {}, {}
local keeps, outcomes = {}, {}
local any_parents = false
-- Jobs that ended in the same way with the same retention, one after the other: they are put into
-- their set together, and the retention is applied once.
local run

local function queue_at(place)
  if not queues[place] then
    queues[place] = open_queue(KEYS[place])
    trim_events(queues[place])
    queues[place].ended = { completed = 0, failed = 0 }
  end
  return queues[place]
end

local function end_run()
  if run then
    call('ZADD', run.q.base .. run.state, unpack(run.members))
    local limit = run.keep[3] and run.keep[3] * #run.members / 2
    retain(run.q, run.state, run.keep[1], run.keep[2], limit)
    run = nil
  end
end

local function keep_as(q, state, keep, id)
  if run and (run.q ~= q or run.state ~= state or run.keep ~= keep) then end_run() end
  run = run or { q = q, state = state, keep = keep, members = {} }
  local members = run.members
  members[#members + 1] = now
  members[#members + 1] = id
end

local function finished(q, outcome, job, state, field, text)
  q.ended[state] = q.ended[state] + 1
  local kept = outcome.keep[1] ~= '0'
  end_job(q, outcome.id, job, state, field, text, kept, 'active')
  if kept then keep_as(q, state, outcome.keep, outcome.id) end
end

local function fail(q, outcome, job, key)
  local attempts = job.attempts
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
  finished(q, outcome, job, 'failed', 'failedReason', outcome.message)
  if attempts >= allowed then
    tell(q, 'retries-exhausted', 'jobId', outcome.id, 'attemptsMade', attempts)
  end
end

local KEPT = { '', '' }

-- A parent cannot complete before its children, nor with one that was to fail it.
local function unfit(key)
  if call('SCARD', key .. ':dependencies') > 0 then
    return 'it ended before its children'
  end
  return 'one of its children failed'
end

local function complete(q, outcome, job, key)
  if any_parents and call('EXISTS', key .. ':dependencies', key .. ':unsuccessful') > 0 then
    local why = unfit(key)
    outcome.message, outcome.trace, outcome.extra = why, '', ''
    outcome.keep = KEPT -- its own is for those that completed
    return fail(q, outcome, job, key)
  end
  if outcome.keep[1] ~= '0' then
    call('HSET', key, 'returnvalue', outcome.value, 'finishedOn', now, 'atm', job.attempts + 1)
  end
  finished(q, outcome, job, 'completed', 'returnvalue', outcome.value)
end

local VERBS = { r = 'retried', s = 'snoozed', x = 'released' }

local function again(q, outcome, job, key)
  local verb = VERBS[outcome.kind]
  if outcome.kind == 'r' then
    note_failure(key, outcome.message, outcome.trace, outcome.extra)
    call('HSET', key, 'atm', job.attempts + 1)
  elseif outcome.crashed then
    count_crash(key)
  end
  if outcome.delay > 0 then
    call('HSET', key, 'delay', outcome.delay)
    to_delayed(q, outcome.id, now + outcome.delay, 'stoker', verb)
    mark_delay(q)
    return
  end
  local stored = fields_of(key, 'priority', 'opts')
  to_line(q, outcome.id, tonumber(stored[1]) or 0, outcome.kind == 'x' or is_lifo(stored[2]))
  mark(q)
  tell(q, 'waiting', 'jobId', outcome.id, 'prev', 'active', 'stoker', verb)
end

local STEPS = { d = complete, f = fail, r = again, s = again, x = again }

local function settle(outcome)
  local q = outcome.q
  local fine, why = attempt(q, STEPS[outcome.kind], q, outcome, outcome.job, outcome.key)
  if not fine then lay_out(q, outcome.id, why, 'active') end
end

-- Whether the lease is held; if so, it ends here.
local function let_go(outcome, lock)
  local q = queue_at(outcome.queue)
  local key = q.base .. outcome.id
  local stored = fields_of(key, 'ats', 'atm', 'parentKey', 'parent', 'deid')
  if not stored[1] or not holds(key, lock, outcome.token)
      or call('LREM', q.active, -1, outcome.id) == 0 then
    return false
  end
  if not lock then call('HDEL', key, 'stoker.overdue') end
  outcome.q, outcome.key = q, key
  outcome.job = { attempts = tonumber(stored[2]) or 0, parent_key = stored[3], parent = stored[4],
    dedup = stored[5] }
  return true
end

local function let_go_all()
  local locks, children, stalled = {}, {}, {}
  for place, outcome in ipairs(outcomes) do
    local key = KEYS[outcome.queue] .. outcome.id
    locks[place] = key .. ':lock'
    if outcome.kind == 'd' then
      children[#children + 1] = key .. ':dependencies'
      children[#children + 1] = key .. ':unsuccessful'
    end
  end
  if #locks == 0 then return end
  any_parents = #children > 0 and call('EXISTS', unpack(children)) > 0
  local held = call('MGET', unpack(locks))
  local ended = {}
  for place, outcome in ipairs(outcomes) do
    if let_go(outcome, held[place]) then
      ended[#ended + 1] = locks[place]
      local ids = stalled[outcome.q] or {}
      stalled[outcome.q] = ids
      ids[#ids + 1] = outcome.id
    else
      lost[#lost + 1] = place
      outcome.kind = 'lost'
    end
  end
  if #ended > 0 then call('DEL', unpack(ended)) end
  for q, ids in pairs(stalled) do call('SREM', q.base .. 'stalled', unpack(ids)) end
end

for place = 1, next_number() do
  keeps[place] = { next_argument(), next_argument(), tonumber(next_argument()) }
end

for place = 1, next_number() do
  local outcome = { kind = next_argument(), queue = next_number(), id = next_argument(),
    token = next_argument(), delay = 0 }
  local kind = outcome.kind
  if kind == 'd' then
    outcome.keep, outcome.value = keeps[next_number()], next_argument()
  elseif kind == 'x' then
    outcome.crashed = next_argument() == '1'
  else
    if kind == 'f' then outcome.keep = keeps[next_number()] else outcome.delay = next_number() end
    if kind ~= 's' then
      outcome.message, outcome.trace, outcome.extra = next_argument(), next_argument(),
        next_argument()
    end
    if kind == 'f' then outcome.crashed = next_argument() == '1' end
  end
  outcomes[place] = outcome
end

let_go_all()
for _, outcome in ipairs(outcomes) do
  if outcome.kind ~= 'x' and outcome.kind ~= 'lost' then settle(outcome) end
end
-- Each goes to the front, so the first goes last.
for place = #outcomes, 1, -1 do
  if outcomes[place].kind == 'x' then settle(outcomes[place]) end
end
end_run()

local want = next_want()
local jobs, due = take_wanted(want, queue_at)
for _, q in pairs(queues) do
  if q.ended then
    count_ended(q, 'completed', q.ended.completed)
    count_ended(q, 'failed', q.ended.failed)
    if q.ended.completed + q.ended.failed > 0 then tell_if_drained(q) end
    if q.concurrency and call('LLEN', q.wait) + call('ZCARD', q.prioritized) > 0 then mark(q) end
  end
end
return { lost, jobs, due or false }
