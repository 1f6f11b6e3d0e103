-- Tell which commands the user of this connection may not run inside scripts.
-- Input: KEYS[1] a queue's base. ARGV the commands.
-- Output: those forbidden; none where the server is too old to say. No events.

local forbidden = {}
local key = KEYS[1]
for _, command in ipairs(redis.acl_check_cmd and ARGV or {}) do
  -- With as many arguments as any of them needs: some servers crash at too few.
  if not redis.acl_check_cmd(command, key, key, key, key) then
    forbidden[#forbidden + 1] = command
  end
end
return forbidden
