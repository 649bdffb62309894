import { expect } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Snapshot } from '../../../src/engine/snapshot.ts';
import { GatewayError } from '../../../src/errors.ts';
import type { ExchangeRecord } from '../../../src/exchange/outcome.ts';
import { evaluatePreconditions } from '../../../src/http/conditional.ts';
import { formatHttpDate } from '../../../src/http/date.ts';
import { getHeader, type HeaderList } from '../../../src/http/headers.ts';
import { wantedSpans } from '../../../src/http/range.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { ScriptedClient } from '../../kit/scripted-client.ts';
import { scriptedEngine, snapshotOf } from '../../kit/scripted-engine.ts';
import { type ScriptedAttempt, ScriptedTransport } from '../../kit/scripted-transport.ts';

const STORE_BYTES = 300_000;
const OBJECT_BYTES = 100_000;

/** How the origin answers. `blind` does not look at If-Range. */
export const MANNERS = ['honest', 'whole', 'unannounced', 'blind', 'short', 'long', 'weak', 'star'] as const;
export type Manner = (typeof MANNERS)[number];

interface Running {
  readonly attempt: ScriptedAttempt;
  readonly bytes: Uint8Array;
  sent: number;
}

/** Clients that ask for ranges of one resource, the engine with its cache, and an origin with one version after the other. */
export class RangeScene {
  readonly clients: ScriptedClient[] = [];
  readonly records: ExchangeRecord[] = [];
  readonly #clock = new ManualClock(Date.UTC(2026, 10, 21, 12, 0, 0));
  readonly #transport = new ScriptedTransport();
  readonly #snapshot: Snapshot;
  readonly #engine: Engine;
  readonly #running: Running[] = [];
  #version = 1;

