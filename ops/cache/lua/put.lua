-- put: copy changed tickets, their codes and devices into the cache; the higher version wins.
--
-- KEYS  1 meta  2 codes  3 tickets  4 devices
-- ARGV  1 echo  2 layout version  3 plan version (empty = unchanged)
--       4 number of tickets T, then T x 3: ticket id, packed entry ('' = deleted),
--         codes (33 bytes each: hash, ticket id, state)
--       then devices in pairs: device id, packed entry ('' = not of this event)
-- Returns {echo, 'cold'} (the rebuild will copy everything) or {echo, 'ok', tickets written}
--
-- Bytes 3-6 of a ticket and 1-4 of a device are their version, big endian.
local meta = redis.call('HMGET', KEYS[1], 'layout', 'run_id')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if meta[1] ~= ARGV[2] or meta[2] ~= run_id then return {ARGV[1], 'cold'} end

-- Numbers, not strings: Lua compares strings by the locale of the server.
local function u32(s, at)
  local a, b, c, d = string.byte(s, at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local written, at = 0, 5
for _ = 1, tonumber(ARGV[4]) do
  local ticket_id, entry, codes = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  at = at + 3
  if entry == '' then
    redis.call('HDEL', KEYS[3], ticket_id)
    written = written + 1
  else
    local before = redis.call('HGET', KEYS[3], ticket_id)
    if not before or u32(entry, 3) >= u32(before, 3) then
      redis.call('HSET', KEYS[3], ticket_id, entry)
      for c = 1, #codes, 33 do
        redis.call('HSET', KEYS[2], string.sub(codes, c, c + 15), string.sub(codes, c + 16, c + 32))
      end
      written = written + 1
    end
  end
end
while at <= #ARGV do
  local device_id, entry = ARGV[at], ARGV[at + 1]
  at = at + 2
  if entry == '' then
    redis.call('HDEL', KEYS[4], device_id)
  else
    local before = redis.call('HGET', KEYS[4], device_id)
    if not before or u32(entry, 1) >= u32(before, 1) then
      redis.call('HSET', KEYS[4], device_id, entry)
    end
  end
end
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'plan', ARGV[3]) end
redis.call('HINCRBY', KEYS[1], 'off:attendance', 1)
redis.call('HINCRBY', KEYS[1], 'off:sessions', 1)
return {ARGV[1], 'ok', written}
