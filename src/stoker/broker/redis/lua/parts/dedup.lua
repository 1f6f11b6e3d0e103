-- needs: queue line delay store
-- Dedup keys, once their job has ended or gone.

-- A key without an end is free; one with an end outlives its job.
local function free_dedup(q, id, dedup)
  local key = q.base .. 'de:' .. dedup
  local left = call('PTTL', key)
  if left == 0 or (left == -1 and call('GET', key) == id) then call('DEL', key) end
end

-- Removed by hand: its key is free, end or none.
local function drop_dedup(q, id, dedup)
  local key = q.base .. 'de:' .. dedup
  if call('GET', key) == id then call('DEL', key, q.base .. 'dn:' .. dedup) end
end

-- BullMQ's keepLastIfActive: what was to be added last while this job ran is added now.
local function add_kept(q, dedup)
  local kept = q.base .. 'dn:' .. dedup
  local job = call('HMGET', kept, 'name', 'data', 'opts', 'pk', 'pd', 'pdk', 'rjk', 'jid')
  if not job[1] then return end
  local number = call('INCR', q.base .. 'id')
  local id = job[8] or tostring(number)
  local opts = decoded(job[3])
  local de = type(opts.de) == 'table' and opts.de or {}
  if de.keepLastIfActive or not (tonumber(de.ttl) and tonumber(de.ttl) > 0) then
    call('SET', q.base .. 'de:' .. dedup, id)
  else
    call('SET', q.base .. 'de:' .. dedup, id, end_of(tonumber(de.ttl)))
  end
  store(q, id, {
    name = job[1], data = job[2], opts = job[3], delay = tonumber(opts.delay) or 0,
    priority = tonumber(opts.priority) or 0, lifo = opts.lifo, dedup = dedup,
    parent_key = job[4], parent = job[5], scheduler = job[7],
  })
  announce(q)
  if job[6] then call('SADD', job[6], q.base .. id) end
  call('DEL', kept)
end
