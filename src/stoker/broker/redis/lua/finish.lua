-- Settle the outcomes of runs, then claim what is wanted.
-- needs: take lease active retention counting
-- at need: singly
-- Input: KEYS the queues' bases. ARGV: time, clock, where to look from; number of groups of jobs that
--   completed, each: place in KEYS, retention, number of jobs, and for each id, token, result; number of
--   other outcomes, each: kind, place in KEYS, id, token, and by kind
--     f (failed): message, trace as JSON or "", extra, retention, "1" if crashed
--     r (retried): message, trace, extra, delay      s (snoozed): delay      x (released): "1" if crashed
--   then a want as in claim, with a count of 0 for none.
--   A retention is a count, an age and how many to remove for their age for each outcome, "" for no limit.
--   Where to look from is 0, or what the call before answered.
-- Output: {places of the outcomes whose lease was lost, what claim answers, places of those that are to be
--   sent again, where to look from then}. Among very many active jobs one call may not find all of its own;
--   then it claims nothing either.
-- Events: completed, failed, retries-exhausted, delayed, waiting, drained, and those of claim.

local queues = {}

-- The outcomes, in columns: a table for each costs the server more than to settle it. ``jobs`` has what is
-- known of those whose lease was held.
local ids, tokens, queue_of, keys, locks, jobs = {}, {}, {}, {}, {}, {}
local results, others = {}, {}
local groups = {}
local any_parents = false
local lost, left = {}, {}
local look_from = next_number()
local following = SEARCH

local function queue_at(place)
  if not queues[place] then
    queues[place] = open_queue(KEYS[place])
    trim_events(queues[place])
    queues[place].ended = { completed = 0, failed = 0 }
  end
  return queues[place]
end

-- Reading

local function next_retention()
  return { count = next_argument(), age = next_argument(), limit = next_argument() }
end

local function next_lease(q)
  local place = #ids + 1
  ids[place], tokens[place], queue_of[place] = ARGV[argument + 1], ARGV[argument + 2], q
  keys[place] = q.base .. ids[place]
  locks[place] = keys[place] .. ':lock'
  argument = argument + 2
  return place
end

