-- rate_limit: take from a bucket that refills evenly (GCRA); refuses without taking.
--
-- KEYS  1 bucket
-- ARGV  1 microseconds for one unit  2 units that fit (burst)  3 units to take
-- Returns {1, 0} if taken, {0, milliseconds to wait} if not
--
-- The bucket holds one number: the time (by this server's clock, in microseconds) at
-- which it will be full again. It is a limit, not a claim, so it may expire.
local unit, burst, take = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local window = unit * burst

local full_at = tonumber(redis.call('GET', KEYS[1])) or now
if full_at < now then full_at = now end
-- A clock that was set back must not lock anybody out for longer than the window.
if full_at > now + window then full_at = now + window end

local next_full_at = full_at + unit * take
local wait = next_full_at - (now + window)
if wait > 0 then return {0, math.ceil(wait / 1000)} end
redis.call('SET', KEYS[1], string.format('%.0f', next_full_at), 'PX', math.ceil((next_full_at - now) / 1000) + 1000)
return {1, 0}
