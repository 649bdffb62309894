import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { counts, runConformance, surprises } from './conformance.ts';
import { steppedPace } from './pace.ts';

const DOCUMENT = resolve(import.meta.dirname, '../../../docs/cache-conformance.md');

/** A second or two of work; the rest is for a busy machine. */
const TIMEOUT_MS = 90_000;

/** Turns of the event loop in which what the gateway does in the background reaches the origin and comes back. */
const TURNS = 100;

async function settled(): Promise<void> {
  for (let i = 0; i < TURNS; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

test(
  'the public HTTP cache suite finds what is expected of it, and nothing else',
  async () => {
    const results = await runConformance(steppedPace(settled));
    expect(surprises(results)).toEqual([]);
    expect(counts(results).map(({ all }) => all)).toEqual([160, 105, 100]);
    const row = counts(results).map(({ met, all }, i) => (i < 2 ? `**${met} of ${all}**` : `${met} of ${all}`));
    expect(await readFile(DOCUMENT, 'utf8')).toContain(`| ${row.join(' | ')} |`);
  },
  TIMEOUT_MS,
);
