import './engine-rig.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { engineStages } from './stages/engine-stages.ts';
import { observeStages } from './stages/observe-stages.ts';
import { changeTable, compareStages, stageTable } from './stages/report.ts';
import { measureStages, type StageTime } from './stages/rounds.ts';
import { wireStages } from './stages/wire-stages.ts';

/**
 * Nanoseconds of CPU time of each stage of a request: `npm run bench:stages [-- --json FILE] [--compare FILE] [--only match,balance] [--rounds 15]`.
 * `--json` keeps the figures, `--compare` says what has changed since a run that did, so that a regression is seen where it happens.
 * No sockets: what the kernel and Node's streams take is not in it (`npm run bench`).
 */
const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    compare: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '15' },
  },
});

const wanted = values.only?.split(',') ?? null;
const stages = [...wireStages(), ...engineStages(), ...observeStages()].filter(
  ({ name }) => wanted === null || wanted.some((part) => name.includes(part)),
);
if (stages.length === 0) throw new Error(`No stage is called ${values.only}`);
const times = await measureStages(stages, { rounds: Number(values.rounds), sliceMs: 40, warmUpMs: 400 });
process.stdout.write(`${stageTable(times)}\n`);
if (values.compare !== undefined) {
  const before = JSON.parse(readFileSync(values.compare, 'utf8')) as StageTime[];
  process.stdout.write(`\n${changeTable(compareStages(before, times))}\n`);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(times, null, 2)}\n`);
