-- visits: reading packed visits and keeping the counters (put in front of finish and claim).
--
-- A visit is 54 bytes: pass u16, phase u8 (0 open, 1 closed, 2 undone), confirmed u8,
-- undone u8, flags u8 (1 exit assumed, 2 provisional), entered u64, gate u32, device u32,
-- left u64, exit gate u32, scan id, day u16, passes of that day u16 (ops.cache.entry).

-- Numbers, not strings: Lua compares strings by the locale of the server.
local function u32(s, at)
  local a, b, c, d = string.byte(s, at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function u16(s, at)
  local a, b = string.byte(s, at, at + 1)
  return a * 256 + b
end

-- pass, phase, passes used, gate, exit gate, exit assumed, event day, passes on it
local function read(visit)
  if not visit then return 0, 1, 0, 0, 0, 0, 0, 0 end
  local p1, p2, phase, _, undone, flags = string.byte(visit, 1, 6)
  local pass = p1 * 256 + p2
  return pass, phase, pass - undone, u32(visit, 15), u32(visit, 31), flags % 2,
    u16(visit, 51), u16(visit, 53)
end

local function provisional(visit)
  return math.floor(string.byte(visit, 6) / 2) % 2 == 1
end

-- What the counters are to be moved by: guests of a batch share them, so each is written
-- once. Whoever reads counters writes them first.
local moved = {}
local function add(name, n)
  moved[name] = (moved[name] or 0) + n
end

local function write_counters(counters)
  for name, n in pairs(moved) do
    if n ~= 0 then redis.call('HINCRBY', counters, name, n) end
  end
  moved = {}
end

local function one(condition) return condition and 1 or 0 end

-- The counters follow the transition that was made, so a repeat counts nothing.
local function count(field, before, visit, type_no, venue, minute, primary)
  local pass0, phase0, used0, gate0, exit0, assumed0, day0, today0 = read(before)
  local pass1, phase1, used1, gate1, exit_gate, assumed, day1, today1 = read(visit)
  local scope = u32(field, 17)
  add('i:' .. scope, one(phase1 == 0) - one(before and phase0 == 0))
  add('e:' .. scope, one(used1 > 0) - one(used0 > 0))
  -- What is taken back was counted at the gate of before; a row that a steward took over,
  -- or that the record has from another gate, moves there.
  if primary and used1 < used0 then
    add('g:' .. gate0, used1 - used0)
  elseif primary then
    if used1 == used0 and pass1 == pass0 and used1 > 0 and gate1 ~= gate0 then
      add('g:' .. gate0, -1)
      used0 = used0 - 1
    end
    add('g:' .. gate1, used1 - used0)
  end
  if phase0 == 1 and exit0 ~= 0 and assumed0 == 0
    and (pass1 < pass0 or (pass1 == pass0 and phase1 ~= 1)) then
    add('x:' .. exit0, -1)
  end
  if phase1 == 1 and assumed == 0 and exit_gate ~= 0
    and (pass1 > pass0 or (pass1 == pass0 and phase0 ~= 1)) then
    add('x:' .. exit_gate, 1)
  end
  if venue then
    add('t:' .. type_no, one(used1 > 0) - one(used0 > 0))
    -- People of an event day: of the day that is new, of the day that was taken back.
    -- In its minute each of them counts as well: who comes on three days came thrice.
    local came = one(used1 > 0) - one(used0 > 0)
    if day1 >= day0 and day1 > 0 then
      came = one(today1 > 0) - one(day1 == day0 and today0 > 0)
      add('y:' .. day1, came)
    elseif day0 > 0 then
      came = -one(today0 > 0)
      add('y:' .. day0, came)
    end
    add('m:' .. minute, came)
    add('w:', math.max(used1 - 1, 0) - math.max(used0 - 1, 0))
  end
end
