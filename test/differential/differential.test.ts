import { expect, test } from 'vitest';
import { campaign, told } from './campaign.ts';
import { type Case, literal } from './case.ts';
import { CORPUS, SPLIT_REQUESTS, SPLIT_RESPONSES } from './corpus.ts';
import { splitRequests, splitResponses } from './every-split.ts';
import { generate, type Side } from './generate.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';
import { Bench } from './run.ts';
import type { Variant } from './stage.ts';

const SLOTS = 24;
const SEED = 8;
const LANE: Variant = { name: 'lane', fastLane: true, http1: 'undici' };
const LEAN: Variant = { name: 'lean', fastLane: false, http1: 'lean' };
const BOTH: Variant = { name: 'both', fastLane: true, http1: 'lean' };

test('whatever bytes a client sends, the fast lane and Fastify alone make the same of them', async () => {
  const bench = await Bench.start([LANE], SLOTS);
  expect(await differences(bench, generated('client', 192))).toEqual([]);
  const splits = SPLIT_REQUESTS.flatMap((text) => splitRequests(text, 1));
  expect(await differences(bench, splits)).toEqual([]);
});

test('whatever bytes an endpoint sends, the lean transport and undici make the same of them, behind the fast lane too', async () => {
  const bench = await Bench.start([BOTH], SLOTS);
  expect(await differences(bench, generated('endpoint', 96))).toEqual([]);
  const splits = SPLIT_RESPONSES.flatMap((text) => splitResponses(text, 1));
  expect(await differences(bench, splits)).toEqual([]);
});

test('what once was a difference is none any more, and no metric tells the variants apart', async () => {
  const bench = await Bench.start([LANE, LEAN, BOTH], SLOTS);
  expect(await differences(bench, Object.values(CORPUS))).toEqual([]);
  expect(await bench.uncommonCounts()).toEqual([]);
});

test.each(KNOWN_DIFFERENCES.map((known) => [known.what, known] as const))('meant to differ: %s', async (_, known) => {
  const bench = await Bench.start([known.variant === 'lane' ? LANE : LEAN], 1);
  for (const example of known.examples) {
    const findings = await bench.differences([example]);
    expect(findings.map(({ reference, other }) => known.explains(reference, other, example))).toEqual([true]);
  }
});

test('a variant that is wrong in one thing is found out, with a case that shows nothing else', async () => {
  const wrong: Variant = { name: 'wrong', fastLane: false, http1: 'undici', listener: { underscores: 'keep' } };
  const bench = await Bench.start([wrong], SLOTS);
  const [report] = await campaign(bench, generated('client', 400), 1);
  expect(report?.finding.differences.map(({ aspect }) => aspect)).toContain('records');
  expect(literal(report?.smallest)).toContain('_');
  expect(literal(report?.smallest).length).toBeLessThan(150);
});

function generated(side: Side, count: number): Case[] {
  return Array.from({ length: count }, (_, index) => generate(side, SEED, index));
}

async function differences(bench: Bench, cases: readonly Case[]): Promise<string[]> {
  const texts: string[] = [];
  for (const report of await campaign(bench, cases)) texts.push(await told(bench, report));
  return texts;
}
