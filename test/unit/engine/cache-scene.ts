import { expect } from 'vitest';
import { Purger, purgeKeys } from '../../../src/cache/purge.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Snapshot } from '../../../src/engine/snapshot.ts';
import { GatewayError } from '../../../src/errors.ts';
import type { CacheResult, ExchangeRecord } from '../../../src/exchange/outcome.ts';
import { formatHttpDate } from '../../../src/http/date.ts';
import { getHeader, type HeaderList } from '../../../src/http/headers.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { ScriptedClient } from '../../kit/scripted-client.ts';
import { scriptedEngine, snapshotOf } from '../../kit/scripted-engine.ts';
import { type ScriptedAttempt, ScriptedTransport } from '../../kit/scripted-transport.ts';

export const OBJECT_BYTES = 200_000;
export const PATHS = ['/1', '/2'];
const SECOND = 1000;

/** What an endpoint may say of an answer, and what that allows. Times in seconds. */
export interface Terms {
  readonly control: string;
  readonly shared: boolean;
  readonly freshS: number;
  readonly graceS: number;
  readonly ifErrorS: number;
}

export const TERMS: readonly Terms[] = [
  { control: 'max-age=5', shared: true, freshS: 5, graceS: 0, ifErrorS: 0 },
  { control: 'max-age=60', shared: true, freshS: 60, graceS: 0, ifErrorS: 0 },
  { control: 'max-age=5, stale-while-revalidate=10', shared: true, freshS: 5, graceS: 10, ifErrorS: 0 },
  { control: 'max-age=5, stale-if-error=20', shared: true, freshS: 5, graceS: 0, ifErrorS: 20 },
  { control: 'no-cache', shared: true, freshS: 0, graceS: 0, ifErrorS: 0 },
  { control: 'private, max-age=60', shared: false, freshS: 0, graceS: 0, ifErrorS: 0 },
  { control: 'no-store', shared: false, freshS: 0, graceS: 0, ifErrorS: 0 },
];

/** An answer that the origin gave; its number is in the response, and its bytes follow from the number. */
interface Given {
  readonly number: number;
  readonly path: string;
  readonly foo: string | null;
  readonly terms: Terms;
  readonly status: number;
  readonly body: Uint8Array;
  /** Changes of its path that the origin had carried out when it was asked, or asked again and said that nothing had changed. */
  changes: number;
  /** The same of soft purges. */
  purges: number;
  readonly attempt: ScriptedAttempt;
  /** Counted from the last confirmation. */
  madeAtMs: number;
  /** Bytes that went out. */
  sent: number;
}

interface Asked {
  readonly client: ScriptedClient;
  readonly path: string;
  readonly foo: string;
  readonly method: 'GET' | 'HEAD';
  /** Changes of its path that were over before it asked. */
  readonly changes: number;
  /** Soft purges of it likewise. */
  readonly purges: number;
  readonly askedAtMs: number;
  headAtMs: number;
}

/** Clients, the engine with its cache, and an origin that changes, with every step under the test's hand. */
export class CacheScene {
  readonly #clock = new ManualClock(Date.UTC(2026, 10, 21, 12, 0, 0));
  readonly #transport = new ScriptedTransport();
  readonly #snapshot: Snapshot;
  readonly #engine: Engine;
  readonly #purger: Purger;
  readonly #asked: Asked[] = [];
  readonly #given: Given[] = [];
  readonly #changes = new Map<string, number>();
  readonly #purges = new Map<string, number>();
  readonly #atSend = new Map<ScriptedAttempt, { readonly changes: number; readonly purges: number }>();
  readonly records: ExchangeRecord[] = [];

