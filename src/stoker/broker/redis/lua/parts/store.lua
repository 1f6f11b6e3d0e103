-- needs: queue line delay
-- Store one job and put it where it belongs.

local function store(q, id, job)
  local hash = { 'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', now,
    'delay', job.delay, 'priority', job.priority }
  local function set(field, value)
    if value then
      hash[#hash + 1] = field
      hash[#hash + 1] = value
    end
  end
  set('parentKey', job.parent_key)
  set('parent', job.parent)
  set('rjk', job.scheduler)
  set('deid', job.dedup)
  call('HSET', q.base .. id, unpack(hash))
  tell(q, 'added', 'jobId', id, 'name', job.name)
  if job.delay > 0 then
    to_delayed(q, id, now + job.delay)
    mark_delay(q)
  else
    to_line(q, id, job.priority, job.lifo)
    mark(q)
    tell(q, 'waiting', 'jobId', id)
  end
end
