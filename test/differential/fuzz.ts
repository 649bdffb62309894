import { parseArgs } from 'node:util';
import { stopTest } from '../kit/stop.ts';
import { examine, type Report, told } from './campaign.ts';
import { type Case, literal } from './case.ts';
import { SPLIT_REQUESTS, SPLIT_RESPONSES } from './corpus.ts';
import { splitRequests, splitResponses } from './every-split.ts';
import { generate, type Side } from './generate.ts';
import { Bench } from './run.ts';
import type { Variant } from './stage.ts';

/** Cases after which gateways are replaced by new ones; the old ones are examined for bugs and leaks. */
const GENERATION = 8_000;
const SLOTS = 32;

const VARIANTS: Readonly<Record<string, Variant>> = {
  lane: { name: 'lane', fastLane: true, http1: 'undici' },
  lean: { name: 'lean', fastLane: false, http1: 'lean' },
  both: { name: 'both', fastLane: true, http1: 'lean' },
  'lane-tls': { name: 'lane-tls', fastLane: true, http1: 'undici', tls: true },
  'same-tls': { name: 'same-tls', fastLane: false, http1: 'undici', tls: true },
  same: { name: 'same', fastLane: false, http1: 'undici' },
};

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    /** Of each side. */
    cases: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 1000)) },
    first: { type: 'string', default: '0' },
    side: { type: 'string', default: 'client,endpoint' },
    variants: { type: 'string', default: 'lane,lean,both' },
    /** Stop after so many differences. */
    most: { type: 'string', default: '10' },
    pairs: { type: 'boolean', default: false },
  },
});

const seed = Number(values.seed);
const most = Number(values.most);
const limit = Number(values.cases);
const sides = values.side.split(',') as Side[];
const variants = values.variants.split(',').map((name) => {
  const variant = VARIANTS[name];
  if (variant !== undefined) return variant;
  throw new Error(`Cannot find variant "${name}": there are ${Object.keys(VARIANTS).join(', ')}`);
});
const began = performance.now();
const until = began + Number(values.seconds) * 1000;
let running: readonly Case[] = [];
let ran = 0;
let found = 0;
let passing = 0;

process.on('uncaughtException', (error) => {
  process.stdout.write(`The process would have crashed: ${error.stack}\nwhile one of these ran:\n`);
  for (const one of running) process.stdout.write(`${literal(one)}\n`);
  process.exit(2);
});

const source = values.pairs ? everyPair() : generated();
let over = false;
while (!over) over = await generation();
const seconds = (performance.now() - began) / 1000;
const rate = (ran / seconds).toFixed(0);
const names = variants.map(({ name }) => name).join(', ');
process.stdout.write(
  `${ran} cases (${names}) in ${seconds.toFixed(0)} s, ${rate} a second, seed ${seed}: ${found} differences, and ${passing} that did not come back\n`,
);
process.exitCode = found === 0 ? 0 : 1;

/** Runs cases on new gateways, and examines these. True: that was the last. */
async function generation(): Promise<boolean> {
  const bench = await Bench.start(variants, SLOTS);
  let last = false;
  for (const end = ran + GENERATION; ran < end && !last; ) {
    const { value: batch } = source.next();
    if (batch === undefined) last = true;
    else await take(bench, batch);
    if (performance.now() >= until || found >= most) last = true;
  }
  for (const line of await bench.uncommonCounts()) {
    process.stdout.write(`Counts differ: ${line}\n`);
    found += 1;
  }
  await stopTest();
  return last;
}

async function take(bench: Bench, { cases, label }: Batch): Promise<void> {
  running = cases;
  const reports: Report[] = await examine(bench, cases, label);
  // Of the harness or of the gateway: somebody has to look.
  for (const { index, variant, differences } of bench.takePassing()) {
    passing += 1;
    const texts = differences.map(({ aspect, text }) => `  ${aspect}:\n    ${text}\n`).join('');
    process.stdout.write(`Did not come back: ${label(index)}, ${variant.name}\n${literal(cases[index])}\n${texts}\n`);
  }
  for (const report of reports) process.stdout.write(`${await told(bench, report)}\n\n`);
  found += reports.length;
  ran += cases.length;
}

interface Batch {
  readonly cases: readonly Case[];
  /** How to run a case of it again, by its place. */
  readonly label: (index: number) => string;
}

function* generated(): Generator<Batch, undefined> {
  const first = Number(values.first);
  for (let at = 0; at < limit; at += SLOTS) {
    for (const side of sides) {
      const cases = Array.from({ length: Math.min(SLOTS, limit - at) }, (_, i) => generate(side, seed, first + at + i));
      yield { cases, label: (index) => `--side ${side} --seed ${seed} --first ${first + at + index} --cases 1` };
    }
  }
}

function* everyPair(): Generator<Batch, undefined> {
  const requests = sides.includes('client') ? SPLIT_REQUESTS.flatMap((text) => splitRequests(text, 2)) : [];
  const responses = sides.includes('endpoint') ? SPLIT_RESPONSES.flatMap((text) => splitResponses(text, 2)) : [];
  const cases = [...requests, ...responses];
  for (let at = 0; at < cases.length; at += SLOTS) {
    yield { cases: cases.slice(at, at + SLOTS), label: (index) => `--pairs, number ${at + index}` };
  }
}