  /** `route`: what is different of it. Where it falls back to a pool, that is `spare`, and the same origin. */
  constructor(
    cache: ConfigInput['cache'] = {},
    route: Partial<NonNullable<ConfigInput['routes']>[number]> = {},
    pool: Partial<NonNullable<ConfigInput['pools']>[string]> = {},
  ) {
    this.#snapshot = snapshotOf({
      listeners: { web: { port: 0 } },
      cache: { size: 2_000_000, objectSize: OBJECT_BYTES, ...cache },
      pools: { shop: { endpoints: ['127.0.0.1:3000'], ...pool }, spare: { endpoints: ['127.0.0.1:3001'] } },
      routes: [{ name: 'all', pool: 'shop', retry: { attempts: 1 }, cache: true, ...route }],
    });
    this.#purger = new Purger(this.#snapshot.cache.store);
    this.#transport.onSend = (attempt) => {
      const { target } = attempt.attempt;
      this.#atSend.set(attempt, { changes: countOf(this.#changes, target), purges: countOf(this.#purges, target) });
    };
    this.#engine = scriptedEngine(this.#snapshot, {
      transport: this.#transport,
      clock: this.#clock,
      finished: (record) => this.#finished(record),
    });
  }

  get attempts(): readonly ScriptedAttempt[] {
    return this.#transport.attempts;
  }

  get clients(): readonly ScriptedClient[] {
    return this.#asked.map(({ client }) => client);
  }

  pass(ms: number): void {
    this.#clock.advance(ms);
  }

  ask(
    path: string,
    foo: string,
    rest: { readonly method?: 'GET' | 'HEAD'; readonly control?: string; readonly fields?: HeaderList } = {},
  ): void {
    const { method = 'GET', control, fields = [] } = rest;
    const demands: HeaderList = control === undefined ? fields : ['Cache-Control', control, ...fields];
    const client = new ScriptedClient({ method, target: path, headers: ['Host', 'shop.test', 'Foo', foo, ...demands] });
    const asked: Asked = {
      client,
      path,
      foo,
      method,
      changes: countOf(this.#changes, path),
      purges: countOf(this.#purges, path),
      askedAtMs: this.#clock.now(),
      headAtMs: 0,
    };
    this.#asked.push(asked);
    client.onHead = () => {
      asked.headAtMs = this.#clock.now();
    };
    this.#engine.handle(client.exchange);
  }

  /** The origin carries out an unsafe request for `path`, and the answer gets through. */
  change(path: string): void {
    const client = new ScriptedClient({ method: 'POST', target: path, headers: ['Host', 'shop.test'] });
    this.#engine.handle(client.exchange);
    const attempt = this.#transport.attempts.findLast((one) => one.attempt.method === 'POST' && one.state === 'asked');
    // The pool did not let it through, or not yet.
    if (attempt === undefined) {
      client.leave();
      return;
    }
    this.#changes.set(path, countOf(this.#changes, path) + 1);
    attempt.head({ status: 204, headers: ['Date', formatHttpDate(this.#clock.now())] });
    attempt.end();
    expect(client.ended).toBe('complete');
  }

  /** An operator purges a path by its URL, by its tag, or with everything else. */
  purge(path: string, by: 'url' | 'tag' | 'all', hard: boolean): void {
    const { store } = this.#snapshot.cache;
    const mode = { hard, nowMs: this.#clock.now() };
    const counts = hard ? this.#changes : this.#purges;
    for (const one of by === 'all' ? PATHS : [path]) counts.set(one, countOf(counts, one) + 1);
    if (by === 'url') purgeKeys(store, [`http://shop.test${path}`], mode);
    else this.#purger.begin(by === 'all' ? { kind: 'all' } : { kind: 'tag', tags: [tagOf(path)] }, mode);
  }

  /** The store is looked through for what purges have taken. */
  walk(comparisons: number): void {
    this.#purger.step(comparisons);
  }

  /** The head of an answer to an attempt that has none yet. */
  answer(
    nth: number,
    how: { readonly terms: number; readonly varies: boolean; readonly bytes: number; readonly announced: boolean },
  ): void {
    const attempt = this.#waiting(nth);
    const terms = TERMS[how.terms % TERMS.length];
    if (attempt === undefined || terms === undefined) return;
    this.#give(attempt, { ...how, terms, status: 200 });
  }

  /** The origin is in trouble, and says so. */
  trouble(nth: number): void {
    const attempt = this.#waiting(nth);
    const terms = { control: 'no-store', shared: false, freshS: 0, graceS: 0, ifErrorS: 0 };
    if (attempt !== undefined) this.#give(attempt, { terms, varies: false, bytes: 7, announced: true, status: 503 });
  }

  /** The origin confirms what it is asked about, if it is asked about the newest of its path. */
  confirm(nth: number): void {
    const attempt = this.#waiting(nth);
    if (attempt === undefined) return;
    const tags = getHeader(attempt.attempt.headers, 'if-none-match');
    const given = this.#given.findLast(
      (one) => tags?.includes(`"${one.number}"`) === true && one.path === attempt.attempt.target,
    );
    if (given === undefined || given.changes !== countOf(this.#changes, given.path)) return;
    Object.assign(given, this.#sentAfter(attempt));
    given.madeAtMs = this.#clock.now();
    const headers = ['ETag', `"${given.number}"`, 'Cache-Control', given.terms.control, ...this.#date()];
    attempt.head({ status: 304, headers });
    if (!attempt.isOver) attempt.end();
  }

  /** Up to `bytes` more of a body that is under way; all of it and the end for `Infinity`. */
  deliver(nth: number, bytes: number): void {
    const given = this.#delivering(nth);
    if (given === undefined) return;
    const { attempt, body } = given;
    const until = Math.min(body.byteLength, given.sent + bytes);
    while (given.sent < until && attempt.flowing && !attempt.isOver) {
      // One buffer for all chunks, as a transport's pool has: whoever keeps a slice of it keeps what comes next.
      const chunk = shared.subarray(0, Math.min(until - given.sent, shared.byteLength));
      chunk.set(body.subarray(given.sent, given.sent + chunk.byteLength));
      given.sent += chunk.byteLength;
      attempt.data(chunk);
    }
    shared.fill(0xee);
    if (given.sent === body.byteLength && !attempt.isOver) attempt.end();
  }

  breakOff(nth: number): void {
    const open = this.#transport.attempts.filter((attempt) => !attempt.isOver);
    open[nth % Math.max(1, open.length)]?.fail(
      new GatewayError('connection_terminated', { blame: 'upstream', status: 502, reason: 'reset' }),
    );
  }

  leave(nth: number): void {
    this.#open(nth)?.leave();
  }

  stall(nth: number): void {
    this.#open(nth)?.stall();
  }

  read(nth: number): void {
    this.#open(nth)?.read();
  }

  /** Everybody reads, and the origin answers whatever is asked: nobody may be left waiting, and nothing may be held. */
  settle(): void {
    for (let round = 0; round < 200; round += 1) {
      for (const client of this.clients) client.read();
      while (this.#waiting(0) !== undefined)
        this.answer(0, { terms: round, varies: false, bytes: 10, announced: true });
      while (this.#delivering(0) !== undefined && this.#delivering(0)?.attempt.flowing === true)
        this.deliver(0, Infinity);
      if (this.clients.every(({ ended }) => ended !== null) && this.attempts.every(({ isOver }) => isOver)) break;
      // Bounded waits end.
      if (round > 20) this.pass(SECOND);
    }
    expect(this.#asked.filter(({ client }) => client.ended === null).map(({ path }) => path)).toEqual([]);
    expect(this.attempts.filter(({ isOver }) => !isOver)).toEqual([]);
    expect(this.leftBehind()).toEqual({ inFlight: 0, waiters: 0, resources: 0, fillBytes: 0 });
    expect(this.#snapshot.cache.store.bytes).toBeLessThanOrEqual(2_000_000);
    for (const asked of this.#asked) this.#judgeBody(asked);
    let retired = false;
    this.#engine.publish(this.#snapshot, () => {
      retired = true;
    });
    expect(retired).toBe(true);
  }

  /** What is still held for exchanges. */
  leftBehind(): { inFlight: number; waiters: number; resources: number; fillBytes: number } {
    const { cache, pools } = this.#snapshot;
    let inFlight = 0;
    for (const { endpoints } of pools.values()) for (const { live } of endpoints) inFlight += live.inFlight;
    const { waiters, resources } = cache.flights;
    return { inFlight, waiters, resources, fillBytes: cache.fillMemory.usedBytes };
  }

  #give(
    attempt: ScriptedAttempt,
    how: {
      readonly terms: Terms;
      readonly varies: boolean;
      readonly bytes: number;
      readonly announced: boolean;
      readonly status: number;
    },
  ): void {
    const { headers, target } = attempt.attempt;
    const number = this.#given.length;
    const foo = how.varies ? getHeader(headers, 'foo') : null;
    const given: Given = {
      number,
      path: target,
      foo,
      terms: how.terms,
      status: how.status,
      body: bodyOf(number, attempt.attempt.method === 'HEAD' ? 0 : how.bytes),
      ...this.#sentAfter(attempt),
      attempt,
      madeAtMs: this.#clock.now(),
      sent: 0,
    };
    this.#given.push(given);
    const fields = [
      'X-Answer',
      String(number),
      'ETag',
      `"${number}"`,
      'Cache-Control',
      how.terms.control,
      ...this.#date(),
    ];
    fields.push('Cache-Tag', tagOf(target));
    if (how.varies) fields.push('Vary', 'Foo');
    if (how.announced) fields.push('Content-Length', String(how.bytes));
    attempt.head({ status: how.status, headers: fields });
  }

  #date(): HeaderList {
    return ['Date', formatHttpDate(this.#clock.now())];
  }

  /** What the cache says that it did must be what it might do with this answer, for this client, at the time of the head. */
  #judge({ client, path, foo, askedAtMs, headAtMs, ...since }: Asked, result: CacheResult | null): void {
    const answer = client.header('x-answer');
    if (answer === null) return;
    const given = this.#given[Number(answer)];
    if (given === undefined) throw new Error(`The origin never gave ${answer}`);
    expect(given.path).toBe(path);
    if (given.foo !== null) expect(given.foo).toBe(foo);
    // Nobody who asked after a change was over gets what was asked for before it, from the store or from somebody else's fetch.
    expect(given.changes).toBeGreaterThanOrEqual(since.changes);
    const { shared, freshS, graceS, ifErrorS } = given.terms;
    if (!shared) {
      expect(this.#asked.filter((other) => other.client.header('x-answer') === answer).length).toBe(1);
      return;
    }
    const ageS = (headAtMs - given.madeAtMs) / SECOND;
    if (result === 'stale-while-revalidate') expect(ageS).toBeLessThanOrEqual(freshS + graceS);
    else if (result === 'stale-if-error') expect(ageS).toBeLessThanOrEqual(freshS + ifErrorS);
    else if (result !== 'stale-fallback') {
      expect(given.purges).toBeGreaterThanOrEqual(since.purges);
      // Its own, or one that it could have waited for; or from the store.
      if (given.madeAtMs < askedAtMs) expect(ageS).toBeLessThan(freshS);
      expect(['hit', 'revalidated', 'collapsed', 'miss', 'bypass', 'fallback']).toContain(result);
    }
  }

  #judgeBody({ client, method }: Asked): void {
    const answer = client.header('x-answer');
    if (answer === null || client.ended === null) return;
    const given = this.#given[Number(answer)] as Given;
    const got = Buffer.concat(client.body);
    const expected = method === 'HEAD' ? new Uint8Array(0) : given.body;
    expect(got.equals(expected.subarray(0, got.byteLength))).toBe(true);
    if (client.ended === 'complete') expect(got.byteLength).toBe(expected.byteLength);
  }

  #finished(record: ExchangeRecord): void {
    this.records.push(record);
    if (record.end.bug !== null) throw record.end.bug;
    const asked = this.#asked.find(({ client }) => client.exchange.request === record.request);
    if (asked !== undefined) this.#judge(asked, record.cache === null ? null : record.cache.result);
  }

  #waiting(nth: number): ScriptedAttempt | undefined {
    const waiting = this.attempts.filter(({ state }) => state === 'asked');
    return waiting[nth % Math.max(1, waiting.length)];
  }

  #delivering(nth: number): Given | undefined {
    const running = this.#given.filter(({ attempt }) => attempt.state === 'answering');
    return running[nth % Math.max(1, running.length)];
  }

  #open(nth: number): ScriptedClient | undefined {
    const open = this.clients.filter(({ ended }) => ended === null);
    return open[nth % Math.max(1, open.length)];
  }

  #sentAfter(attempt: ScriptedAttempt): { readonly changes: number; readonly purges: number } {
    return this.#atSend.get(attempt) ?? { changes: 0, purges: 0 };
  }
}

function countOf(counts: ReadonlyMap<string, number>, path: string): number {
  return counts.get(path) ?? 0;
}

const shared = Buffer.alloc(50_000);

function tagOf(path: string): string {
  return `page-${path.slice(1)}`;
}

/** Bytes that tell which answer they are of, and where. */
function bodyOf(number: number, length: number): Uint8Array {
  const body = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i += 1) body[i] = (number * 31 + i + (i >> 8)) & 0xff;
  return body;
}
