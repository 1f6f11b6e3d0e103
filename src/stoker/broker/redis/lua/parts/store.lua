-- needs: queue line delay
-- Store one job and put it where it belongs. Who calls this announces it once it has stored all.

local function write_hash(key, job)
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
  call('HSET', key, unpack(hash))
end

local function store(q, id, job)
  write_hash(q.base .. id, job)
  tell(q, 'added', 'jobId', id, 'name', job.name)
  if job.delay > 0 then
    to_delayed(q, id, now + job.delay)
    q.delays = true
  else
    to_line(q, id, job.priority, job.lifo)
    q.fills = true
    tell(q, 'waiting', 'jobId', id)
  end
end

local function announce(q)
  if q.fills then mark(q) end
  if q.delays then mark_delay(q) end
end
