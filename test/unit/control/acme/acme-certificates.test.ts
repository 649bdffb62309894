import { expect, test } from 'vitest';
import {
  AcmeCertificates,
  type AcmeFailure,
  type Issuer,
} from '../../../../src/control/certificates/acme/acme-certificates.ts';
import { AcmeError } from '../../../../src/control/certificates/acme/problem.ts';
import type { KeyPair } from '../../../../src/exchange/certificate.ts';
import { certificateFor } from '../../../kit/certificate.ts';
import { until } from '../../../kit/deadline.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Valid from yesterday for `days`. */
async function pairFor(days: number, name = 'shop.test'): Promise<KeyPair> {
  const { cert, key } = await certificateFor([name], days);
  return { certificate: cert, key };
}

type Result = KeyPair | Error;

/** Everything that can happen, in the test's hands: orders are answered by `results` in turn, then left open. */
function scene(stored: KeyPair | null, results: Result[] = []) {
  const clock = new ManualClock(Date.now());
  const orders: { readonly atMs: number; readonly signal: AbortSignal }[] = [];
  const failures: AcmeFailure[] = [];
  const obtained: string[] = [];
  const issuer: Issuer = {
    stored: async () => stored,
    obtain: async (_names, { signal }) => {
      orders.push({ atMs: clock.monotonic(), signal });
      const result = results.shift();
      if (result === undefined) return new Promise(() => {});
      if (result instanceof Error) throw result;
      return { pair: result, unsaved: null };
    },
  };
  const certificates = new AcmeCertificates(
    { names: ['shop.test'] },
    {
      issuer,
      proof: { challenge: 'http-01', prove: () => () => {} },
      clock,
      random: () => 0.5,
      observer: {
        obtained: ({ notAfter }) => obtained.push(notAfter),
        failed: (failure) => failures.push(failure),
      },
    },
  );
  return { clock, orders, failures, obtained, certificates };
}

function shown(certificates: AcmeCertificates): string | undefined {
  const found = certificates.certificateFor(null);
  return found instanceof Promise ? undefined : found?.pairs[0]?.certificate;
}

test('without a stored certificate one is ordered at the start, and shown when it is there', async () => {
  const pair = await pairFor(90);
  const { certificates, orders, obtained } = scene(null, [pair]);
  await certificates.open();
  expect(orders).toHaveLength(0);
  certificates.start();
  await until(() => obtained.length === 1, 'the certificate');
  expect(certificates.certificateFor('shop.test')).toBe(certificates.certificateFor(null));
  expect(shown(certificates)).toBe(pair.certificate);
  expect(orders).toHaveLength(1);
});

test('until the first certificate is there, its names are refused', async () => {
  const { certificates } = scene(null);
  await certificates.open();
  certificates.start();
  await expect(certificates.certificateFor('shop.test')).rejects.toMatchObject({ reason: 'certificate-pending' });
  expect(certificates.certificateFor(null)).toBeNull();
});

test('names of others are left to others; a client that names nobody gets what is there', async () => {
  const { certificates } = scene(await pairFor(90));
  expect(certificates.certificateFor(null)).toBeNull();
  await certificates.open();
  expect(certificates.certificateFor('other.test')).toBeNull();
  expect(certificates.certificateFor(null)).toBe(certificates.certificateFor('shop.test'));
  expect(shown(certificates)).toContain('BEGIN CERTIFICATE');
});

test('a stored certificate is shown at once and renewed when a third of its lifetime is left, while it serves', async () => {
  const old = await pairFor(90);
  const fresh = await pairFor(180);
  const { certificates, orders, obtained, clock } = scene(old, [fresh]);
  await certificates.open();
  certificates.start();
  expect(shown(certificates)).toBe(old.certificate);
  clock.advance(59 * DAY_MS);
  expect(orders).toHaveLength(0);
  clock.advance(2 * DAY_MS);
  expect(orders).toHaveLength(1);
  expect(shown(certificates)).toBe(old.certificate);
  await until(() => obtained.length === 1, 'the renewal');
  expect(shown(certificates)).toBe(fresh.certificate);
  expect(clock.pending).toBe(1);
});

test('a failed order is told with its reason and tried again, 1 min, then 2 min later, while the old certificate serves', async () => {
  const old = await pairFor(3);
  const problem = new AcmeError('caa', 'caa: forbidden');
  const { certificates, orders, failures, obtained, clock } = scene(old, [problem, problem, await pairFor(90)]);
  await certificates.open();
  clock.advance(2 * DAY_MS);
  certificates.start();
  await until(() => failures.length === 1, 'the first failure');
  expect(failures[0]).toMatchObject({ names: ['shop.test'], reason: 'caa', detail: 'caa: forbidden' });
  expect(Date.parse(failures[0]?.retryAt ?? '')).toBe(clock.now() + 60_000);
  clock.advance(59_999);
  expect(orders).toHaveLength(1);
  clock.advance(1);
  await until(() => failures.length === 2, 'the second failure');
  expect(shown(certificates)).toBe(old.certificate);
  clock.advance(120_000);
  await until(() => obtained.length === 1, 'the certificate');
  expect(orders.map(({ atMs }) => atMs - 2 * DAY_MS)).toEqual([0, 60_000, 180_000]);
});

test('an authority that asks to be left alone for longer is', async () => {
  const limited = new AcmeError('rate-limited', 'rateLimited: too many', 26 * HOUR_MS);
  const { certificates, orders, failures, clock } = scene(null, [limited]);
  certificates.start();
  await until(() => failures.length === 1, 'the failure');
  clock.advance(26 * HOUR_MS - 1);
  expect(orders).toHaveLength(1);
  clock.advance(1);
  expect(orders).toHaveLength(2);
});

test('a certificate that is due as soon as it comes does not make one order follow the other', async () => {
  const { certificates, orders, failures, clock } = scene(null, [await pairFor(3), await pairFor(3)]);
  clock.advance(30 * DAY_MS);
  certificates.start();
  await until(() => failures.length === 1, 'the failure');
  expect(failures[0]).toMatchObject({ reason: 'not-current' });
  expect(shown(certificates)).toBeDefined();
  expect(orders).toHaveLength(1);
  expect(clock.pending).toBe(1);
});

test('one order at a time, and none after the end', async () => {
  const { certificates, orders, clock, failures } = scene(null);
  certificates.start();
  clock.advance(10 * DAY_MS);
  expect(orders).toHaveLength(1);
  certificates.stop();
  expect(orders[0]?.signal.aborted).toBe(true);
  certificates.start();
  clock.advance(10 * DAY_MS);
  expect({ orders: orders.length, failures: failures.length, timers: clock.pending }).toEqual({
    orders: 1,
    failures: 0,
    timers: 0,
  });
});

test('its status says when it ends, whether it is late with its renewal, and what the last order came to', async () => {
  const { certificates, clock, failures } = scene(await pairFor(90), [new AcmeError('dns', 'dns: no such name')]);
  expect(certificates.status()).toMatchObject({ state: 'quarantined', notAfter: null, names: ['shop.test'] });
  await certificates.open();
  expect(certificates.status()).toMatchObject({ state: 'ok', issuer: 'CN=shop.test', problem: null });
  certificates.start();
  clock.advance(62 * DAY_MS);
  await until(() => failures.length === 1, 'the failure');
  expect(certificates.status()).toMatchObject({ state: 'ok', problem: 'dns: no such name' });
  clock.advance(13 * DAY_MS);
  expect(certificates.status().state).toBe('expiring');
  clock.advance(15 * DAY_MS);
  expect(certificates.status().state).toBe('expired');
});
