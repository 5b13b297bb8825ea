-- claim: take the places of decided scans in mode D; each scan whole or not at all. No rules.
--
-- KEYS  1 meta  2 tickets  3 visits  4 counters
-- ARGV  1 echo  2 layout version  3 epoch  4 number of scans N, then per scan:
--         scan id (16 bytes), ticket id (16 bytes), the ticket's version (4 bytes)
--         number of limits L, closes C, opens O
--         L x (capacity, people, number of counters F, F counter names: who is inside)
--         C x (field, must, the visit as it was read ('' = not read), left + exit gate
--              (12 bytes), assumed, type no, venue, minute, primary)
--         O x (field, the visit as it was read ('' = none), visit, type no, venue, minute,
--              primary)
-- Returns {echo, 'cold'} or {echo, 'moved'} (another epoch, or not mode D), or
--         {echo, 'ok', {per scan: 'ok', 'lost' or the places that are left}}
--
-- A scan is taken if its ticket has the version and its places the visits that were decided
-- on, and every limit has room. Taken visits are provisional. A scan that has its places
-- already is 'ok' and changes nothing, so a call whose reply was lost may be repeated.
local meta = redis.call('HMGET', KEYS[1], 'layout', 'state', 'run_id', 'epoch', 'mode')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if meta[1] ~= ARGV[2] or meta[2] ~= 'ready' or meta[3] ~= run_id then
  return {ARGV[1], 'cold'}
end
if meta[4] ~= ARGV[3] or meta[5] ~= 'D' then return {ARGV[1], 'moved'} end

local at = 5
local function take(n)
  local from = at
  at = at + n
  return from
end

local function visit_of(field) return redis.call('HGET', KEYS[3], field) or '' end

-- Whether this scan took its places before, by a call whose reply was lost.
local function mine(scan, closes, opens)
  for _, o in ipairs(opens) do
    if string.sub(visit_of(ARGV[o]), 35, 50) ~= scan then return false end
  end
  if #opens > 0 then return true end
  for _, c in ipairs(closes) do
    if ARGV[c + 1] == '1' then
      local now = visit_of(ARGV[c])
      return now ~= '' and string.byte(now, 3) == 1
        and string.sub(now, 23, 34) == ARGV[c + 3]
    end
  end
  return false
end

local function unchanged(ticket, version, closes, opens)
  local entry = redis.call('HGET', KEYS[2], ticket)
  if not entry or string.sub(entry, 3, 6) ~= version then return false end
  for _, c in ipairs(closes) do
    if ARGV[c + 1] == '1' and visit_of(ARGV[c]) ~= ARGV[c + 2] then return false end
  end
  for _, o in ipairs(opens) do
    if visit_of(ARGV[o]) ~= ARGV[o + 1] then return false end
  end
  return true
end

local function close(c)
  local before = redis.call('HGET', KEYS[3], ARGV[c])
  if not before or string.byte(before, 3) ~= 0 then return end
  local after = string.sub(before, 1, 2) .. '\1' .. string.sub(before, 4, 5)
    .. string.char(ARGV[c + 4] == '1' and 3 or 2) .. string.sub(before, 7, 22)
    .. ARGV[c + 3] .. string.sub(before, 35)
  redis.call('HSET', KEYS[3], ARGV[c], after)
  count(ARGV[c], before, after, ARGV[c + 5], ARGV[c + 6] == '1', ARGV[c + 7],
    ARGV[c + 8] == '1')
end

local function open(o)
  local before = redis.call('HGET', KEYS[3], ARGV[o])
  redis.call('HSET', KEYS[3], ARGV[o], ARGV[o + 2])
  count(ARGV[o], before, ARGV[o + 2], ARGV[o + 3], ARGV[o + 4] == '1', ARGV[o + 5],
    ARGV[o + 6] == '1')
end

local results = {}
for i = 1, tonumber(ARGV[4]) do
  local head = take(6)
  local scan, ticket, version = ARGV[head], ARGV[head + 1], ARGV[head + 2]
  local fits
  local closes, opens = {}, {}
  for _ = 1, tonumber(ARGV[head + 3]) do
    local l = take(3)
    local names = take(tonumber(ARGV[l + 2]))
    local room = tonumber(ARGV[l])
    for n = names, at - 1 do
      room = room - tonumber(redis.call('HGET', KEYS[4], ARGV[n]) or '0')
    end
    if room < tonumber(ARGV[l + 1]) then fits = math.min(fits or room, room) end
  end
  for n = 1, tonumber(ARGV[head + 4]) do closes[n] = take(9) end
  for n = 1, tonumber(ARGV[head + 5]) do opens[n] = take(7) end
  if mine(scan, closes, opens) then
    results[i] = 'ok'
  elseif not unchanged(ticket, version, closes, opens) then
    results[i] = 'lost'
  elseif fits then
    results[i] = tostring(math.max(fits, 0))
  else
    for _, c in ipairs(closes) do close(c) end
    for _, o in ipairs(opens) do open(o) end
    write_counters(KEYS[4])  -- the next scan looks at its limits
    results[i] = 'ok'
  end
end
return {ARGV[1], 'ok', results}
