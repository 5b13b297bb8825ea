-- switch: put an event into another mode by compare-and-set; each switch adds 1 to the epoch.
--
-- KEYS  1 meta  2 feed
-- ARGV  1 echo  2 layout version  3 epoch  4 mode (N or D)  5 feed length
-- Returns {echo, 'cold'} or {echo, 'is', mode, epoch} (what holds now; also when another
--         epoch was there, or the mode was this one already)
local meta = redis.call('HMGET', KEYS[1], 'layout', 'state', 'run_id', 'epoch', 'mode')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if meta[1] ~= ARGV[2] or meta[2] ~= 'ready' or meta[3] ~= run_id then
  return {ARGV[1], 'cold'}
end
if meta[4] ~= ARGV[3] or meta[5] == ARGV[4] then return {ARGV[1], 'is', meta[5], meta[4]} end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'mode', ARGV[4])
-- The screens wake up and find the mode in meta.
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'a', redis.call('HINCRBY', KEYS[1],
  'off:attendance', 1), 's', redis.call('HINCRBY', KEYS[1], 'off:scans', 0), 'l', '')
return {ARGV[1], 'is', ARGV[4], tostring(epoch)}
