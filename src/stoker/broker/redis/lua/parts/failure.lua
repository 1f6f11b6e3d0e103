-- needs: queue
-- Why a run failed, as BullMQ keeps it: a reason, and a JSON array of stack traces.

-- Traces kept of a job whose producer set no limit.
local MOST_TRACES = 50

local function with_trace(stored, trace, limit)
  local traces = decoded(stored)
  traces[#traces + 1] = trace
  local kept = {}
  for place = math.max(1, #traces - limit + 1), #traces do
    kept[#kept + 1] = cjson.encode(tostring(traces[place]))
  end
  return '[' .. table.concat(kept, ',') .. ']'
end

-- Returns how often the job has crashed by now.
local function count_crash(key)
  local crashes = (tonumber(fields_of(key, 'stc')[1]) or 0) + 1
  call('HSET', key, 'stc', crashes)
  return crashes
end

-- ``extra`` is what a BullMQ failure has no place for, as JSON; empty if there is nothing.
local function note_failure(key, message, trace, extra)
  local job = fields_of(key, 'stacktrace', 'opts')
  call('HSET', key, 'failedReason', message)
  if trace ~= '' then
    local limit = tonumber(decoded(job[2]).stackTraceLimit) or MOST_TRACES
    call('HSET', key, 'stacktrace', with_trace(job[1], trace, limit))
  end
  if extra ~= '' then
    call('HSET', key, 'stoker.failure', extra)
  else
    call('HDEL', key, 'stoker.failure')
  end
end
