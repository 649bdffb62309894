import { expect, test } from 'vitest';
import { type CertificateStatus, stateOf } from '../../../../src/control/certificates/certificate-status.ts';
import { ExpiryWatch } from '../../../../src/control/certificates/expiry-watch.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';

const DAY_MS = 86_400_000;

function status(from: string, notAfterMs: number | null, over: Partial<CertificateStatus> = {}): CertificateStatus {
  return {
    listener: 'web',
    from,
    renewal: 'by-others',
    notBefore: '2025-12-31T00:00:00.000Z',
    names: ['a.test'],
    issuer: 'CN=CA',
    notAfter: notAfterMs === null ? null : new Date(notAfterMs).toISOString(),
    state: 'ok',
    problem: null,
    ocsp: null,
    ...over,
  };
}

function start(certificates: CertificateStatus[], clock = new ManualClock()) {
  const lines: string[] = [];
  const line = (level: string) => (fields: object) => {
    const { certificate, daysLeft = 0, reason } = fields as { certificate: string; daysLeft?: number; reason: string };
    lines.push(`${level} ${certificate} ${reason} ${daysLeft}`);
  };
  const log = { info: line('info'), warn: line('warn'), error: line('error') };
  const watch = new ExpiryWatch({ certificates: () => certificates, clock, log });
  watch.start();
  return { clock, lines, watch };
}

test('a certificate is warned of when 30, 7 and 1 days are left and when it has expired, once each, in a process that runs on', () => {
  const clock = new ManualClock();
  const { lines } = start([status('a.pem', clock.now() + 40 * DAY_MS)], clock);
  const seen: [number, string[]][] = [];
  for (let day = 1; day <= 45; day += 1) {
    clock.advance(DAY_MS);
    if (lines.length > 0) seen.push([day, lines.splice(0)]);
  }
  expect(seen).toEqual([
    [10, ['warn a.pem certificate-expiring 30']],
    [33, ['warn a.pem certificate-expiring 7']],
    [39, ['warn a.pem certificate-expiring 1']],
    [40, ['error a.pem certificate-expired 0']],
  ]);
});

test('one that is near its end at the start is warned of once, by the last threshold', () => {
  const clock = new ManualClock();
  const { lines, watch } = start([status('a.pem', clock.now() + 5 * DAY_MS), status('b.pem', null)], clock);
  watch.look();
  expect(lines).toEqual(['warn a.pem certificate-expiring 5']);
});

test('a renewed certificate is a new one', () => {
  const clock = new ManualClock();
  const certificates = [status('a.pem', clock.now() + DAY_MS)];
  const { lines, watch } = start(certificates, clock);
  certificates[0] = status('a.pem', clock.now() + 90 * DAY_MS);
  watch.look();
  certificates[0] = status('a.pem', clock.now() + 20 * DAY_MS);
  watch.look();
  expect(lines).toEqual(['warn a.pem certificate-expiring 1', 'warn a.pem certificate-expiring 20']);
});

test.each([
  [90, [7, 1, 0]],
  [47, [7, 1, 0]],
  [6, [1, 0]],
])('one of %s days that renews itself is warned of only when that should have happened long ago', (days, expected) => {
  const clock = new ManualClock();
  const notBefore = new Date(clock.now()).toISOString();
  const { lines } = start([status('acme', clock.now() + days * DAY_MS, { renewal: 'automatic', notBefore })], clock);
  clock.advance((days + 1) * DAY_MS);
  expect(lines.map((line) => Number(line.split(' ').at(-1)))).toEqual(expected);
});

test('nothing is left of a watch that was stopped', () => {
  const { clock, watch } = start([]);
  expect(clock.pending).toBe(1);
  watch.stop();
  expect(clock.pending).toBe(0);
});

test.each([
  [31, 'ok'],
  [30, 'expiring'],
  [0.001, 'expiring'],
  [0, 'expired'],
  [-1, 'expired'],
])('with %s days left a certificate is %s', (days, state) => {
  expect(stateOf(days * DAY_MS, 0)).toBe(state);
});
