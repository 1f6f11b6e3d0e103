-- needs: queue line delay
-- What a child's end does to its parent, which may be in another queue.

local function id_in(key)
  return string.match(key, '([^:]*)$')
end

local function queue_in(key, id)
  return open_queue(string.sub(key, 1, #key - #id))
end

local function release(key, id, prev)
  local q = queue_in(key, id)
  local job = fields_of(key, 'priority', 'delay')
  local priority, delay = tonumber(job[1]) or 0, tonumber(job[2]) or 0
  if delay > 0 then
    to_delayed(q, id, now + delay)
    mark_delay(q)
    return
  end
  if priority == 0 then to_front(q, id, 0) else to_end(q, id, priority) end
  mark(q)
  tell(q, 'waiting', 'jobId', id, 'prev', prev)
end

local function release_if_waiting(key, id)
  if call('ZREM', queue_in(key, id).base .. 'waiting-children', id) == 1 then
    release(key, id, 'waiting-children')
  end
end

local function release_if_alone(key, id)
  if call('SCARD', key .. ':dependencies') == 0 then release_if_waiting(key, id) end
end

local function child_completed(child, parent_key, value)
  if call('SREM', parent_key .. ':dependencies', child) == 1 then
    call('HSET', parent_key .. ':processed', child, value)
    release_if_alone(parent_key, id_in(parent_key))
  end
end

-- The parent ends too: at once if it waits, else when it is claimed next.
local function fail_parent(child, key, id)
  if call('EXISTS', key) == 0 then return end
  local base = queue_in(key, id).base
  if call('ZREM', base .. 'waiting-children', id) == 1 then
    call('HSET', key, 'defa', 'child ' .. child .. ' failed')
    release(key, id, 'waiting-children')
  elseif call('ZREM', base .. 'delayed', id) == 1 then
    call('HSET', key, 'defa', 'child ' .. child .. ' failed', 'delay', 0)
    release(key, id, 'waiting-children')
  elseif not call('ZSCORE', base .. 'failed', id) then
    call('HSET', key, 'defa', 'child ' .. child .. ' failed')
  end
end

local function child_failed(child, parent, reason)
  local policy = decoded(parent)
  if not policy.id or not policy.queueKey then return end
  local id = tostring(policy.id)
  local key = policy.queueKey .. ':' .. id
  if not (policy.fpof or policy.cpof or policy.idof or policy.rdof) then return end
  if call('SREM', key .. ':dependencies', child) == 0 then return end
  if policy.fpof then
    call('ZADD', key .. ':unsuccessful', now, child)
    fail_parent(child, key, id)
  elseif policy.cpof then
    call('HSET', key .. ':failed', child, reason)
    release_if_waiting(key, id)
  else
    if policy.idof then call('HSET', key .. ':failed', child, reason) end
    release_if_alone(key, id)
  end
end

-- A job that is deleted is no longer waited for.
local function child_removed(child, parent_key)
  if call('SREM', parent_key .. ':dependencies', child) == 1 then
    release_if_alone(parent_key, id_in(parent_key))
  end
end

-- Of jobs that failed, and are let go: those that completed have told their parents long ago.
local function children_removed(q, ids)
  for _, id in ipairs(ids) do
    local parent_key = fields_of(q.base .. id, 'parentKey')[1]
    if parent_key then attempt(q, child_removed, q.base .. id, parent_key) end
  end
end

-- A job that runs again is waited for again.
local function child_again(child, parent_key, parent)
  if call('EXISTS', parent_key) == 0 then return end
  local undone = call('HDEL', parent_key .. ':processed', child)
    + call('ZREM', parent_key .. ':unsuccessful', child)
    + call('HDEL', parent_key .. ':failed', child)
  if undone > 0 then call('SADD', parent_key .. ':dependencies', child) end
end
