import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chartOf } from './chart.ts';
import type { Results } from './results.ts';

// Draws docs/benchmarks.svg from what `npm run bench -- --json FILE` has kept: `npm run bench:chart FILE [INTO]`.

const [file, into = join(import.meta.dirname, '../docs/benchmarks.svg')] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('Give the file that npm run bench -- --json FILE has written\n');
  process.exit(64);
}
writeFileSync(into, chartOf(JSON.parse(readFileSync(file, 'utf8')) as Results));
process.stderr.write(`${into}\n`);