local function next_group()
  local group = { q = queue_at(next_number()), keep = next_retention(), first = #ids + 1 }
  for _ = 1, next_number() do results[next_lease(group.q)] = next_argument() end
  group.last = #ids
  return group
end

local function next_other()
  local outcome = { kind = next_argument(), delay = 0 }
  local place = next_lease(queue_at(next_number()))
  if outcome.kind == 'f' or outcome.kind == 'r' then
    outcome.message, outcome.trace, outcome.extra = next_argument(), next_argument(), next_argument()
  end
  if outcome.kind == 'f' then outcome.keep = next_retention() end
  if outcome.kind == 'r' or outcome.kind == 's' then
    outcome.delay = next_number()
  else
    outcome.crashed = next_argument() == '1'
  end
  others[place] = outcome
end

-- Letting go

-- A hash of just the fields that every job is born with and those that its first claim adds.
local CLAIMED_WITH = 9
local PLAIN = { attempts = 0 }
local NOTHING = { {}, {}, false }

-- What has to be known of a job, or nothing if its lease is not held.
local function held_job(place, lock)
  local key, token = keys[place], tokens[place]
  if lock == token and redis.pcall('HLEN', key) == CLAIMED_WITH then return PLAIN end
  local stored = fields_of(key, 'ats', 'atm', 'parentKey', 'parent', 'deid')
  if not stored[1] or not holds(key, lock, token) then return end
  return { attempts = tonumber(stored[2]) or 0, parent_key = stored[3], parent = stored[4],
    dedup = stored[5], overdue = not lock }
end

-- End the leases on jobs of one queue, but for those on jobs that are not active any more.
local function end_leases(q, places)
  local held, ended, ended_locks = {}, {}, {}
  for n = 1, #places do held[n] = ids[places[n]] end
  local was_there, from = out_of_active(q, held, look_from)
  following = math.max(following, from or SEARCH)
  for n = 1, #places do
    local place = places[n]
    if was_there[n] == nil then
      jobs[place] = nil
      left[#left + 1] = place
    elseif was_there[n] then
      ended[#ended + 1], ended_locks[#ended_locks + 1] = ids[place], locks[place]
      if jobs[place].overdue then call('HDEL', keys[place], 'stoker.overdue') end
    else
      jobs[place] = nil
      lost[#lost + 1] = place
    end
  end
  if #ended == 0 then return end
  call('DEL', unpack(ended_locks))
  call('SREM', q.base .. 'stalled', unpack(ended))
end

local function let_go_all()
  local held = {}
  for place, lock in ipairs(call('MGET', unpack(locks))) do
    local job = held_job(place, lock)
    if job then
      local q = queue_of[place]
      jobs[place] = job
      held[q] = held[q] or {}
      held[q][#held[q] + 1] = place
    else
      lost[#lost + 1] = place
    end
  end
  for q, places in pairs(held) do end_leases(q, places) end
end

local function look_for_parents(completed)
  local of_parents = {}
  for place = 1, completed do
    of_parents[2 * place - 1] = keys[place] .. ':dependencies'
    of_parents[2 * place] = keys[place] .. ':unsuccessful'
  end
  any_parents = completed > 0 and call('EXISTS', unpack(of_parents)) > 0
end

-- Ending

-- Put jobs that ended into their state's set, and let the oldest go. ``members``: a time and an id each.
local function keep(q, state, retention, members)
  if #members == 0 then return end
  call('ZADD', q.base .. state, unpack(members))
  local limit = tonumber(retention.limit)
  retain(q, state, retention.count, retention.age, limit and limit * #members / 2,
    state == 'failed' and singly().let_go)
end

local function settle(step, place, ...)
  local q, id = queue_of[place], ids[place]
  if not jobs[place] then return end
  local fine, why = attempt(q, step, q, id, jobs[place], ...)
  if not fine then singly().lay_out(q, id, why, 'active') end
end

-- A plain job has nobody that waits for it, and its hash is in order: nothing in here can fail.
-- It goes to ``members`` if it is kept, and to ``gone`` if not.
local function complete_plain(q, place, members, gone)
  local id, result = ids[place], results[place]
  if members then
    local last = #members
    call('HSET', keys[place], 'returnvalue', result, 'finishedOn', ARGV[1], 'atm', '1')
    members[last + 1], members[last + 2] = ARGV[1], id
  else
    gone[#gone + 1] = id
  end
  call('XADD', q.events, '*', 'event', 'completed', 'jobId', id, 'returnvalue', result,
    'prev', 'active')
end

local function settle_group(group)
  local q, plain, gone = group.q, 0, {}
  local members = group.keep.count ~= '0' and {}
  for place = group.first, group.last do
    if jobs[place] == PLAIN and not any_parents then
      complete_plain(q, place, members, gone)
      plain = plain + 1
    else
      delete_jobs(q, gone) -- before others add what may take an id of these
      gone = {}
      settle(singly().complete, place, results[place], members, any_parents)
    end
  end
  q.ended.completed = q.ended.completed + plain
  delete_jobs(q, gone)
  if members then keep(q, 'completed', group.keep, members) end
end

local function settle_others(first)
  for place = first, #ids do
    local outcome = others[place]
    if outcome.kind ~= 'x' then
      settle(outcome.kind == 'f' and singly().fail or singly().again, place, outcome)
    end
  end
  -- Each goes to the front, so the first goes last.
  for place = #ids, first, -1 do
    if others[place].kind == 'x' then settle(singly().again, place, others[place]) end
  end
end

for n = 1, next_number() do groups[n] = next_group() end
local completed = #ids
for _ = 1, next_number() do next_other() end
if #ids > 0 then
  look_for_parents(completed)
  let_go_all()
  for _, group in ipairs(groups) do settle_group(group) end
  settle_others(completed + 1)
  for _, q in pairs(queues) do
    for _, failed in pairs(q.failed or {}) do keep(q, 'failed', failed.retention, failed.members) end
  end
end

local want = next_want()
local given = #left == 0 and take_wanted(want, queue_at) or NOTHING
for _, q in pairs(queues) do
  if q.ended then
    attempt(q, count_ended, q, 'completed', q.ended.completed)
    attempt(q, count_ended, q, 'failed', q.ended.failed)
    if q.ended.completed + q.ended.failed > 0 then tell_if_drained(q) end
    if q.concurrency and length_of_line(q) > 0 then mark(q) end
  end
end
return { lost, given, left, following }
