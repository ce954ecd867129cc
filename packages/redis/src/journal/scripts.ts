import { Script } from "../scripts.js";

/**
 * The beginning of every script. `KEYS[1]` begins all keys of the journal and holds their hash tag,
 * so that they have one slot of a Cluster.
 *
 * - `:r` a hash of records by key: version, attempts, class and bytes
 * - `:n` the set of classes
 * - `:w:CLASS` the keys that wait, by the time when they are due
 * - `:s:CLASS` the stream of keys that are being written; its group `writers` has who writes them
 * - `:t`, `:i`, `:g` the token, the stream's entry and the stream's class of each claimed key
 * - `:l` the claimed keys, by the time when their claim ends
 * - `:p` the time when a claimed key is due again, because a newer value has come
 * - `:d`, `:e` the keys of dead letters by their time, and the reasons
 */
const prelude = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local base = KEYS[1]
local R, N, T, I, G, L, P, D, E = base .. ':r', base .. ':n', base .. ':t', base .. ':i', base .. ':g',
  base .. ':l', base .. ':p', base .. ':d', base .. ':e'
local function waiting(node) return base .. ':w:' .. node end
local function stream(node) return base .. ':s:' .. node end
local function load(key)
  local packed = redis.call('HGET', R, key)
  if not packed then return nil end
  local version, attempts, length, at = struct.unpack('>dI4I4', packed)
  return { version = version, attempts = attempts, node = string.sub(packed, at, at + length - 1),
    bytes = string.sub(packed, at + length) }
