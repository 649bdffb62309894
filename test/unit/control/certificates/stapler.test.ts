import { beforeAll, expect, test } from 'vitest';
import { type LoadedCertificate, loadCertificate } from '../../../../src/control/certificates/certificate-file.ts';
import { Stapler } from '../../../../src/control/certificates/stapler.ts';
import type { HttpAnswer, HttpRequest } from '../../../../src/control/http-client.ts';
import { GatewayError } from '../../../../src/errors.ts';
import { until } from '../../../kit/deadline.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { ocspResponse } from '../../../kit/ocsp.ts';
import { type Minted, mint } from '../../../kit/pki.ts';

const HOUR_MS = 3_600_000;
const START = Math.floor(Date.now() / 1000) * 1000;

let root: Minted;
let leaf: Minted;
let certificate: LoadedCertificate;

function load({ cert, key }: Minted, chain = root.cert): LoadedCertificate {
  const parts = [Buffer.from(`${cert}${chain}`), Buffer.from(key)];
  const result = loadCertificate({ certificate: 'c', key: 'k', passphrase: null }, { parts, digest: 'd' });
  if (!result.ok) throw new Error('The kit made a broken certificate');
  return result.certificate;
}

beforeAll(async () => {
  root = await mint({ names: null, commonName: 'Root' });
  leaf = await mint({ names: ['a.test'], issuer: root, ocsp: 'http://ocsp.test/' });
  certificate = load(leaf);
});

type Answer = Buffer | 'down' | 500;

class Bench {
  readonly clock = new ManualClock(START);
  readonly requests: HttpRequest[] = [];
  readonly lines: string[] = [];
  readonly stapler: Stapler;
  readonly owner = {};
  #answers: Answer[];
  #settled = 0;

  constructor(...answers: Answer[]) {
    this.#answers = answers;
    const line = (level: string) => (fields: object) => {
      const { reason, why = '', stapled = '' } = fields as { reason: string; why?: string; stapled?: boolean | '' };
      this.lines.push([level, reason, why, stapled].join(' ').trim());
    };
    this.stapler = new Stapler({
      ask: (request) => this.#ask(request),
      clock: this.clock,
      random: () => 0.5,
      log: { info: line('info'), warn: line('warn'), error: line('error') },
    });
  }

  keep(...certificates: LoadedCertificate[]): void {
    this.stapler.keep(this.owner, certificates);
  }

  /** Resolves when `count` requests in all were answered, and what follows from that was done. */
  async asked(count: number): Promise<void> {
    await until(() => this.#settled === count, `${count} requests`);
    await new Promise((resolve) => setImmediate(resolve));
    expect(this.requests).toHaveLength(count);
  }

  async #ask(request: HttpRequest): Promise<HttpAnswer> {
    this.requests.push(request);
    const answer = (this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0]) ?? 'down';
    queueMicrotask(() => {
      this.#settled += 1;
    });
    if (answer === 'down')
      throw new GatewayError('connection_refused', { blame: 'upstream', status: 502, reason: 'refused' });
    return answer === 500
      ? { status: 500, headers: [], body: Buffer.of() }
      : { status: 200, headers: [], body: answer };
  }
}

function good(hours: number, over: { status?: 'revoked' } = {}): Buffer {
  return ocspResponse({ of: leaf, issuer: root, thisUpdate: START, nextUpdate: START + hours * HOUR_MS, ...over });
}

test('a response is asked for by POST, and stapled once it is there', async () => {
  const response = good(24);
  const bench = new Bench(response);
  bench.keep(certificate);
  expect(bench.stapler.stapleFor(certificate)).toBeNull();
  await bench.asked(1);
  expect(bench.requests[0]).toMatchObject({
    method: 'POST',
    url: 'http://ocsp.test/',
    headers: ['Content-Type', 'application/ocsp-request'],
  });
  expect(bench.stapler.stapleFor(certificate)).toEqual(response);
  expect(bench.lines).toEqual([]);
});

