-- needs: queue
-- Why a run failed, as BullMQ keeps it: a reason, and a JSON array of stack traces.

-- Traces kept of a job whose producer set no limit.
local MOST_TRACES = 50
local MOST_BYTES = 1048576

-- Whether an array of traces has room for one more. It is not decoded for that: it may be long, and those of
-- a batch are many. Each trace is that of a start, but for those from before a replay.
local function has_room(stored, starts, limit)
  return stored and #stored < MOST_BYTES and limit == MOST_TRACES and starts <= limit
    and string.sub(stored, 1, 2) == '["' and string.sub(stored, -2) == '"]'
end

-- Add a trace, as JSON, to an array of them; the oldest go where there are too many.
local function with_trace(stored, starts, trace, limit)
  if has_room(stored, starts, limit) then
    return string.sub(stored, 1, -2) .. ',' .. trace .. ']'
  end
  local traces, kept = decoded(stored), {}
  for place = math.max(1, #traces - limit + 2), #traces do
    kept[#kept + 1] = cjson.encode(tostring(traces[place]))
  end
  if limit > 0 then kept[#kept + 1] = trace end
  return '[' .. table.concat(kept, ',') .. ']'
end

-- Returns how often the job has crashed by now.
local function count_crash(key)
  local crashes = (tonumber(fields_of(key, 'stc')[1]) or 0) + 1
  call('HSET', key, 'stc', crashes)
  return crashes
end

-- ``trace`` is JSON, and so is ``extra``, what a BullMQ failure has no place for; empty if there is nothing.
local function note_failure(key, message, trace, extra)
  local job = fields_of(key, 'stacktrace', 'opts', 'ats')
  call('HSET', key, 'failedReason', message)
  if trace ~= '' then
    local limit = tonumber(decoded(job[2]).stackTraceLimit) or MOST_TRACES
    call('HSET', key, 'stacktrace', with_trace(job[1], tonumber(job[3]) or 0, trace, limit))
  end
  if extra ~= '' then
    call('HSET', key, 'stoker.failure', extra)
  else
    call('HDEL', key, 'stoker.failure')
  end
end