end
local function store(key, record)
  redis.call('HSET', R, key, struct.pack('>dI4I4', record.version, record.attempts, #record.node)
    .. record.node .. record.bytes)
end
local function free(key)
  local from = stream(redis.call('HGET', G, key))
  local id = redis.call('HGET', I, key)
  redis.call('XACK', from, 'writers', id)
  redis.call('XDEL', from, id)
  redis.call('HDEL', T, key)
  redis.call('HDEL', I, key)
  redis.call('HDEL', G, key)
  redis.call('ZREM', L, key)
end
local function wait(key, node, due)
  redis.call('SADD', N, node)
  redis.call('ZADD', waiting(node), string.format('%.0f', due), key)
end
local function waitAgain(key, node)
  wait(key, node, tonumber(redis.call('HGET', P, key) or now))
  redis.call('HDEL', P, key)
end
`;

/** ARGV: delay, then key, class and bytes of each record. */
export const append: Script = new Script(`${prelude}
local due = now + ARGV[1]
for place = 2, #ARGV, 3 do
  local key, node, bytes = ARGV[place], ARGV[place + 1], ARGV[place + 2]
  local old = load(key)
  store(key, { version = old and old.version + 1 or 1, attempts = 0, node = node, bytes = bytes })
  if old == nil then
    wait(key, node, due)
  elseif redis.call('ZREM', D, key) == 1 then
    redis.call('HDEL', E, key)
    wait(key, node, due)
  elseif redis.call('HEXISTS', T, key) == 1 then
    local before = tonumber(redis.call('HGET', P, key) or due)
    redis.call('HSET', P, key, string.format('%.0f', math.min(before, due)))
  else
    local before = tonumber(redis.call('ZSCORE', waiting(old.node), key) or due)
    if old.node ~= node then redis.call('ZREM', waiting(old.node), key) end
    wait(key, node, math.min(before, due))
  end
end
return #ARGV
`);

/** ARGV: consumer, token, count, duration, ahead, then the classes. Answers the claimed records. */
export const claim: Script = new Script(`${prelude}
local consumer, token, count, duration, ahead = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local known, claims, takenOver = {}, {}, {}
-- A dead process leaves its consumer in the group. One without pending records may go: that of a
-- process which lives comes back with its next claim.
local function forget(node)
  for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', stream(node), 'writers')) do
    local info = {}
    for at = 1, #fields, 2 do info[fields[at]] = fields[at + 1] end
    if info.name ~= consumer and info.pending == 0 and info.idle > duration then
      redis.call('XGROUP', 'DELCONSUMER', stream(node), 'writers', info.name)
    end
  end
end
for place = 6, #ARGV do known[ARGV[place]] = true end
local function take(key, node, id)
  local record = load(key)
  redis.call('HSET', T, key, token)
  redis.call('HSET', I, key, id)
  redis.call('HSET', G, key, node)
  redis.call('ZADD', L, string.format('%.0f', now + duration), key)
  claims[#claims + 1] = { key, record.node, record.bytes, string.format('%.0f', record.version), record.attempts }
end
for _, key in ipairs(redis.call('ZRANGEBYSCORE', L, '-inf', now, 'LIMIT', 0, 4 * count)) do
  local record = load(key)
  if not known[record.node] then
    -- Ended claims that this process cannot take over must not hide those that it can.
    free(key)
    waitAgain(key, record.node)
  elseif #claims < count then
    local node, id = redis.call('HGET', G, key), redis.call('HGET', I, key)
    redis.call('XCLAIM', stream(node), 'writers', consumer, 0, id)
    take(key, node, id)
    takenOver[node] = true
  end
end
for place = 6, #ARGV do
  local node = ARGV[place]
  local left = count - #claims
  local found = left > 0 and redis.call('ZRANGEBYSCORE', waiting(node), '-inf', string.format('%.0f', now + ahead),
    'WITHSCORES', 'LIMIT', 0, left + 1000) or {}
  local added = 0
  for at = 1, #found, 2 do
    local key, due = found[at], tonumber(found[at + 1])
    if added < left and (due <= now or load(key).attempts == 0) then
      redis.call('ZREM', waiting(node), key)
      redis.call('XADD', stream(node), '*', 'k', key)
      added = added + 1
    end
  end
  if added > 0 then
    redis.pcall('XGROUP', 'CREATE', stream(node), 'writers', '0')
    local read = redis.call('XREADGROUP', 'GROUP', 'writers', consumer, 'COUNT', added, 'STREAMS', stream(node), '>')
    for _, entry in ipairs(read[1][2]) do take(entry[2][2], node, entry[1]) end
    forget(node)
  elseif takenOver[node] then
    forget(node)
  end
end
return claims
`);

/** ARGV: duration, then key and token of each claim. */
export const extend: Script = new Script(`${prelude}
for place = 2, #ARGV, 2 do
  local key = ARGV[place]
  if redis.call('HGET', T, key) == ARGV[place + 1] then
    redis.call('ZADD', L, string.format('%.0f', now + ARGV[1]), key)
  end
end
return #ARGV
`);

/** ARGV: key, token and version of each claim. */
export const complete: Script = new Script(`${prelude}
for place = 1, #ARGV, 3 do
  local key = ARGV[place]
  if redis.call('HGET', T, key) == ARGV[place + 1] then
    free(key)
    local record = load(key)
    if string.format('%.0f', record.version) == ARGV[place + 2] then
      redis.call('HDEL', R, key)
      redis.call('HDEL', P, key)
    else
      waitAgain(key, record.node)
    end
  end
end
return #ARGV
`);

/** ARGV: key, token, version, delay ('' for a dead letter) and reason of each claim. */
export const fail: Script = new Script(`${prelude}
for place = 1, #ARGV, 5 do
  local key = ARGV[place]
  if redis.call('HGET', T, key) == ARGV[place + 1] then
    free(key)
    local record = load(key)
    if string.format('%.0f', record.version) ~= ARGV[place + 2] then
      waitAgain(key, record.node)
    else
      record.attempts = record.attempts + 1
      store(key, record)
      if ARGV[place + 3] == '' then
        redis.call('ZADD', D, string.format('%.0f', now), key)
        redis.call('HSET', E, key, ARGV[place + 4])
      else
        wait(key, record.node, now + ARGV[place + 3])
      end
    end
  end
end
return #ARGV
`);

/** ARGV: keys. Answers bytes, or nothing, for each. */
export const read: Script = new Script(`${prelude}
local found = {}
for place, key in ipairs(ARGV) do
  local record = load(key)
  found[place] = record and not redis.call('ZSCORE', D, key) and record.bytes or false
end
return found
`);

/** Answers class, unsaved values and dead letters of each class. */
export const counts: Script = new Script(`${prelude}
local dead = {}
for _, key in ipairs(redis.call('ZRANGE', D, 0, -1)) do
  local node = load(key).node
  dead[node] = (dead[node] or 0) + 1
end
local found = {}
local nodes = redis.call('SMEMBERS', N)
table.sort(nodes)
for _, node in ipairs(nodes) do
  local unsaved = redis.call('ZCARD', waiting(node)) + redis.call('XLEN', stream(node))
  if unsaved == 0 and not dead[node] then redis.call('SREM', N, node)
  else found[#found + 1] = { node, unsaved, dead[node] or 0 } end
end
return found
`);

/** ARGV: limit. Answers key, class, bytes, attempts, reason and time of each. */
export const deadLetters: Script = new Script(`${prelude}
local found = {}
local letters = redis.call('ZRANGE', D, 0, ARGV[1] - 1, 'WITHSCORES')
for at = 1, #letters, 2 do
  local key = letters[at]
  local record = load(key)
  found[#found + 1] = { key, record.node, record.bytes, record.attempts, redis.call('HGET', E, key), letters[at + 1] }
end
return found
`);

/** ARGV: keys. Answers their number. */
export const requeue: Script = new Script(`${prelude}
local count = 0
for _, key in ipairs(ARGV) do
  if redis.call('ZREM', D, key) == 1 then
    redis.call('HDEL', E, key)
    local record = load(key)
    record.attempts = 0
    store(key, record)
    wait(key, record.node, now)
    count = count + 1
  end
end
return count
`);

/** ARGV: keys. Answers their number. */
export const drop: Script = new Script(`${prelude}
local count = 0
for _, key in ipairs(ARGV) do
  if redis.call('ZREM', D, key) == 1 then
    redis.call('HDEL', E, key)
    redis.call('HDEL', R, key)
    count = count + 1
  end
end
return count
`);
