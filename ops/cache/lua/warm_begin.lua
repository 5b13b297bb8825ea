-- warm_begin: take the cache of an event away from the desks and empty it.
--
-- KEYS  1 meta  2 codes  3 tickets  4 visits  5 devices  6 counters  7 feed
-- ARGV  1 layout version  2 epoch (greater than any before: it comes from PostgreSQL)
--       3 feed epoch  4 plan version  5 mode
-- Returns run_id of this Redis, or '' if a later epoch is already there
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch and tonumber(epoch) > tonumber(ARGV[2]) then return '' end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7])
redis.call('HSET', KEYS[1], 'layout', ARGV[1], 'epoch', ARGV[2], 'feed_epoch', ARGV[3],
  'plan', ARGV[4], 'mode', ARGV[5], 'state', 'warming', 'run_id', run_id,
  'off:attendance', 0, 'off:sessions', 0, 'off:scans', 0)
return run_id
