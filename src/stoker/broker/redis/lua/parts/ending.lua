-- needs: queue line dedup parents retention removal failure
-- A job's end, completed or failed: whoever waited for it, its dedup key, its record.

-- ``job`` has parentKey, parent and deid; ``field`` and ``text`` are the result or the reason. A job
-- that is kept is put into its state's set by the caller.
local function end_job(q, id, job, state, field, text, kept, prev)
  local key = q.base .. id
  if job.dedup then
    free_dedup(q, id, job.dedup)
    add_kept(q, job.dedup)
  end
  if job.parent_key and state == 'completed' then
    child_completed(key, job.parent_key, text)
  elseif job.parent and state == 'failed' then
    child_failed(key, job.parent, text)
  end
  if not kept then
    if job.parent_key then child_removed(key, job.parent_key) end
    delete_jobs(q, { id })
  end
  tell(q, state, 'jobId', id, field, text, 'prev', prev)
end

-- The end of a job that could not end as it should. It is in no list any more: here it can be found.
local function lay_out(q, id, why, prev)
  local reason = 'it could not be settled: ' .. why
  redis.pcall('HSET', q.base .. id, 'failedReason', reason, 'finishedOn', now)
  call('ZADD', q.base .. 'failed', now, id)
  tell(q, 'failed', 'jobId', id, 'failedReason', reason, 'prev', prev)
end

-- The end of a job that fails by another hand than its worker's: it stays, whatever its retention.
local function end_kept(q, id, reason, extra, prev)
  local key = q.base .. id
  local stored = fields_of(key, 'parentKey', 'parent', 'deid')
  local job = { parent_key = stored[1], parent = stored[2], dedup = stored[3] }
  note_failure(key, reason, '', extra)
  call('HSET', key, 'finishedOn', now)
  local fine, why = attempt(q, end_job, q, id, job, 'failed', 'failedReason', reason, true, prev)
  if fine then call('ZADD', q.base .. 'failed', now, id) else lay_out(q, id, why, prev) end
end

local function tell_if_drained(q)
  if call('LLEN', q.wait) == 0 and call('LLEN', q.active) == 0
      and call('ZCARD', q.prioritized) == 0 then
    tell(q, 'drained')
  end
end

-- Jobs that ended in each minute, for BullMQ's chart; points of two weeks.
local MOST_POINTS = 20160

local function count_ended(q, state, count)
  if count == 0 then return end
  local key = q.base .. 'metrics:' .. state
  local total = call('HINCRBY', key, 'count', count)
  local before = call('HMGET', key, 'prevTS', 'prevCount')
  local since = tonumber(before[1])
  if not since then
    call('HSET', key, 'prevTS', now, 'prevCount', 0)
    return
  end
  local minutes = math.min(math.floor(now / 60000) - math.floor(since / 60000), MOST_POINTS)
  if minutes <= 0 then return end
  call('LPUSH', key .. ':data', total - count - (tonumber(before[2]) or 0))
  local quiet = minutes - 1
  while quiet > 0 do
    local zeros = {}
    for place = 1, math.min(quiet, 1000) do zeros[place] = 0 end
    call('LPUSH', key .. ':data', unpack(zeros))
    quiet = quiet - #zeros
  end
  call('LTRIM', key .. ':data', 0, MOST_POINTS - 1)
  call('HSET', key, 'prevTS', now, 'prevCount', total - count)
end
