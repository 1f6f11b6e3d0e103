-- needs: queue removal
-- How many finished jobs are kept, and for how long.

-- Jobs removed at the most by one call; what is more goes with the next.
local MOST_REMOVED = 500

local function remove_finished(q, state, ids, let_go)
  if #ids == 0 then return 0 end
  call('ZREM', q.base .. state, unpack(ids))
  if let_go then let_go(q, ids) end
  delete_jobs(q, ids)
  return #ids
end

local function remove_older(q, state, age, limit, let_go)
  local most = math.min(limit or MOST_REMOVED, MOST_REMOVED)
  return remove_finished(q, state,
    call('ZRANGEBYSCORE', q.base .. state, '-inf', now - age, 'LIMIT', 0, most), let_go)
end

-- ``count`` and ``age`` are empty where there is no limit. The age is remembered, for queues in
-- which nothing finishes any more; ``limit`` bounds what goes for it now. ``let_go`` is called before jobs
-- go, for those that may still be waited for.
local function retain(q, state, count, age, limit, let_go)
  local set = q.base .. state
  if q.kept_for[state] ~= (age ~= '' and age) then
    q.kept_for[state] = age ~= '' and age
    if age ~= '' then
      call('HSET', q.meta, 'stoker.' .. state, age)
    else
      call('HDEL', q.meta, 'stoker.' .. state)
    end
  end
  if age ~= '' then remove_older(q, state, tonumber(age), limit, let_go) end
  if count ~= '' then
    local excess = call('ZCARD', set) - tonumber(count)
    if excess > 0 then
      remove_finished(q, state, call('ZRANGE', set, 0, math.min(excess, MOST_REMOVED) - 1),
        let_go)
    end
  end
end
