import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Coding, codingPlan } from '../src/policy/compress/coding.ts';
import { ONE_GO_BYTES } from '../src/policy/compress/encoded-body.ts';

/**
 * What compression costs (docs/compression.md): time for 1 MiB of this project's source, the size that it comes to, memory of an encoder that has
 * seen all of it, and one small body on the spot and by an encoder of its own. `node --expose-gc bench/compression.ts`, or with a coding and a level, since memory is told rightly only
 * for the first one of a process.
 */
const LEVELS: Readonly<Record<Coding, readonly number[]>> = {
  zstd: [1, 3, 6, 9],
  br: [1, 3, 4, 5, 6],
  gzip: [1, 4, 6, 9],
};
const MIB = 1024 * 1024;
const ENCODERS = 50;

function sourceText(): Buffer {
  const root = join(import.meta.dirname, '../src');
  const files = (readdirSync(root, { recursive: true, encoding: 'utf8' }) as string[]).filter((file) =>
    /\.ts$/.test(file),
  );
  return Buffer.concat(files.sort().map((file) => readFileSync(join(root, file)))).subarray(0, MIB);
}

function bestMs(times: number, deed: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i += 1) {
    const begin = performance.now();
    deed();
    best = Math.min(best, performance.now() - begin);
  }
  return best;
}

async function memoryOf(coding: Coding, level: number, text: Buffer): Promise<number> {
  const plan = codingPlan(coding, level);
  const begun: ReturnType<typeof plan.create>[] = [];
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < ENCODERS; i += 1) {
    const encoder = plan.create();
    encoder.on('data', () => {});
    begun.push(encoder);
    await new Promise<void>((resolve) => encoder.write(text, () => resolve()));
  }
  globalThis.gc?.();
  const bytes = (process.memoryUsage().rss - before) / ENCODERS;
  for (const encoder of begun) encoder.destroy();
  return bytes;
}

async function smallMs(coding: Coding, level: number, body: Buffer): Promise<{ onTheSpot: number; apart: number }> {
  const plan = codingPlan(coding, level);
  const onTheSpot = bestMs(200, () => plan.encode(body));
  let apart = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 200; i += 1) {
    const begin = performance.now();
    await new Promise<void>((resolve) => {
      const encoder = plan.create();
      encoder.on('data', () => {});
      encoder.on('end', () => resolve());
      encoder.end(body);
    });
    apart = Math.min(apart, performance.now() - begin);
  }
  return { onTheSpot, apart };
}

const text = sourceText();
const [only, onlyLevel] = process.argv.slice(2);
for (const coding of Object.keys(LEVELS) as Coding[]) {
  for (const level of LEVELS[coding]) {
    if (only !== undefined && (only !== coding || Number(onlyLevel) !== level)) continue;
    const plan = codingPlan(coding, level);
    const ms = bestMs(8, () => plan.encode(text));
    const share = (plan.encode(text).length / text.length) * 100;
    const bytes = await memoryOf(coding, level, text);
    const small = await smallMs(coding, level, text.subarray(0, ONE_GO_BYTES));
    console.log(
      `${coding} ${level}: ${ms.toFixed(1)} ms/MiB, ${share.toFixed(1)} %, ${(bytes / MIB).toFixed(1)} MiB an encoder; ` +
        `16 KiB: ${small.onTheSpot.toFixed(3)} ms on the spot, ${small.apart.toFixed(3)} ms by an encoder of its own`,
    );
  }
}