  constructor(ranges: 'pass' | 'whole', fills = STORE_BYTES / 4) {
    this.#snapshot = snapshotOf({
      listeners: { web: { port: 0 } },
      cache: { size: STORE_BYTES, objectSize: OBJECT_BYTES, fills },
      pools: { shop: { endpoints: ['127.0.0.1:3000'] } },
      routes: [{ name: 'all', pool: 'shop', retry: { attempts: 1 }, cache: { ranges } }],
    });
    this.#engine = scriptedEngine(this.#snapshot, {
      transport: this.#transport,
      clock: this.#clock,
      finished: (record) => this.#finished(record),
    });
  }

  get attempts(): readonly ScriptedAttempt[] {
    return this.#transport.attempts;
  }

  pass(ms: number): void {
    this.#clock.advance(ms);
  }

  /** The origin has something else from now on, of another length. */
  change(): void {
    this.#version += 1;
  }

  /** `fields` may speak of `"now"`, the newest version. */
  ask(method: 'GET' | 'HEAD', fields: HeaderList): void {
    const headers = fields.map((field) => field.replace('now', String(this.#version)));
    const client = new ScriptedClient({ method, target: '/video', headers: ['Host', 'shop.test', ...headers] });
    this.clients.push(client);
    this.#engine.handle(client.exchange);
  }

  /** The origin answers the `nth` request that it has not answered. */
  answer(nth: number, manner: Manner, freshS: number): void {
    const waiting = this.attempts.filter(({ state }) => state === 'asked');
    const attempt = waiting[nth % Math.max(1, waiting.length)];
    if (attempt === undefined) return;
    const { method, headers: asked } = attempt.attempt;
    const body = bodyOf(this.#version);
    const etag = `${manner === 'weak' ? 'W/' : ''}"${this.#version}"`;
    const fields = ['ETag', etag, 'Cache-Control', `max-age=${freshS}`, 'Date', formatHttpDate(this.#clock.now())];
    const validators = { etag, lastModifiedMs: null };
    if (evaluatePreconditions(method, asked, validators) === 'not-modified') {
      attempt.head({ status: 304, headers: fields });
      if (!attempt.isOver) attempt.end();
      return;
    }
    const representation = { ...validators, length: body.byteLength, dateMs: this.#clock.now() };
    const seen = manner === 'blind' ? ['Range', getHeader(asked, 'range') ?? ''] : asked;
    const wanted = method === 'HEAD' || manner === 'whole' ? null : wantedSpans(seen, representation);
    if (wanted === 'unsatisfiable') {
      attempt.head({ status: 416, headers: [...fields, 'Content-Range', `bytes */${body.byteLength}`] });
      if (!attempt.isOver) attempt.end();
      return;
    }
    const [span] = wanted ?? [];
    if (span === undefined) {
      if (manner !== 'unannounced') fields.push('Content-Length', String(body.byteLength));
      this.#run(attempt, { status: 200, headers: fields }, method === 'HEAD' ? body.subarray(0, 0) : body);
      return;
    }
    const total = manner === 'star' ? '*' : String(body.byteLength);
    fields.push('Content-Range', `bytes ${span.from}-${span.to - 1}/${total}`);
    const odd = manner === 'short' ? -1 : manner === 'long' ? 1 : 0;
    const bytes = body.subarray(span.from, Math.max(span.from, Math.min(span.to + odd, body.byteLength)));
    // Those that lie about the length don't announce it, or it would show at once.
    if (odd === 0 && manner !== 'unannounced') fields.push('Content-Length', String(bytes.byteLength));
    if (bytes.byteLength !== span.to - span.from) fields.push('X-Lie', '1');
    this.#run(attempt, { status: 206, headers: fields }, bytes);
  }

  #run(attempt: ScriptedAttempt, head: { status: number; headers: HeaderList }, bytes: Uint8Array): void {
    this.#running.push({ attempt, bytes, sent: 0 });
    attempt.head(head);
  }

  /** Up to `bytes` more of a body that is under way. */
  deliver(nth: number, bytes: number): void {
    const running = this.#running.filter(({ attempt }) => attempt.state === 'answering');
    const one = running[nth % Math.max(1, running.length)];
    if (one === undefined || !one.attempt.flowing) return;
    const until = Math.min(one.bytes.byteLength, one.sent + bytes);
    if (one.sent < until) {
      // A buffer that is used again, as a transport's is.
      const chunk = Buffer.from(one.bytes.subarray(one.sent, until));
      one.sent = until;
      one.attempt.data(chunk);
      chunk.fill(0xee);
    }
    if (one.sent === one.bytes.byteLength && one.attempt.flowing && !one.attempt.isOver) one.attempt.end();
  }

  breakOff(nth: number): void {
    const open = this.attempts.filter((attempt) => !attempt.isOver);
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

  /** Everything comes to its end; then every client is judged. */
  async settle(): Promise<void> {
    for (let round = 0; round < 100; round += 1) {
      for (const client of this.clients) client.read();
      this.answer(round, 'honest', 60);
      this.deliver(round, 1_000_000);
      // The gateway may ask once more.
      await Promise.resolve();
      if (this.clients.every(({ ended }) => ended !== null) && this.attempts.every(({ isOver }) => isOver)) break;
    }
    expect(this.clients.filter(({ ended }) => ended === null)).toEqual([]);
    expect(this.attempts.filter(({ isOver }) => !isOver)).toEqual([]);
    expect(this.#snapshot.cache.store.bytes).toBeLessThanOrEqual(STORE_BYTES);
    const { flights, fillMemory } = this.#snapshot.cache;
    expect([flights.waiters, flights.resources, fillMemory.usedBytes]).toEqual([0, 0, 0]);
    expect(this.#snapshot.pools.get('shop')?.endpoints.map(({ live }) => live.inFlight)).toEqual([0]);
    let retired = false;
    this.#engine.publish(this.#snapshot, () => {
      retired = true;
    });
    expect(retired).toBe(true);
    for (const client of this.clients) judge(client);
  }

  #open(nth: number): ScriptedClient | undefined {
    const open = this.clients.filter(({ ended }) => ended === null);
    return open[nth % Math.max(1, open.length)];
  }

  #finished(record: ExchangeRecord): void {
    this.records.push(record);
    if (record.end.bug !== null) throw record.end.bug;
  }
}

/** Whatever a client got is of the version that its tag names, at the place that it says, and as long as it says. */
function judge(client: ScriptedClient): void {
  const { head, ended } = client;
  if (head === null || head.status >= 500) return;
  const isLie = getHeader(head.headers, 'x-lie') !== null;
  // A message that contradicts itself may go to the client that asked for it, and to nobody else.
  if (isLie) expect(client.header('cache-status')).not.toMatch(/hit|fwd-status=304/);
  const version = Number(/"(\d+)"/.exec(client.header('etag') ?? '')?.[1]);
  const got = Buffer.concat(client.body);
  if (head.status === 416) {
    expect(client.header('content-range')).toMatch(/^bytes \*\/\d+$/);
    expect(got.byteLength).toBe(0);
    return;
  }
  expect(version).toBeGreaterThan(0);
  const whole = bodyOf(version);
  if (head.status === 304 || client.exchange.request.method === 'HEAD') {
    expect(got.byteLength).toBe(0);
    return;
  }
  const meant = head.status === 200 ? [whole] : partsOf(client, whole, isLie);
  const expected = Buffer.concat(meant);
  expect(got.equals(expected.subarray(0, got.byteLength))).toBe(true);
  if (ended !== 'complete') return;
  if (!isLie) expect(got.byteLength).toBe(expected.byteLength);
  const length = client.header('content-length');
  if (length !== null) expect(Number(length)).toBe(got.byteLength);
}

/** What the client should have got, by its head. */
function partsOf(client: ScriptedClient, whole: Uint8Array, isLie: boolean): readonly Uint8Array[] {
  expect(client.head?.status).toBe(206);
  const boundary = /boundary=(.+)$/.exec(client.header('content-type') ?? '')?.[1];
  if (boundary !== undefined) return multipart(client, whole, boundary);
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(client.header('content-range') ?? '');
  if (match === null) throw new Error(`No range: ${client.header('content-range')}`);
  if (match[3] !== '*') expect(Number(match[3])).toBe(whole.byteLength);
  // One that lies sends a byte more, or less.
  return [whole.subarray(Number(match[1]), Number(match[2]) + (isLie ? 2 : 1))];
}

function multipart(client: ScriptedClient, whole: Uint8Array, boundary: string): readonly Uint8Array[] {
  const text = Buffer.concat(client.body).toString('latin1');
  const pieces: Buffer[] = [];
  for (const [, range, from, last] of text.matchAll(/Content-Range: (bytes (\d+)-(\d+)\/\d+)\r\n\r\n/g)) {
    const before = pieces.length === 0 ? '' : '\r\n';
    pieces.push(Buffer.from(`${before}--${boundary}\r\nContent-Range: ${range}\r\n\r\n`));
    pieces.push(Buffer.from(whole.subarray(Number(from), Number(last) + 1)));
  }
  return [...pieces, Buffer.from(`\r\n--${boundary}--\r\n`)];
}

/** Bytes that tell which version they are of, and where. Two versions each are of one length, so that only their tags tell them apart. */
function bodyOf(version: number): Uint8Array {
  const body = Buffer.allocUnsafe(500 + (((version >> 1) * 3571) % 9000));
  for (let i = 0; i < body.byteLength; i += 1) body[i] = (Math.imul(version * 40_503 + i, 0x9e3779b1) >>> 19) & 0xff;
  return body;
}
