import { describe, expect, test } from 'vitest';
import { chartOf } from '../../../bench/chart.ts';
import type { Results } from '../../../bench/results.ts';
import { noResults, rowOf } from './results.ts';

const results: Results = {
  ...noResults,
  scenarios: {
    ...noResults.scenarios,
    proxied: [rowOf('headgate', 20), rowOf('nginx', 10), rowOf('a<b>&c', 40)],
    http2: [rowOf('headgate', 30)],
  },
};

describe('the chart', () => {
  const chart = chartOf(results);

  test('has a panel for each scenario that was measured, and none for the others', () => {
    const titles = [...chart.matchAll(/<text class="title"[^>]*>([^<]*)</g)].map((found) => found[1]);
    expect(titles).toEqual(['HTTP/1.1, 1 KiB, proxied', 'HTTPS (HTTP/2, 16 streams), 1 KiB, proxied']);
  });

  test('has a bar for each proxy, in the proportion of its CPU time, with the figure behind it', () => {
    const widths = [...chart.matchAll(/<rect class="(own|peer)"[^>]*? width="([\d.]+)"/g)].map((found) => [
      found[1],
      Number(found[2]),
    ]);
    const [own, nginx, third, alone] = widths as [string, number][];
    expect([own?.[0], nginx?.[0]]).toEqual(['own', 'peer']);
    expect((own?.[1] ?? 0) / (nginx?.[1] ?? 1)).toBeCloseTo(2, 1);
    expect(third?.[1]).toBe(alone?.[1]);
    expect(chart).toContain('>20.0</text>');
  });

  test('is one well-formed document, whatever proxies are called', () => {
    expect(chart).toContain('a&lt;b&gt;&amp;c');
    const open: string[] = [];
    for (const [tag, end, name, self] of chart.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (self === '/') continue;
      if (end === '') open.push(name as string);
      else expect(open.pop(), tag).toBe(name);
    }
    expect(open).toEqual([]);
  });

  test('asks for nothing from elsewhere, and has colours for light and dark', () => {
    expect(chart.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|href|@import|<script/);
    expect(chart).toContain('@media (prefers-color-scheme: dark)');
  });

  test('leaves out a proxy that has answered nothing', () => {
    const rows = [rowOf('headgate', 20), rowOf('nginx', Number.NaN), rowOf('caddy', Number.POSITIVE_INFINITY)];
    const drawn = chartOf({ ...noResults, scenarios: { ...noResults.scenarios, proxied: rows } });
    expect(drawn).not.toMatch(/NaN|Infinity|nginx|caddy/);
  });

  test('of a JSON file is the same: what is not finite is null there', () => {
    const rows = [rowOf('headgate', 20), rowOf('nginx', Number.NaN)];
    const before = { ...noResults, scenarios: { ...noResults.scenarios, proxied: rows } };
    expect(chartOf(JSON.parse(JSON.stringify(before)) as Results)).toBe(chartOf(before));
  });
});
