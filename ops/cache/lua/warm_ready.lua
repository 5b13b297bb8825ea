-- warm_ready: hand the cache to the desks, if it is still the one that was warmed.
--
-- KEYS  1 meta
-- ARGV  1 epoch  2 run_id
-- Returns 1, or 0 if another epoch or another Redis process is there
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'run_id', 'state')
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if meta[1] ~= ARGV[1] or meta[2] ~= ARGV[2] or run_id ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'state', 'ready')
return 1
