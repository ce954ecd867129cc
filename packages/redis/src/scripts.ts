import { createHash } from "node:crypto";
import { headerLength } from "./record.js";

interface ScriptOptions {
  readonly isAlwaysText?: boolean;
  readonly shortcut?: string;
}

/** Tells the server's time, `now`. */
const timeOfServer = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)`;

/** A Lua script for one key. The server runs it atomically. */
export class Script {
  /** The form for many keys, made when it is needed. */
  #many: Script | undefined;
  readonly text: string;
  /** The script's name for EVALSHA. */
  readonly sha: string;
  /** Whether the whole script is sent each time, because it must not run again after later commands. */
  readonly isAlwaysText: boolean;

  /** The quick way for the usual case, if many keys are given: sets `answer`, or leaves it nil. */
  readonly #shortcut: string;

  constructor(text: string, { isAlwaysText = false, shortcut = "" }: ScriptOptions = {}) {
    this.text = text;
    this.#shortcut = shortcut;
    this.isAlwaysText = isAlwaysText;
    this.sha = createHash("sha1").update(text).digest("hex");
  }

  /**
   * The same for many keys of one server. It answers a list. One command for many keys takes a
   * fraction of the processor time of many commands, but other clients wait for its end.
   *
   * ARGV: for each argument of the script the values of all keys in one string, and their lengths in
   * decimal; or one value for all keys, and ''.
   */
  get many(): Script {
    this.#many ??= new Script(`
local function one(KEYS, ARGV)${this.text}end
${timeOfServer}
local columns, answers = #ARGV / 2, {}
local lengths, starts = {}, {}
for column = 1, columns do
  starts[column] = 1
  lengths[column] = ARGV[column * 2] ~= '' and string.gmatch(ARGV[column * 2], '%d+') or nil
