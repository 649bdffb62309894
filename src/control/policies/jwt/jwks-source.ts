import { createHash } from 'node:crypto';
import type { TimerHandle } from '../../../clock.ts';
import { parseCacheControl } from '../../../http/cache-control.ts';
import { getCombined } from '../../../http/headers.ts';
import type { KeySet, KeySource, Sought } from '../../../policy/auth/token-keys.ts';
import type { PolicyState } from '../../../policy/policy-state.ts';
import type { HttpAnswer } from '../../http-client.ts';
import { placeOf } from '../place-of-url.ts';
import type { PolicyWorld } from '../policy-world.ts';
import { keySetOfIssuer } from './key-set.ts';

const LIMIT_BYTES = 256 * 1024;
/** Requests that wait for keys, of this source. One more is told at once that nobody knows. */
const MAX_WAITING = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

export interface JwksOptions {
  readonly url: string;
  /** PEM of the authorities to trust, or `null` for the built-in ones. */
  readonly ca: string | null;
  readonly timeoutMs: number;
  /** Bounds of how long keys are fresh, whatever `Cache-Control` says; the lower one where it says nothing. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  /** At least so long from one unknown key's question to the next. */
  readonly coolDownMs: number;
  /** How long keys that are no longer fresh stay in force while the issuer does not answer. */
  readonly staleIfErrorMs: number;
}

interface Waiting {
  /** `undefined` where there are no keys at all. */
  readonly kid: string | null | undefined;
  readonly since: number;
  readonly done: (sought: Sought) => void;
}

/**
 * Keys that an issuer publishes at a URL (RFC 7517 §5). Fetched when it is opened and again before they are stale; one fetch at a time, for
 * everybody who waits. A token with a key that is not known has them fetched once in a cool-down: who comes within it waits for the next
 * fetch, so that a new key is never refused, however many made-up names come besides. An issuer that does not answer leaves the last good
 * keys in force for a bounded time, and is asked again after 1 s, 2 s, … 60 s.
 */
export class JwksSource implements PolicyState, KeySource {
  readonly id: string;
  readonly name: string;
  readonly #options: JwksOptions;
  readonly #owner: string;
  readonly #world: PolicyWorld;
  #keys: KeySet | null = null;
  #digest = '';
  /** Monotonic; from then on the keys are not in force any more. */
  #lapsesAt = 0;
  #begunAt = Number.NEGATIVE_INFINITY;
  #nextAt = 0;
  #failures = 0;
  #fetches = 0;
  #broken: string | null = null;
  #isOpen = false;
  #running: AbortController | null = null;
  #timer: TimerHandle | null = null;
  readonly #waiting = new Set<Waiting>();
  /** Names that the fetch of `#begunAt` did not know, although they were asked for before it. At most as many as may wait. */
  readonly #missing = new Set<string | null>();

  constructor(id: string, options: JwksOptions, parts: { readonly world: PolicyWorld; readonly owner: string }) {
    this.id = id;
    this.name = placeOf(options.url);
    this.#options = options;
    this.#owner = parts.owner;
    this.#world = parts.world;
  }

  get current(): KeySet | null {
    return this.#keys !== null && this.#now() < this.#lapsesAt ? this.#keys : null;
  }

  get retryAfterSeconds(): number {
    const inMs = this.current === null ? this.#nextAt - this.#now() : this.#options.coolDownMs;
    return Math.max(1, Math.ceil(inMs / 1000));
  }

  open(): void {
    this.#isOpen = true;
    this.#fetch();
  }

  close(): void {
    this.#isOpen = false;
    this.#stopTimer();
    this.#running?.abort();
    this.#tell([...this.#waiting], 'unavailable');
  }

  status(): Readonly<Record<string, string | number | null>> {
    return {
      url: this.name,
      keys: this.current?.keys.length ?? 0,
      fetches: this.#fetches,
      waiting: this.#waiting.size,
      broken: this.#broken,
    };
  }

  readonly seek = (kid: string | null, done: (sought: Sought) => void): (() => void) => {
    const nothing = (): void => {};
    const has = this.current !== null;
    const now = this.#now();
    if (has && this.#missing.has(kid) && now < this.#begunAt + this.#options.coolDownMs) {
      done('missing');
      return nothing;
    }
    const mustWait = this.#running === null && this.#failures > 0 && now < this.#nextAt;
    if (!this.#isOpen || mustWait || this.#waiting.size >= MAX_WAITING) {
      done('unavailable');
      return nothing;
    }
    const waiting = { kid: has ? kid : undefined, since: now, done };
    this.#waiting.add(waiting);
    if (this.#running === null) this.#fetchSoon();
    return () => this.#waiting.delete(waiting);
  };

  /** For who waits: now, or when the cool-down is over. */
  #fetchSoon(): void {
    const inMs = this.current === null ? 0 : this.#begunAt + this.#options.coolDownMs - this.#now();
    if (inMs <= 0) this.#fetch();
    else this.#plan(inMs);
  }

