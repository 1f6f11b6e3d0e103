-- needs: queue removal parents
-- How many finished jobs are kept, and for how long.

-- Jobs removed at the most by one call; what is more goes with the next.
local MOST_REMOVED = 500

local function remove_finished(q, state, ids)
  if #ids == 0 then return 0 end
  call('ZREM', q.base .. state, unpack(ids))
  -- One that completed has told its parent long ago; one that failed may still be waited for.
  for _, id in ipairs(state == 'failed' and ids or {}) do
    local parent_key = fields_of(q.base .. id, 'parentKey')[1]
    if parent_key then attempt(q, child_removed, q.base .. id, parent_key) end
  end
  delete_jobs(q, ids, state)
  return #ids
end

local function remove_older(q, state, age, limit)
  local most = math.min(limit or MOST_REMOVED, MOST_REMOVED)
  return remove_finished(q, state,
    call('ZRANGEBYSCORE', q.base .. state, '-inf', now - age, 'LIMIT', 0, most))
end

-- ``count`` and ``age`` are empty where there is no limit. The age is remembered, for queues in
-- which nothing finishes any more; ``limit`` bounds what goes for it now.
local function retain(q, state, count, age, limit)
  local set = q.base .. state
  if q.kept_for[state] ~= (age ~= '' and age) then
    q.kept_for[state] = age ~= '' and age
    if age ~= '' then
      call('HSET', q.meta, 'stoker.' .. state, age)
    else
      call('HDEL', q.meta, 'stoker.' .. state)
    end
  end
  if age ~= '' then remove_older(q, state, tonumber(age), limit) end
  if count ~= '' then
    local excess = call('ZCARD', set) - tonumber(count)
    if excess > 0 then
      remove_finished(q, state, call('ZRANGE', set, 0, math.min(excess, MOST_REMOVED) - 1))
    end
  end
end
