import { afterAll, beforeAll, describe } from 'vitest';
import { speakBy } from '../../kit/attempt.ts';

const FILES = [
  'connections',
  'dialling',
  'early-head',
  'keep-alive',
  'proxied-connections',
  'requests',
  'responses',
  'upgrade',
  'warm-up',
];

// What holds for our own HTTP/1.1 holds for undici, which does what the other can't, and is its reference.
describe('by undici', async () => {
  beforeAll(() => speakBy('undici'));
  afterAll(() => speakBy('lean'));
  // With a query it is a module of its own: the same process may run the file as itself.
  for (const file of FILES) await import(`./${file}.test.ts?undici`);
});