end
for place = 1, #KEYS do
  local key, given, answer = KEYS[place], {}, nil
  for column = 1, columns do
    if lengths[column] then
      local start, length = starts[column], tonumber(lengths[column]())
      given[column] = string.sub(ARGV[column * 2 - 1], start, start + length - 1)
      starts[column] = start + length
    else
      given[column] = ARGV[column * 2 - 1]
    end
  end
  ${this.#shortcut}
  answers[place] = answer or one({ key }, given)
end
return answers
`);
    return this.#many;
  }
}

/**
 * The beginning of every script. `head` is nil if there is no record of this storage: nothing,
 * another program's list or string, or a record of another layout. A script writes over those, as
 * SET would. It reads the header only, so it costs the same for 16 MiB as for 16 bytes. Redis 5 and
 * newer replicates a script's effects, not the script, so TIME may come before a write.
 *
 * TIME is a moment later than the clock that PTTL is measured by. An end that is computed from both
 * may be late by a millisecond, and the header keeps it from then on.
 */
const prelude = `${timeOfServer}
local key = KEYS[1]
local kind, fresh, ends, lease, token = 0, 0, 0, 0, nil
local head = redis.pcall('GETRANGE', key, 0, ${headerLength - 1})
if type(head) == 'string' and #head == ${headerLength} and string.byte(head) == 202
  and math.floor(string.byte(head, 2) / 16) == 1 then
  kind, fresh, ends, lease, token = struct.unpack('>xBdddc16', head)
else
  head = nil
end
local bytes = kind % 2 == 1 and (ends == 0 or ends > now)
local function header()
  return struct.pack('>BBdddc16', 202, kind, fresh, ends, lease, token)
end
local function orRemoved(done, answer)
  if type(done) ~= 'table' or not done.err then return answer end
  if not string.find(done.err, 'OOM', 1, true) then return done end
  redis.call('DEL', key)
  return answer
end
`;

/** Reads bytes that may have expired, by the server's clock. */
export const readInDoubt: Script = new Script(`${prelude}
if not bytes then return false end
return redis.call('GETRANGE', key, ${headerLength}, -1)
`);

/** The milliseconds that are left of the bytes, -1 if they do not expire. */
const remaining = `
local left = -1
if bytes then
  if ends > 0 then left = ends - now else left = redis.call('PTTL', key) end
end
`;

/** Writes a lease of `ARGV[2]` milliseconds with the token `ARGV[1]`, and answers its time. */
const writeLease = `
local duration = tonumber(ARGV[2])
lease, token = now + duration, ARGV[1]
if not bytes then
  kind, fresh, ends = 16, 0, 0
  redis.call('SET', key, header(), 'PX', duration)
  return now
end
if left >= 0 then
  local over = now + left
  if over < lease then
    ends = over
    redis.call('PEXPIREAT', key, lease)
  elseif ends > 0 then
    ends = 0
    redis.call('PEXPIREAT', key, over)
  end
end
redis.call('SETRANGE', key, 0, header())
return now
`;

/**
 * ARGV: token, duration, '1' to steal, the bytes that the caller has seen (left out for none).
 * Answers 0 (held), the time of the grant, or bytes.
 */
export const acquire: Script = new Script(
  `${prelude}${remaining}
if ARGV[3] ~= '1' then
  local isFresh = false
  if bytes then
    if kind % 4 >= 2 then isFresh = fresh > now else isFresh = left < 0 or left > fresh end
  end
  if isFresh then
    local stored = redis.call('GETRANGE', key, ${headerLength}, -1)
    if stored ~= ARGV[4] then return stored end
  end
  if lease > now then return 0 end
end
${writeLease}`,
  {
    // Nothing is stored under the key.
    shortcut: `if given[3] ~= '1' and columns == 3 then
    local duration = tonumber(given[2])
    local record = struct.pack('>BBdddc16', 202, 16, 0, 0, now + duration, given[1])
    if redis.call('SET', key, record, 'NX', 'PX', duration) then answer = now end
  end`,
  },
);

/** ARGV: token, duration. Answers the time, or 0 if the token is not the lease's. */
export const extend: Script = new Script(`${prelude}
if head == nil or lease == 0 or token ~= ARGV[1] then return 0 end
${remaining}${writeLease}`);

/**
 * ARGV: a ttl. Moves the end of the bytes, if that is later, and answers 1, or 0 without bytes. It
 * writes the header only if that counts from the end: the time at which the bytes become stale, and
 * the end of bytes that a lease outlasts.
 */
export const touch: Script = new Script(`${prelude}
if not bytes then return 0 end
${remaining}
local ttl = tonumber(ARGV[1])
if left < 0 or left >= ttl then return 1 end
local counts = ends > 0 or (kind % 4 < 2 and fresh > 0)
if kind % 4 < 2 and fresh > 0 then fresh = fresh + ttl - left end
if ends > 0 and now + ttl <= lease then
  ends = now + ttl
else
  ends = 0
  redis.call('PEXPIRE', key, ARGV[1])
end
if counts then redis.call('SETRANGE', key, 0, header()) end
return 1
`);

/** ARGV: record, freshFor. Stores a record that never expires but becomes stale. */
export const storeForEver: Script = new Script(
  `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local head = string.sub(ARGV[1], 1, 1) .. string.char(19) .. struct.pack('>d', now + ARGV[2])
redis.call('SET', KEYS[1], head .. string.sub(ARGV[1], 11))
return 1
`,
  { isAlwaysText: true },
);

/**
 * ARGV: token, record, ttl ('' for none), freshFor ('' if the record's header has it). Answers 1,
 * or 0 if the token is not the lease's.
 */
export const fill: Script = new Script(
  `${prelude}
if head == nil or lease == 0 or token ~= ARGV[1] then return 0 end
local record = ARGV[2]
if ARGV[4] ~= '' then
  record = string.sub(record, 1, 1) .. string.char(19) .. struct.pack('>d', now + ARGV[4]) .. string.sub(record, 11)
end
if ARGV[3] == '' then redis.call('SET', key, record) else redis.call('SET', key, record, 'PX', ARGV[3]) end
return 1
`,
  {
    // A lease with this token, and a record with a ttl. The time of a lease has no zero first byte.
    shortcut: `local head = given[3] ~= '' and redis.pcall('GETRANGE', key, 0, ${headerLength - 1})
  if type(head) == 'string' and string.byte(head) == 202 and math.floor(string.byte(head, 2) / 16) == 1
    and string.byte(head, 19) ~= 0 and string.sub(head, -16) == given[1] then
    redis.call('SET', key, given[2], 'PX', given[3])
    answer = 1
  end`,
  },
);

/** ARGV: token. Keeps the bytes and their end, or removes them if the server is full. */
export const release: Script = new Script(`${prelude}
if head == nil or lease == 0 or token ~= ARGV[1] then return 0 end
if not bytes then return redis.call('DEL', key) end
if ends > 0 then redis.call('PEXPIREAT', key, ends) end
ends, lease, token = 0, 0, string.rep('\\0', 16)
return orRemoved(redis.pcall('SETRANGE', key, 0, header()), 1)
`);

/** Reads and writes a generation: an ordinary record without a lease. */
const generation = `
local text = bytes and redis.call('GETRANGE', key, ${headerLength}, ${headerLength + 81}) or ''
local at = string.match(text, '^[%w_-]+@(%d+)$')
local function put(made)
  local record = struct.pack('>BBdddc16', 202, 17, 0, 0, 0, string.rep('\\0', 16)) .. made
  if ARGV[2] == '' then return redis.pcall('SET', key, record) end
  return redis.pcall('SET', key, record, 'PX', ARGV[2])
end
`;

/** ARGV: a new id, ttl ('' for none). Answers the generation as a string. */
export const ensureGeneration: Script = new Script(`${prelude}${generation}
if at == nil then
  local made = ARGV[1] .. '@' .. string.format('%.0f', now)
  local done = put(made)
  if type(done) == 'table' and done.err then return done end
  return made
end
local left = redis.call('PTTL', key)
if left >= 0 then
  if ARGV[2] == '' then redis.call('PERSIST', key)
  elseif left < tonumber(ARGV[2]) then redis.call('PEXPIRE', key, ARGV[2]) end
end
return text
`);

/**
 * ARGV: a new id, ttl ('' for none). Its time is never earlier than that of the generation before.
 * A full server still removes the generation; without it each entry of the tag is a miss, as with a
 * new one.
 */
export const bumpGeneration: Script = new Script(`${prelude}${generation}
local made = ARGV[1] .. '@' .. string.format('%.0f', math.max(now, tonumber(at or '0')))
return orRemoved(put(made), made)
`);
