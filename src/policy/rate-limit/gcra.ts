/** So many units in a time, as `100/s`. */
export interface Rate {
  /** 1 to 1 000 000. */
  readonly count: number;
  readonly periodMs: number;
}

/** What a limit allows. */
export interface Allowance {
  readonly rate: Rate;
  /** Units that may come at once after a rest. */
  readonly burst: number;
}

/**
 * A limit for the generic cell rate algorithm, in its form of virtual scheduling (ATM Forum, Traffic Management Specification 4.1, §4.4.1;
 * ITU-T I.371 annex A): all that is kept for a key is the time at which its bucket will be full again, which each unit moves on by 1/rate.
 *
 * Times are whole ticks of about a microsecond, and a unit is a whole number of them: sums stay exact, where 3 × 1/3 of a second as floating
 * point may be more than a second and refuse the third request of three.
 */
export interface Gcra extends Allowance {
  readonly unitTicks: number;
  readonly burstTicks: number;
  /** 1000 or a little more. */
  readonly ticksPerMs: number;
}

/** The longest time in which an empty bucket may fill: with it, sums of ticks stay below 2⁵³ for 200 years of uptime. */
export const LONGEST_REFILL_MS = 366 * 86_400_000;

const TICKS_PER_MS = 1000;

export function gcraOf({ rate, burst }: Allowance): Gcra {
  const { count, periodMs } = rate;
  const unitTicks = Math.max(1, Math.ceil((TICKS_PER_MS * periodMs) / count));
  return { rate, burst, unitTicks, burstTicks: burst * unitTicks, ticksPerMs: (unitTicks * count) / periodMs };
}

/** How long it takes an empty bucket to fill. */
export function refillMs({ rate, burst }: Allowance): number {
  return (burst * rate.periodMs) / rate.count;
}

/** The tick that `ms` is in. Hot. */
export function ticksAt(gcra: Gcra, ms: number): number {
  return Math.floor(ms * gcra.ticksPerMs);
}

/**
 * Ticks from `now` until the bucket is full. A time beyond a whole refill is from another limit, or another clock: it counts as empty, so that
 * nobody is locked out for longer. Hot.
 */
export function owedAt(gcra: Gcra, fullAt: number, now: number): number {
  const owed = fullAt - now;
  if (owed <= 0) return 0;
  return owed > gcra.burstTicks ? gcra.burstTicks : owed;
}

/** Of a key that owes so much: may `cost` units come now? Hot. */
export function admits(gcra: Gcra, owed: number, cost: number): boolean {
  return owed + cost * gcra.unitTicks <= gcra.burstTicks;
}

/** Milliseconds until `cost` units may come; 0 if they may now. */
export function waitMs(gcra: Gcra, owed: number, cost: number): number {
  return Math.max(0, (owed + cost * gcra.unitTicks - gcra.burstTicks) / gcra.ticksPerMs);
}

/** Whole units that may still come at once. */
export function remainingUnits(gcra: Gcra, owed: number): number {
  return Math.floor((gcra.burstTicks - owed) / gcra.unitTicks);
}

/** Milliseconds until there is one unit more than now; 0 for a full bucket. */
export function nextUnitMs(gcra: Gcra, owed: number): number {
  if (owed === 0) return 0;
  return (gcra.unitTicks - ((gcra.burstTicks - owed) % gcra.unitTicks)) / gcra.ticksPerMs;
}
