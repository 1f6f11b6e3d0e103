-- needs: queue dedup parents removal failure
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
