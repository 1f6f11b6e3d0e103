-- needs: queue line delay list state
-- One bounded look at the jobs that a selection names. Its arguments:
--   state, name, text, reasons ("=|reason|…|" for these, "!|reason|…|" for all but these), since, until,
--   each "" for any; "1" for newest first; the most jobs wanted; cursor or "";
--   number of ids, and the ids ("" and none: the state's jobs).

local LOOKED_AT = 1000
-- Bytes of text to search in that take as long as a look at one job.
local BYTES_OF_A_LOOK = 1024
local READ_AT_ONCE = 100
local NEAR = 2000

local function next_selection()
  local s = { state = next_argument(), name = next_argument(), text = next_argument(),
    reasons = next_argument(), since = tonumber(next_argument()), till = tonumber(next_argument()),
    newest = next_argument() == '1', most = next_number(), cursor = next_argument(), ids = {} }
  s.by_ids = next_argument()
  for place = 1, tonumber(s.by_ids) or 0 do s.ids[place] = next_argument() end
  s.text = string.lower(s.text)
  s.reads = s.name ~= '' or s.text ~= '' or s.reasons ~= ''
  return s
end

local function in_time(s, at)
  return (not s.since or at >= s.since) and (not s.till or at < s.till)
end

-- A failure without what ours add is BullMQ's own: an error.
local function failed_for(s, state, message, extra)
  if not message or state == 'completed' then return false end
  local reason = decoded(extra).reason
  if type(reason) ~= 'string' then reason = 'error' end
  local listed = string.find(s.reasons, '|' .. reason .. '|', 1, true) ~= nil
  return listed == (string.sub(s.reasons, 1, 1) == '=')
end

-- ``at`` is the time that the filters are about, where the place of the job says it. Returns also what
-- it cost, in looks.
local function matches(s, q, id, state, at)
  if not (s.reads or s.since or s.till) then return true, 1 end
  local job = fields_of(q.base .. id, 'timestamp', 'name', 'data', 'failedReason', 'stacktrace',
    'stoker.failure')
  if not in_time(s, at or tonumber(job[1]) or 0) or (s.name ~= '' and job[2] ~= s.name) then
    return false, 1
  end
  if s.reasons ~= '' and not failed_for(s, state, job[4], job[6]) then return false, 1 end
  if s.text == '' then return true, 1 end
  local text = (job[3] or '') .. '\n' .. (job[4] or '') .. '\n' .. (job[5] or '')
  return string.find(string.lower(text), s.text, 1, true) ~= nil, 1 + #text / BYTES_OF_A_LOOK
end

local function time_of(state, score)
  if state == 'delayed' then return math.floor(score / DELAY_STEP) end
  return score
end

-- The keys that hold a state's jobs, in the order they are gone through.
local function sections(q, s)
  local all
  if s.state == 'waiting' then
    all = { { key = q.wait }, { key = q.paused_list }, { key = q.prioritized, sorted = true } }
  elseif s.state == 'active' then
    all = { { key = q.active } }
  else
    all = { { key = q.base .. s.state, sorted = true, timed = true } }
  end
  if s.newest then
    local reversed = {}
    for place = #all, 1, -1 do reversed[#reversed + 1] = all[place] end
    return reversed
  end
  return all
end

-- A list moves little between two looks: to search it from its end would cost more with every page.
local function place_near(s, section, at)
  local first, last = math.max(at.offset - NEAR, 0), at.offset - 1
  if s.newest then first, last = math.max(at.offset - 1, 0), at.offset - 2 + NEAR end
  local entries = s.newest and call('LRANGE', section.key, first, last)
    or call('LRANGE', section.key, -(last + 1), -(first + 1))
  for number, id in ipairs(entries) do
    if id == at.anchor then
      if s.newest then return first + number end
      return first + #entries - number + 1
    end
  end
end

-- Where to go on in a list: behind the last job that was left there, as far as it can be found. In the
-- line, who was before a job that was claimed has been claimed too.
local function place_in_list(s, q, section, at)
  if at.anchor == '' then return at.offset end
  local near = place_near(s, section, at)
  if near then return near end
  local found = call('LPOS', section.key, at.anchor, 'RANK', s.newest and 1 or -1,
    'MAXLEN', at.offset + LOOKED_AT)
  if found then
    return (s.newest and found or call('LLEN', section.key) - 1 - found) + 1
  end
  if section.key == q.wait and not s.newest and call('EXISTS', q.base .. at.anchor) == 1 then
    return 0
  end
  return at.offset
end

local function place_in_set(s, section, at)
  if at.anchor == '' then return 0 end
  local rank = call(s.newest and 'ZREVRANK' or 'ZRANK', section.key, at.anchor)
  if rank and call('ZSCORE', section.key, at.anchor) == at.score then return rank + 1 end
  local place = s.newest and call('ZCOUNT', section.key, '(' .. at.score, '+inf')
    or call('ZCOUNT', section.key, '-inf', '(' .. at.score)
  for _, id in ipairs(call('ZRANGEBYSCORE', section.key, at.score, at.score, 'LIMIT', 0, 5000)) do
    if (s.newest and id > at.anchor) or (not s.newest and id < at.anchor) then place = place + 1 end
  end
  return place
end

-- A set that is ordered by the filters' time is entered where the interval begins.
local function first_place(s, q, section)
  local bound = s.newest and s.till or not s.newest and s.since
  if not (section.timed and bound) then return 0 end
  local score = s.state == 'delayed' and bound * DELAY_STEP or bound
  score = string.format('%.0f', score)
  if s.newest then return call('ZCOUNT', section.key, score, '+inf') end
  return call('ZCOUNT', section.key, '-inf', '(' .. score)
end

-- The next entries of a section, each with its score; in a list there are none.
local function read(s, section, place)
  if section.sorted then
    return call(s.newest and 'ZREVRANGE' or 'ZRANGE', section.key, place, place + READ_AT_ONCE - 1,
      'WITHSCORES')
  end
  local ids, entries = nil, {}
  if s.newest then
    ids = call('LRANGE', section.key, place, place + READ_AT_ONCE - 1)
  else
    ids = call('LRANGE', section.key, -(place + READ_AT_ONCE), -(place + 1))
  end
  for number = 1, #ids do
    entries[#entries + 1] = ids[s.newest and number or #ids - number + 1]
    entries[#entries + 1] = ''
  end
  return entries
end

local function is_past(s, at)
  if s.newest then return s.since and at < s.since end
  return s.till and at >= s.till
end

-- Returns the hits as {id = , state = , due = , section = , index = }, and where the look ended.
local function look_at_state(s, q)
  local number, score, offset, anchor = string.match(s.cursor, '^(%d+) (%S*) (%d+) (.*)$')
  local at = { offset = tonumber(offset), score = score, anchor = anchor }
  local all, hits, looked = sections(q, s), {}, 0
  for place_of_section = tonumber(number) or 1, #all do
    local section = all[place_of_section]
    local place
    if not at.anchor then
      place = first_place(s, q, section)
      at = { score = '', anchor = '' }
    elseif section.sorted then
      place = place_in_set(s, section, at)
    else
      place = place_in_list(s, q, section, at)
    end
    while true do
      local entries = read(s, section, place)
      for entry = 1, #entries, 2 do
        local id, time = entries[entry], nil
        if section.timed then
          time = time_of(s.state, tonumber(entries[entry + 1]))
          if is_past(s, time) then return hits end
        end
        place = place + 1
        at.score, at.anchor = entries[entry + 1], id
        local fits, looks = matches(s, q, id, s.state, time)
        looked = looked + looks
        if fits then
          hits[#hits + 1] = { id = id, state = s.state, section = section, index = place - 1,
            due = s.state == 'delayed' and time or nil }
        end
        if #hits == s.most or looked >= LOOKED_AT then
          return hits, { number = place_of_section, section = section, place = place, at = at }
        end
      end
      if #entries < 2 * READ_AT_ONCE then break end
    end
    at = {}
  end
  return hits
end

-- How many entries of lists a job in this state may be behind.
local function length_of_lists(q, state)
  if state == 'active' then return call('LLEN', q.active) end
  return state == 'waiting' and call('LLEN', q.wait) + call('LLEN', q.paused_list) or 0
end

-- Where lists are long the look ends early: they are searched to tell some jobs' states, and with ``leave``
-- for each hit once more, to take it out.
local function look_at_ids(s, q, leave)
  local hits, leaving = {}, 0
  for place, id in ipairs(s.ids) do
    local state, due = state_of(q, id)
    local at = due
    if state == 'completed' or state == 'failed' then
      at = tonumber(call('ZSCORE', q.base .. state, id))
    end
    if state and (s.state == '' or s.state == state) and matches(s, q, id, state, at) then
      hits[#hits + 1] = { id = id, state = state, due = due, place = place }
      if leave then leaving = leaving + length_of_lists(q, state) end
    end
    if gone_through + leaving > SEARCHED_AT_ONCE and place < #s.ids then
      return hits, { looked = place }
    end
  end
  return hits
end

local function look(s, q, leave)
  if s.by_ids ~= '' then return look_at_ids(s, q, leave) end
  return look_at_state(s, q)
end

-- ``gone`` has the ids that left their place since: the cursor hangs on one that stayed.
local function cursor_of(s, ended, hits, gone)
  if not ended then return false end
  if ended.looked then return tostring(ended.looked) end
  local place, anchor = ended.place, ended.at.anchor
  if not ended.section.sorted then
    for _, hit in ipairs(hits) do
      if hit.section == ended.section and gone[hit.id] then place = place - 1 end
    end
    if gone[anchor] then
      local left = place > 0 and call('LINDEX', ended.section.key,
        s.newest and place - 1 or -place)
      anchor = left or ''
    end
  end
  return string.format('%d %s %d %s', ended.number, ended.at.score == '' and '0' or ended.at.score,
    place, anchor)
end

-- Take hits out of their lists, each list in one pass: a job far from the end costs no pass of its own.
local function out_of_lists(s, q, hits)
  local places = {}
  for _, hit in ipairs(hits) do
    if hit.section and not hit.section.sorted then
      local key = hit.section.key
      places[key] = places[key] or {}
      table.insert(places[key], s.newest and hit.index or -(hit.index + 1))
    end
  end
  for key, of_list in pairs(places) do out_of_places(key, of_list) end
end

-- Take one job out of wherever it is.
local function out_of(q, hit)
  if hit.section and not hit.section.sorted then return end -- by out_of_lists
  if hit.state == 'waiting' then
    out_of_line(q, hit.id)
  elseif hit.state == 'active' then
    call('LREM', q.active, -1, hit.id)
  else
    call('ZREM', q.base .. hit.state, hit.id)
  end
end

local function break_lease(q, id)
  call('DEL', q.base .. id .. ':lock')
  call('SREM', q.base .. 'stalled', id)
  if q.concurrency then mark(q) end -- there is room for another
end

-- What BullMQ calls where a waiting job is.
local function former(q, hit)
  if hit.state ~= 'waiting' then return hit.state end
  local priority = tonumber(fields_of(q.base .. hit.id, 'priority')[1]) or 0
  return priority > 0 and 'prioritized' or 'wait'
end
