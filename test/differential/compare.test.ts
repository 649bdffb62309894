import { expect, test } from 'vitest';
import { compare } from './compare.ts';
import { neutral, type Observation, Sights } from './observation.ts';

const seen: Observation = {
  client: [{ round: 1, kind: 'data', text: 'HTTP/1.1 200 OK\r\n\r\n' }],
  origin: [[{ round: 1, kind: 'open', text: '' }]],
  records: [{ status: 200, bytesOut: 2 }],
  refusals: { 'bad-host': 1 },
};

test('two runs that saw the same are the same', () => {
  expect(compare(seen, structuredClone(seen))).toEqual([]);
});

test.each<[string, Partial<Observation>]>([
  ['client', { client: [{ round: 1, kind: 'data', text: 'HTTP/1.1 200 Ok\r\n\r\n' }] }],
  ['client', { client: [{ round: 2, kind: 'data', text: 'HTTP/1.1 200 OK\r\n\r\n' }] }],
  ['client', { client: [...seen.client, { round: 1, kind: 'fin', text: '' }] }],
  ['origin', { origin: [] }],
  ['origin', { origin: [...seen.origin, ...seen.origin] }],
  ['records', { records: [{ status: 200, bytesOut: 3 }] }],
  ['refusals', { refusals: {} }],
  ['refusals', { refusals: { 'bad-host': 2 } }],
])(
  'one byte, time, ending, connection, line or count that is not the same is a difference of the %s',
  (aspect, part) => {
    expect(compare(seen, { ...seen, ...part }).map((found) => found.aspect)).toEqual([aspect]);
  },
);

test('dates, ids and ports of a gateway are not compared, those of others are', () => {
  const of = (date: string, id: string, port: number) =>
    neutral(`HTTP/1.1 200 OK\r\nDate: ${date}\r\nX-Request-Id: ${id}\r\nX-Forwarded-Port: ${port}\r\n\r\n`, [port]);
  const first = of('Sat, 21 Nov 2026 21:00:00 GMT', '019ab7c0-0000-7abc-8def-000000000000', 40_001);
  expect(of('Sun, 22 Nov 2026 21:00:01 GMT', '019ab7c0-0000-7abc-9def-0123456789ab', 40_002)).toBe(first);
  expect(of('Sun, 06 Nov 1994 08:49:37 GMT', '019ab7c0-0000-7abc-8def-000000000000', 40_001)).not.toBe(first);
  expect(of('Sat, 21 Nov 2026 21:00:00 GMT', 'mine', 40_001)).not.toBe(first);
});

test('bytes of one round are one sight, those of two are two', () => {
  const sights = new Sights();
  sights.note(1, 'data', 'a');
  sights.note(1, 'data', 'b');
  sights.note(2, 'data', 'c');
  expect(sights.all.map(({ text }) => text)).toEqual(['ab', 'c']);
});
