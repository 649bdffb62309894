import { describe, expect, test } from 'vitest';
import type { Results } from '../../../bench/results.ts';
import { type Verdict, verdictsOn, verdictTable } from '../../../bench/verdicts.ts';
import { crowdOf, halfOf, idleOf, noResults, rowOf, workersOf } from './results.ts';

function verdictOf(target: string, results: Partial<Results>): Verdict {
  const found = verdictsOn({ ...noResults, ...results }).find((verdict) => verdict.target === target);
  if (found === undefined) throw new Error(`There is no target ${target}`);
  return found;
}

function proxied(headgate: number, nginx: number): Partial<Results> {
  return { scenarios: { ...noResults.scenarios, proxied: [rowOf('headgate', headgate), rowOf('nginx', nginx)] } };
}

describe('what became of the targets', () => {
  test('is not known of a run that has measured nothing', () => {
    for (const { measured, met } of verdictsOn(noResults)) expect([measured, met]).toEqual([null, null]);
  });

  test('a ratio of CPU time is met at the target and below it, and not above it', () => {
    const target = 'proxied 1 KiB: CPU ÷ nginx';
    expect(verdictOf(target, proxied(19, 10))).toMatchObject({ measured: 1.9, met: true });
    expect(verdictOf(target, proxied(15, 10))).toMatchObject({ measured: 1.5, met: true });
    expect(verdictOf(target, proxied(20, 10))).toMatchObject({ measured: 2, met: false });
  });

  test('a ratio to a peer that was left out, or that answered nothing, is not known', () => {
    const target = 'proxied 1 KiB: CPU ÷ nginx';
    const { scenarios } = noResults;
    const alone = { scenarios: { ...scenarios, proxied: [rowOf('headgate', 19)] } };
    expect(verdictOf(target, alone).met).toBeNull();
    expect(verdictOf(target, proxied(19, Number.NaN)).met).toBeNull();
  });

  test('each scenario is compared with the peer that its target names', () => {
    const { scenarios } = noResults;
    const cached = { scenarios: { ...scenarios, cached: [rowOf('headgate', 9), rowOf('varnish', 18)] } };
    expect(verdictOf('cache hit: CPU ÷ Varnish', cached)).toMatchObject({ measured: 0.5, met: true });
    expect(verdictOf('cache hit: CPU ÷ nginx', cached).met).toBeNull();
    const http2 = { scenarios: { ...scenarios, http2: [rowOf('headgate', 50), rowOf('caddy', 100)] } };
    expect(verdictOf('proxied 1 KiB over HTTP/2: CPU ÷ Caddy', http2)).toMatchObject({ measured: 0.5, met: false });
  });

  test('a tail is not judged where the load generator itself was late, or waited for its core most of the time', () => {
    const target = 'p99 at half load ÷ nginx';
    expect(verdictOf(target, { half: [halfOf('headgate', 3), halfOf('nginx', 2)] })).toMatchObject({ met: true });
    expect(verdictOf(target, { half: [halfOf('headgate', 5), halfOf('nginx', 2)] })).toMatchObject({ met: false });
    expect(verdictOf(target, { half: [halfOf('headgate', 3), halfOf('nginx', 2, 1.5)] }).met).toBeNull();
    expect(verdictOf(target, { half: [halfOf('headgate', 3), halfOf('nginx', 900, 10, 0.8)] }).met).toBeNull();
  });

  test('idle connections are judged by kind, and only our own', () => {
    const idle = [idleOf('nginx', 'plain', 1), idleOf('headgate', 'plain', 12.5), idleOf('headgate', 'tls', 29)];
    expect(verdictOf('KiB of an idle connection', { idle })).toMatchObject({ measured: 12.5, met: false });
    expect(verdictOf('KiB of an idle TLS connection', { idle })).toMatchObject({ measured: 29, met: true });
  });

  test('a second worker is judged where there are cores for it, by what both answer together', () => {
    const target = 'two workers: requests/s ÷ one';
    expect(verdictOf(target, { workers: [workersOf(1, 10_000), workersOf(2, 18_500)] }).met).toBe(true);
    expect(verdictOf(target, { workers: [workersOf(1, 10_000), workersOf(2, 17_000)] }).met).toBe(false);
    expect(verdictOf(target, { workers: [workersOf(1, 10_000, false), workersOf(2, 9_000, false)] }).met).toBeNull();
  });

  test('one error of any kind in a crowd is one too many', () => {
    const target = '10 000 connections, 10 % active: errors';
    expect(verdictOf(target, { crowd: [crowdOf('headgate', {}), crowdOf('nginx', { closed: 3 })] }).met).toBe(true);
    expect(verdictOf(target, { crowd: [crowdOf('headgate', { 'closed idle': 1 })] })).toMatchObject({
      measured: 1,
      met: false,
    });
  });

  test('are a table with a line for each', () => {
    const table = verdictTable(verdictsOn({ ...noResults, ...proxied(19, 10) }));
    expect(table).toContain('| proxied 1 KiB: CPU ÷ nginx | at most 1.9 | 1.90 | met |');
    expect(table).toContain('| two workers: requests/s ÷ one | at least 1.8 | – | not measured |');
  });
});
