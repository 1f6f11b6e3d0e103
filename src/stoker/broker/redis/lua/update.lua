-- Change one job, if its state and lease allow every part of the change.
-- needs: look lease
-- Input: KEYS[1] the queue's base. ARGV: time, clock, id, "1" and the token of its holder or "0" and "",
--   then each as "1" and its value or "0" and "": data, priority, delay, progress; number of lines,
--   the lines to log.
-- Output: 1 if it was changed.
-- Events: progress, waiting, delayed, and an entry "updated".

local q, id = open_queue(KEYS[1]), next_argument()
local key = q.base .. id

local function next_given()
  local given, value = next_argument() == '1', next_argument()
  return given and value or nil
end

local token, data = next_given(), next_given()
local priority, delay, progress = tonumber(next_given()), tonumber(next_given()), next_given()
local moves = priority or delay
trim_events(q) -- a write in any case: on a server that may only be read every change is refused
local state = state_of(q, id)
if not state then return 0 end
if moves and state ~= 'waiting' and state ~= 'delayed' then return 0 end
if token and not (state == 'active' and holds(key, call('GET', key .. ':lock'), token)) then
  return 0
end

local function in_line(at, lifo)
  to_line(q, id, at, lifo)
  mark(q)
end

-- One that waits for its children moves when they have ended, by what its hash then says.
local function move_later()
  if priority then call('HSET', key, 'priority', priority) end
  if delay then call('HSET', key, 'delay', delay) end
end

local function move()
  if call('ZSCORE', q.base .. 'waiting-children', id) then return move_later() end
  local job = fields_of(key, 'priority', 'opts')
  local at, lifo = priority or tonumber(job[1]) or 0, is_lifo(job[2])
  if priority then call('HSET', key, 'priority', priority) end
  if delay then
    if state == 'waiting' then out_of_line(q, id) else call('ZREM', q.delayed, id) end
    call('HSET', key, 'delay', delay)
    if delay > 0 then
      to_delayed(q, id, now + delay, 'stoker', 'updated')
      mark_delay(q)
    else
      in_line(at, lifo)
      tell(q, 'waiting', 'jobId', id, 'prev', state == 'waiting' and 'wait' or state, 'stoker',
        'updated')
    end
  elseif state == 'waiting' and out_of_line(q, id) then
    in_line(at, lifo)
  end
end

if moves then move() end
if data then call('HSET', key, 'data', data) end
if progress then
  call('HSET', key, 'progress', progress)
  tell(q, 'progress', 'jobId', id, 'data', progress)
end
if (data or priority) and not delay then tell(q, 'updated', 'jobId', id) end

local lines = next_number()
if lines > 0 then
  local job = fields_of(key, 'opts', 'stoker.logged')
  local times = job[2] or ''
  local count
  for _ = 1, lines do
    count = call('RPUSH', key .. ':logs', next_argument())
    times = times .. (times == '' and '' or ',') .. string.format('%.0f', now)
  end
  local keep = tonumber(decoded(job[1]).kl)
  if keep and keep >= 0 then
    call('LTRIM', key .. ':logs', -keep, -1)
    if keep == 0 then call('DEL', key .. ':logs') end
    local excess = count - keep
    while excess > 0 and times ~= '' do
      times = string.match(times, ',(.*)$') or ''
      excess = excess - 1
    end
  end
  call('HSET', key, 'stoker.logged', times)
end
return 1
