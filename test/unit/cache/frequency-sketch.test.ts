import { describe, expect, test } from 'vitest';
import { FrequencySketch } from '../../../src/cache/frequency-sketch.ts';
import { hashKey } from '../../../src/cache/key-index.ts';

function noted(sketch: FrequencySketch, name: string, times: number): number {
  const hash = hashKey(name, 1);
  for (let i = 0; i < times; i += 1) sketch.note(hash);
  return sketch.frequency(hash);
}

describe('the frequency sketch', () => {
  test('what was never noted has frequency 0, what was noted has at least as much as it was noted, up to 15', () => {
    const sketch = new FrequencySketch(1000);
    sketch.population = 1000;
    expect(sketch.frequency(hashKey('never', 1))).toBe(0);
    for (const times of [1, 2, 7, 15]) expect(noted(sketch, `name ${times}`, times)).toBe(times);
    expect(noted(sketch, 'often', 40)).toBe(15);
  });

  test('of ten thousand names that were noted once, few are taken for more', () => {
    const sketch = new FrequencySketch(10_000);
    sketch.population = 10_000;
    for (let i = 0; i < 10_000; i += 1) noted(sketch, `https://shop.test/products/${i}`, 1);
    let wrong = 0;
    for (let i = 0; i < 10_000; i += 1) {
      const frequency = sketch.frequency(hashKey(`https://shop.test/products/${i}`, 1));
      expect(frequency).toBeGreaterThanOrEqual(1);
      if (frequency > 1) wrong += 1;
    }
    expect(wrong).toBeLessThan(300);
  });

  test('frequencies are halved after ten notes for each entry', () => {
    const sketch = new FrequencySketch(1000);
    sketch.population = 100;
    expect(noted(sketch, 'then', 12)).toBe(12);
    for (let i = 0; i < 988; i += 1) noted(sketch, `name ${i}`, 1);
    expect(sketch.frequency(hashKey('then', 1))).toBe(6);
  });
});
