-- finish: write what PostgreSQL has committed, and tell the screens. Idempotent.
--
-- KEYS  1 meta  2 visits  3 counters  4 feed
-- ARGV  1 echo  2 layout version  3 epoch ('' = any: the drain, whose rows are committed)
--       4 number of visits V
--       5 scan lines (msgpack array, '' for none)  6 number of scan lines  7 feed length
--       then V x 6: field (22 bytes), visit (54 bytes), type no, venue (1 = the outermost
--       scope), minute of the entry, primary (1 = the scope that the gate leads into)
--       then pairs: counter name, increment (refused attempts and the like)
-- Returns {echo, 'moved' | 'cold'} (nothing was written) or {echo, 'ok', visits that changed}
--
-- A visit is written only if its header (pass, phase, confirmed: its first 4 bytes) is
-- greater than the one that is there; counters follow the transition, so a repeat or a
-- late write changes nothing.
local meta = redis.call('HMGET', KEYS[1], 'layout', 'state', 'run_id', 'epoch')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if meta[1] ~= ARGV[2] or meta[2] ~= 'ready' or meta[3] ~= run_id then
  -- The rebuilder's own drain runs while the cache is warming.
  if not (ARGV[3] == '' and meta[1] == ARGV[2] and meta[3] == run_id) then
    return {ARGV[1], 'cold'}
  end
end
if ARGV[3] ~= '' and meta[4] ~= ARGV[3] then return {ARGV[1], 'moved'} end

-- Numbers, not strings: Lua compares strings by the locale of the server.
local function u32(s, at)
  local a, b, c, d = string.byte(s, at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function read(visit) -- pass, phase, passes used, gate, exit gate, exit assumed
  if not visit then return 0, 1, 0, 0, 0, 0 end
  local p1, p2, phase, _, undone, flags = string.byte(visit, 1, 6)
  local pass = p1 * 256 + p2
  return pass, phase, pass - undone, u32(visit, 15), u32(visit, 31), flags % 2
end

local function add(name, n)
  if n ~= 0 then redis.call('HINCRBY', KEYS[3], name, n) end
end

local function one(condition) return condition and 1 or 0 end

local changed, at = 0, 8
for _ = 1, tonumber(ARGV[4]) do
  local field, visit, type_no = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local venue, minute, primary = ARGV[at + 3] == '1', ARGV[at + 4], ARGV[at + 5] == '1'
  at = at + 6
  local before = redis.call('HGET', KEYS[2], field)
  if not before or u32(visit, 1) > u32(before, 1) then
    redis.call('HSET', KEYS[2], field, visit)
    local pass0, phase0, used0 = read(before)
    local pass1, phase1, used1, gate, exit_gate, assumed = read(visit)
    local scope = u32(field, 17)
    add('i:' .. scope, one(phase1 == 0) - one(before and phase0 == 0))
    add('e:' .. scope, one(used1 > 0) - one(used0 > 0))
    if primary then add('g:' .. gate, used1 - used0) end
    if phase1 == 1 and assumed == 0 and exit_gate ~= 0
      and not (pass0 == pass1 and phase0 == 1) then
      add('x:' .. exit_gate, 1)
    end
    if venue then
      add('t:' .. type_no, one(used1 > 0) - one(used0 > 0))
      add('m:' .. minute, one(used1 > 0) - one(used0 > 0))
      add('w:', math.max(used1 - 1, 0) - math.max(used0 - 1, 0))
    end
    changed = changed + 1
  end
end
while at <= #ARGV do
  add(ARGV[at], tonumber(ARGV[at + 1]))
  at = at + 2
end

local lines = tonumber(ARGV[6])
if changed > 0 or lines > 0 then
  local attendance = redis.call('HINCRBY', KEYS[1], 'off:attendance', 1)
  redis.call('HINCRBY', KEYS[1], 'off:sessions', 1)
  local offset = redis.call('HINCRBY', KEYS[1], 'off:scans', lines)
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*',
    'a', attendance, 's', offset, 'l', ARGV[5])
end
return {ARGV[1], 'ok', changed}