test('it is fetched again after half of its life, and shown until its end while that fails', async () => {
  const [first, second] = [good(24), good(48)];
  const bench = new Bench(first, 'down', 'down', second);
  bench.keep(certificate);
  await bench.asked(1);
  bench.clock.advance(12 * HOUR_MS - 1);
  await bench.asked(1);
  bench.clock.advance(1);
  await bench.asked(2);
  expect(bench.stapler.stapleFor(certificate)).toEqual(first);
  bench.clock.advance(60_000);
  await bench.asked(3);
  bench.clock.advance(119_999);
  await bench.asked(3);
  bench.clock.advance(1);
  await bench.asked(4);
  expect(bench.stapler.stapleFor(certificate)).toEqual(second);
  expect(bench.lines).toEqual(['warn ocsp-failed refused true', 'info ocsp-stapled']);
});

test('one that has come to its end is not shown, and the log says so once', async () => {
  const bench = new Bench(good(2), 'down');
  bench.keep(certificate);
  await bench.asked(1);
  bench.clock.advance(HOUR_MS);
  await bench.asked(2);
  bench.clock.advance(HOUR_MS);
  expect(bench.stapler.stapleFor(certificate)).toBeNull();
  for (let hour = 3; hour < 8; hour += 1) {
    await bench.asked(hour);
    bench.clock.advance(HOUR_MS);
  }
  expect(bench.lines).toEqual(['warn ocsp-failed refused true', 'warn ocsp-failed refused false']);
});

test('while there is none the pauses grow from a minute to an hour', async () => {
  const bench = new Bench(500);
  bench.keep(certificate);
  for (const [count, minutes] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
    await bench.asked(count + 1);
    bench.clock.advance(minutes * 60_000 - 1);
    await bench.asked(count + 1);
    bench.clock.advance(1);
  }
  expect(bench.lines).toEqual(['warn ocsp-failed status-500 false']);
});

test('a certificate that was revoked is no longer said to be good', async () => {
  const bench = new Bench(good(24), good(24, { status: 'revoked' }));
  bench.keep(certificate);
  await bench.asked(1);
  bench.clock.advance(12 * HOUR_MS);
  await bench.asked(2);
  expect(bench.stapler.stapleFor(certificate)).toBeNull();
  expect(bench.lines).toEqual(['error ocsp-failed revoked false']);
});

test('a certificate that must be stapled and can’t be is an error in the log', async () => {
  const must = load(await mint({ names: ['a.test'], issuer: root, ocsp: 'http://ocsp.test/', mustStaple: true }));
  const bench = new Bench('down');
  bench.keep(must);
  await bench.asked(1);
  expect(bench.lines).toEqual(['error ocsp-failed refused false']);
});

test('a certificate without responder is left alone, one without its issuer is told of', async () => {
  const bench = new Bench('down');
  const silent = load(await mint({ names: ['a.test'], issuer: root }));
  bench.keep(silent, load(leaf, ''));
  expect(bench.stapler.canStaple(silent)).toBe(false);
  expect(bench.lines).toEqual(['warn ocsp-no-issuer']);
  expect(bench.requests).toEqual([]);
});

test('what two listeners show is asked for once, and let go of with the last of them', async () => {
  const bench = new Bench(good(24));
  const another = {};
  bench.keep(certificate);
  bench.stapler.keep(another, [certificate]);
  await bench.asked(1);
  bench.keep();
  expect(bench.stapler.stapleFor(certificate)).not.toBeNull();
  bench.stapler.keep(another, []);
  expect(bench.stapler.stapleFor(certificate)).toBeNull();
  expect(bench.clock.pending).toBe(0);
});

test('no more than four are asked for at a time', async () => {
  const certificates = await Promise.all(
    Array.from({ length: 9 }, async () =>
      load(await mint({ names: ['a.test'], issuer: root, ocsp: 'http://ocsp.test/' })),
    ),
  );
  const bench = new Bench('down');
  bench.keep(...certificates);
  expect(bench.requests).toHaveLength(4);
  await bench.asked(9);
});
