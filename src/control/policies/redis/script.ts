import { createHash } from 'node:crypto';
import type { Claim } from '../../../policy/rate-limit/rate-store.ts';

/**
 * Decides about all claims of a request at once, by the clock of the server, which all gateways share. It does what `policy/rate-limit/gcra.ts`
 * does, in the same whole ticks: Lua’s numbers are doubles, and hold them exactly.
 *
 * What is kept of a key is the tick at which its bucket is full and how many ticks a microsecond has, since another rate counts in others;
 * it is gone once the bucket is full. Needs Redis 5 or Valkey: the effects are replicated, not the script.
 *
 * A time beyond a whole refill is from another limit, or from before the clock was set back: it is brought down to one, so that nobody is kept out
 * for longer.
 *
 * KEYS: one for each claim. ARGV, for each: ticks a microsecond, ticks of the burst, ticks that the request takes, 1 if it only watches.
 * Returns what each owed before.
 */
export const SCRIPT = `
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local owed, now = {}, {}
local refused = false
local function keep(key, full, scale, ticks)
  local lives = math.ceil(ticks / tonumber(scale) / 1000) + 1
  redis.call('SET', key, string.format('%.0f %s', full, scale), 'PX', string.format('%.0f', lives))
end
for i, key in ipairs(KEYS) do
  local scale = tonumber(ARGV[i * 4 - 3])
  local burst = tonumber(ARGV[i * 4 - 2])
  local cost = tonumber(ARGV[i * 4 - 1])
  now[i] = math.floor(micros * scale)
  local kept = redis.call('GET', key)
  local full = now[i]
  if kept then
    local at, of = string.match(kept, '^(%d+) (%S+)$')
    local was = tonumber(of)
    if was and was > 0 then
      full = tonumber(at)
      if of ~= ARGV[i * 4 - 3] then full = math.floor(full / was * scale) end
    end
  end
  if full - now[i] > burst then
    full = now[i] + burst
    keep(key, full, ARGV[i * 4 - 3], burst)
  end
  owed[i] = math.max(full - now[i], 0)
  if owed[i] + cost > burst and ARGV[i * 4] ~= '1' then refused = true end
end
if not refused then
  for i, key in ipairs(KEYS) do
    local scale = ARGV[i * 4 - 3]
    local after = owed[i] + tonumber(ARGV[i * 4 - 1])
    if after <= tonumber(ARGV[i * 4 - 2]) then
      keep(key, now[i] + after, scale, after)
    end
  end
end
return owed
`;

export const SCRIPT_SHA = createHash('sha1').update(SCRIPT).digest('hex');

/** `KEYS` and `ARGV` of claims. */
export function scriptArguments(prefix: string, claims: readonly Claim[]): readonly string[] {
  const keys = claims.map(({ key }) => `${prefix}:rate:${key}`);
  const numbers = claims.flatMap(({ gcra, cost, watches }) => {
    const { unitTicks, burstTicks, ticksPerMs } = gcra;
    return [String(ticksPerMs / 1000), String(burstTicks), String(cost * unitTicks), watches ? '1' : '0'];
  });
  return [...keys, ...numbers];
}

/** What the script has returned for `count` claims; `null` for anything else. */
export function owedIn(reply: unknown, count: number): readonly number[] | null {
  if (!Array.isArray(reply) || reply.length !== count) return null;
  return reply.every((ticks) => typeof ticks === 'number' && ticks >= 0) ? (reply as number[]) : null;
}
