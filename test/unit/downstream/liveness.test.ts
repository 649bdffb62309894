import { expect, test } from 'vitest';
import { Liveness } from '../../../src/downstream/http2/liveness.ts';
import { StallWatch } from '../../../src/downstream/stall.ts';

test('a client that sends something every now and then is never asked', () => {
  const liveness = new Liveness();
  for (let s = 0; s < 600; s += 1) expect(liveness.pulse(s * 1000, Math.floor(s / 50))).toBe('fine');
});

test('a silent client is asked after 60 s and given up 15 s after the question has left', () => {
  const liveness = new Liveness();
  const pulses: string[] = [];
  for (let s = 0; s <= 80; s += 1) {
    pulses.push(liveness.pulse(s * 1000, 7));
    if (s === 62) liveness.asked();
  }
  expect(pulses.indexOf('ask')).toBe(60);
  expect(pulses.filter((pulse) => pulse === 'ask')).toHaveLength(1);
  expect(pulses.indexOf('dead')).toBe(77);
});

test('an answer starts the silence anew', () => {
  const liveness = new Liveness();
  liveness.pulse(0, 7);
  expect(liveness.pulse(60_000, 7)).toBe('ask');
  liveness.asked();
  expect(liveness.pulse(70_000, 24)).toBe('fine');
  expect(liveness.pulse(129_000, 24)).toBe('fine');
  expect(liveness.pulse(130_000, 24)).toBe('ask');
});

test('a question that has not left yet is not held against the client', () => {
  const liveness = new Liveness();
  liveness.pulse(0, 7);
  expect(liveness.pulse(60_000, 7)).toBe('ask');
  expect(liveness.pulse(600_000, 7)).toBe('fine');
});

test('a reader has stalled after a minute, and what its backlog takes at 4 KiB per second', () => {
  const watch = new StallWatch();
  expect(watch.isStalled(1, 10_000, 4096)).toBe(false);
  expect(watch.isStalled(60_000, 10_000, 4096)).toBe(false);
  expect(watch.isStalled(61_001, 10_000, 4096)).toBe(true);
});

test('any progress starts a reader’s time anew, and an empty backlog is no stall', () => {
  const watch = new StallWatch();
  watch.isStalled(1, 10_000, 4096);
  expect(watch.isStalled(100_000, 10_000, 4095)).toBe(false);
  expect(watch.isStalled(200_000, 10_001, 4095)).toBe(false);
  expect(watch.isStalled(300_000, 10_001, 0)).toBe(false);
  expect(watch.isStalled(900_000, 10_001, 0)).toBe(false);
});
