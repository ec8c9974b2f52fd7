-- Puts one state of a session in the place of another, or answers with what is there.
-- KEYS[1]: the session's entry, a hash. Its fields: g h s (the state's stamp: generation, holder,
--   serial), t (when it was made), m (whether the server may have lost writes before it was put),
--   l u n r (the lease: who holds it, until when, how long it is, whether it rests), i (the server's
--   incarnation), b (the state). All times are microseconds.
-- ARGV: 1 a number that the answer repeats, 2 the holder that asks, 3 to 5 the stamp that must be
--   there, 6 whether a state is put, 7 to 9 its stamp, 10 its lease, 11 whether the lease rests,
--   12 when the swap was made and 13 until when it may be done (both may be empty), 14 how long the
--   entry is kept in ms, 15 whether the server never loses a write, 16 the state.
local key, question, holder = KEYS[1], ARGV[1], ARGV[2]

local function info(section, field)
  local text = redis.pcall('INFO', section)
  return type(text) == 'string' and string.match(text, field .. ':(%w+)') or nil
end
local run, history = info('server', 'run_id'), info('replication', 'master_replid')
local role = info('replication', 'role')
if role and role ~= 'master' then
  return redis.error_reply('READONLY a replica cannot hold a session')
end
local incarnation = run and history and (run .. history) or ''
if incarnation == '' and ARGV[15] ~= '1' then
  return {'imts', question, 'no incarnation'}
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local function whole(number) return string.format('%.0f', number) end

local old = redis.call('HMGET', key, 'g', 'h', 's', 't', 'm', 'l', 'u', 'n', 'r', 'i', 'b')
local g, h, s = old[1] or '0', old[2] or '0', old[3] or '0'
local made, was_moved = tonumber(old[4] or now), old[5] or '0'
local put = ARGV[6] == '1'
if put and g == ARGV[7] and h == ARGV[8] and s == ARGV[9] then
  return {'imts', question, 'done', was_moved, whole(now)}
end

local left = 0
if old[6] and old[6] ~= '' and old[6] ~= holder then
  local till, length = tonumber(old[7]), tonumber(old[8])
  -- A lease of the future says that the server's clock was set back.
  if now >= till - length then left = math.max(till - now, 0) end
end
local is_late = ARGV[13] ~= '' and now > tonumber(ARGV[13])
if not put or left > 0 or g ~= ARGV[3] or h ~= ARGV[4] or s ~= ARGV[5] or is_late then
  return {
    'imts', question, 'other', g, h, s, whole(math.max(now - made, 0)), was_moved,
    whole(left), old[9] or '0', whole(now), old[11] or '',
  }
end

local is_nothing = g == '0' and h == '0' and s == '0'
local moved = (not is_nothing and old[10] ~= incarnation) and '1' or '0'
local lease = tonumber(ARGV[10])
made = ARGV[12] ~= '' and math.min(tonumber(ARGV[12]), now) or now
redis.call(
  'HSET', key, 'g', ARGV[7], 'h', ARGV[8], 's', ARGV[9], 't', whole(made), 'm', moved,
  'l', lease > 0 and holder or '', 'u', whole(now + lease), 'n', whole(lease), 'r', ARGV[11],
  'i', incarnation, 'b', ARGV[16]
)
redis.call('PEXPIRE', key, ARGV[14])
return {'imts', question, 'done', moved, whole(now)}
