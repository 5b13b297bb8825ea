-- read_facts: everything that the decisions of one batch need to know. No rules.
--
-- KEYS  1 meta  2 codes  3 tickets  4 visits  5 devices
-- ARGV  1 echo (returned as it came)  2 layout version
--       3 number of devices D, then D device ids (16 bytes)
--       then per scan: code (16 bytes hash, two of them for what may be
--       a tag's UID, or 'T' + 16 bytes ticket id), scopes (4 bytes each)
-- Returns {echo, 'cold', why} or
--         {echo, 'warm', mode, epoch, plan, run_id, {device entries}, {scans}}
--         a scan is {} (code unknown) or {code value, ticket entry or '', visits}
--         visits: one string a scope and person, scopes outer loop, '' for none
local meta = redis.call('HMGET', KEYS[1], 'layout', 'state', 'run_id', 'mode', 'epoch', 'plan')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if meta[1] ~= ARGV[2] then return {ARGV[1], 'cold', 'layout'} end
if meta[2] ~= 'ready' then return {ARGV[1], 'cold', 'warming'} end
if meta[3] ~= run_id then return {ARGV[1], 'cold', 'run_id'} end

local device_count = tonumber(ARGV[3])
local devices = {}
for i = 1, device_count do
  devices[i] = redis.call('HGET', KEYS[5], ARGV[3 + i]) or ''
end

local scans = {}
for i = 4 + device_count, #ARGV, 2 do
  local code, scopes = ARGV[i], ARGV[i + 1]
  local value
  if #code == 17 then
    value = string.sub(code, 2) .. '\0'
  else
    value = redis.call('HGET', KEYS[2], string.sub(code, 1, 16))
    if not value and #code == 32 then
      value = redis.call('HGET', KEYS[2], string.sub(code, 17))
    end
  end
  if not value then
    scans[#scans + 1] = {}
  else
    local ticket_id = string.sub(value, 1, 16)
    local ticket = redis.call('HGET', KEYS[3], ticket_id)
    local visits = {}
    if ticket then
      local high, low = string.byte(ticket, 1, 2)
      for s = 1, #scopes, 4 do
        local scope = string.sub(scopes, s, s + 3)
        for person = 1, high * 256 + low do
          local field = ticket_id .. scope
            .. string.char(math.floor(person / 256), person % 256)
          visits[#visits + 1] = redis.call('HGET', KEYS[4], field) or ''
        end
      end
    end
    scans[#scans + 1] = {value, ticket or '', visits}
  end
end
return {ARGV[1], 'warm', meta[4], meta[5], meta[6], run_id, devices, scans}
