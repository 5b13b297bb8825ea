-- finish: write what PostgreSQL has committed, and tell the screens. Idempotent.
--
-- KEYS  1 meta  2 visits  3 counters  4 feed
-- ARGV  1 echo  2 layout version  3 epoch ('' = any: the drain, whose rows are committed)
--       4 number of visits V
--       5 scan lines (msgpack array, '' for none)  6 number of scan lines  7 feed length
--       8 number of confirmations C  9 '1' = settle (after a merge), else ''
--       then V x 6: field (22 bytes), visit (54 bytes), type no, venue (1 = the outermost
--       scope), minute of the entry, primary (1 = the scope that the gate leads into)
--       then C x 2: field, scan id (16 bytes): that admission was shown
--       then pairs: counter name, increment (refused attempts and the like)
-- Returns {echo, 'moved' | 'cold'} (nothing was written) or {echo, 'ok', visits that changed}
--
-- A visit is written only if its header (pass, phase, confirmed: its first 4 bytes) is
-- greater than the one that is there (or it was entered later: taken over), so a repeat or
-- a late write changes nothing. The
-- record also replaces a provisional visit of the same header; settling, whatever its
-- header, and an empty visit then removes it.
-- The counters follow each transition, so a desk (which has an epoch) never leaves one out:
-- where the end of the pass before, or a whole pass, is missing here, the drain tells all
-- passes of that ticket in their order.
local meta = redis.call('HMGET', KEYS[1], 'layout', 'state', 'run_id', 'epoch')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if meta[1] ~= ARGV[2] or meta[2] ~= 'ready' or meta[3] ~= run_id then
  -- The rebuilder's own drain runs while the cache is warming.
  if not (ARGV[3] == '' and meta[1] == ARGV[2] and meta[3] == run_id) then
    return {ARGV[1], 'cold'}
  end
end
if ARGV[3] ~= '' and meta[4] ~= ARGV[3] then return {ARGV[1], 'moved'} end

local settle = ARGV[9] == '1'
local function wins(visit, before)
  if not before then return visit ~= '' end
  if provisional(before) then
    if settle then return true end
    -- Pass and phase: whether it was shown may be known here sooner than there.
    return visit ~= '' and math.floor(u32(visit, 1) / 256) >= math.floor(u32(before, 1) / 256)
  end
  if visit == '' then return false end
  local new, old = u32(visit, 1), u32(before, 1)
  -- The same pass entered anew: a steward took it over for a later scan.
  if new == old and string.byte(visit, 3) == 0 then
    local high, low = u32(visit, 7) - u32(before, 7), u32(visit, 11) - u32(before, 11)
    return high > 0 or (high == 0 and low > 0)
  end
  return new > old
end

local function gap(visit, before)
  if ARGV[3] == '' then return false end
  if not before then return u16(visit, 1) > 1 end
  local pass, was = u16(visit, 1), u16(before, 1)
  return pass > was and (pass > was + 1 or string.byte(before, 3) == 0)
end

local changed, at = 0, 10
for _ = 1, tonumber(ARGV[4]) do
  local field, visit, type_no = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local venue, minute, primary = ARGV[at + 3] == '1', ARGV[at + 4], ARGV[at + 5] == '1'
  at = at + 6
  local before = redis.call('HGET', KEYS[2], field)
  if wins(visit, before) and not gap(visit, before) then
    if visit == '' then
      redis.call('HDEL', KEYS[2], field)
      visit = nil
    else
      redis.call('HSET', KEYS[2], field, visit)
    end
    count(field, before, visit, type_no, venue, minute, primary)
    changed = changed + 1
  end
end
for _ = 1, tonumber(ARGV[8]) do
  local field, scan = ARGV[at], ARGV[at + 1]
  at = at + 2
  local visit = redis.call('HGET', KEYS[2], field)
  if visit and string.sub(visit, 35, 50) == scan and string.byte(visit, 4) == 0 then
    redis.call('HSET', KEYS[2], field, string.sub(visit, 1, 3) .. '\1' .. string.sub(visit, 5))
  end
end
while at <= #ARGV do
  add(ARGV[at], tonumber(ARGV[at + 1]))
  at = at + 2
end
write_counters(KEYS[3])

local lines = tonumber(ARGV[6])
if changed > 0 or lines > 0 then
  local attendance = redis.call('HINCRBY', KEYS[1], 'off:attendance', 1)
  redis.call('HINCRBY', KEYS[1], 'off:sessions', 1)
  local offset = redis.call('HINCRBY', KEYS[1], 'off:scans', lines)
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*',
    'a', attendance, 's', offset, 'l', ARGV[5])
end
return {ARGV[1], 'ok', changed}