  #plan(inMs: number): void {
    this.#stopTimer();
    this.#nextAt = this.#now() + inMs;
    this.#timer = this.#world.clock.after(inMs, () => this.#fetch());
  }

  #fetch(): void {
    this.#stopTimer();
    if (this.#running !== null || !this.#isOpen) return;
    const running = new AbortController();
    this.#running = running;
    this.#begunAt = this.#now();
    this.#fetches += 1;
    this.#missing.clear();
    const { url, ca, timeoutMs } = this.#options;
    const headers = ['Accept', 'application/jwk-set+json, application/json'];
    const { signal } = running;
    this.#world
      .http({ method: 'GET', url, headers, body: null, ca, timeoutMs, limitBytes: LIMIT_BYTES, signal })
      .then((answer) => this.#learn(answer))
      .then(
        (ttlMs) => this.#succeeded(ttlMs),
        (error: unknown) => this.#failed(error),
      );
  }

  /** What the answer says; throws what is wrong with it. */
  #learn({ status, headers, body }: HttpAnswer): number {
    if (status !== 200) {
      throw new Error(`it answered ${status}${status >= 300 && status < 400 ? '; redirects are not followed' : ''}`);
    }
    const digest = createHash('sha256').update(body).digest('base64');
    if (digest !== this.#digest || this.current === null) {
      const keys = keySetOfIssuer(body);
      const isNews = this.#keys !== null;
      this.#keys = keys;
      this.#digest = digest;
      if (isNews) this.#event('jwks-changed', 'info', `has ${keys.keys.length} keys now`);
    }
    const { maxAgeS, noStore, noCache } = parseCacheControl(getCombined(headers, 'cache-control'));
    const { minTtlMs, maxTtlMs } = this.#options;
    const saidMs = noStore || noCache ? 0 : (maxAgeS ?? 0) * 1000;
    return Math.min(Math.max(saidMs, minTtlMs), maxTtlMs);
  }

  #succeeded(ttlMs: number): void {
    this.#running = null;
    if (!this.#isOpen) return;
    this.#failures = 0;
    this.#lapsesAt = this.#now() + ttlMs + this.#options.staleIfErrorMs;
    if (this.#broken !== null) this.#event('jwks-back', 'info', 'answers again');
    this.#broken = null;
    // Before they are stale, and not all gateways at once.
    this.#plan(ttlMs * (0.75 + 0.15 * this.#world.random()));
    const waiting = [...this.#waiting];
    this.#tell(
      waiting.filter(({ kid }) => kid === undefined || (kid !== null && this.#knows(kid))),
      'found',
    );
    const vain = waiting.filter((one) => this.#waiting.has(one) && one.since <= this.#begunAt);
    for (const { kid } of vain) if (kid !== undefined) this.#missing.add(kid);
    this.#tell(vain, 'missing');
    // Who came while it was under way may hold what was published while it was.
    if (this.#waiting.size > 0) this.#fetchSoon();
  }

  #knows(kid: string): boolean {
    return this.#keys?.keys.some((key) => key.kid === kid) === true;
  }

  #failed(error: unknown): void {
    this.#running = null;
    if (!this.#isOpen) return;
    const message = error instanceof Error ? error.message : String(error);
    if (this.#broken === null) this.#event('jwks-failed', 'warn', `can't be used: ${message}`);
    this.#broken = message;
    if (this.#keys !== null && this.current === null) {
      this.#keys = null;
      this.#event('jwks-lapsed', 'warn', 'did not answer for so long that its keys are not in force any more');
    }
    const backoffMs = Math.min(LONGEST_BACKOFF_MS, 1000 * 2 ** Math.min(this.#failures, 6));
    this.#failures += 1;
    this.#plan(backoffMs * (0.75 + 0.25 * this.#world.random()));
    this.#tell([...this.#waiting], 'unavailable');
  }

  #tell(waiting: readonly Waiting[], sought: Sought): void {
    for (const one of waiting) if (this.#waiting.delete(one)) one.done(sought);
  }

  #event(event: string, level: 'info' | 'warn', detail: string): void {
    this.#world.observer({ policy: 'auth', owner: this.#owner, event, level, detail: `${this.name} ${detail}` });
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#world.clock.cancel(this.#timer);
    this.#timer = null;
  }

  #now(): number {
    return this.#world.clock.monotonic();
  }
}
