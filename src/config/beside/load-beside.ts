import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type LoadResult, loadConfig } from '../load.ts';
import { type Piece, PiecedConfig } from './pieces.ts';

/** What is to be loaded, as `loadConfig` takes it. */
export interface LoadOrder {
  readonly path: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Reading and checking 16 KiB of YAML, some hundred routes, takes about as long as anybody should be held up: 10 ms. */
const SMALL_BYTES = 16 * 1024;

/** The largest configuration that may be takes a third of it. */
const PATIENCE_MS = 60_000;

/**
 * `loadConfig` for who serves meanwhile: what is larger than `smallBytes` is loaded on a thread of its own and taken over in pieces,
 * one for each turn of the event loop. Rejects when the thread dies or takes more than a minute.
 */
export async function loadBeside(order: LoadOrder, { smallBytes = SMALL_BYTES } = {}): Promise<LoadResult> {
  if ((await sizeOf(order.path)) <= smallBytes) return loadConfig(order.path, order.environment);
  const worker = new Worker(threadFile(), { workerData: { ...order, environment: { ...order.environment } } });
  try {
    return await takeOver(worker);
  } finally {
    await worker.terminate();
  }
}

/** Asks for one piece after the other. */
function takeOver(worker: Worker): Promise<LoadResult> {
  const { promise, resolve, reject } = Promise.withResolvers<LoadResult>();
  const late = setTimeout(() => reject(new Error('Cannot load the configuration within a minute')), PATIENCE_MS);
  const config = new PiecedConfig();
  const next = (): void => worker.postMessage('next');
  worker.on('error', reject);
  worker.on('exit', (code) => reject(new Error(`Cannot load the configuration: its thread ended with ${code}`)));
  worker.on('message', (piece: Piece | null) => {
    if (piece === null) {
      resolve(config.whole());
      return;
    }
    config.add(piece);
    setImmediate(next);
  });
  next();
  return promise.finally(() => clearTimeout(late));
}

/** This module's neighbour, as TypeScript in a checkout and as JavaScript in the package. */
function threadFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);
}

/** Bytes of the YAML files at `path`; what can't be read counts nothing, and is complained of by who reads it. */
async function sizeOf(path: string): Promise<number> {
  try {
    const stats = await stat(path);
    if (!stats.isDirectory()) return stats.size;
    const names = (await readdir(path)).filter((name) => /\.ya?ml$/.test(name));
    const sizes = await Promise.all(names.map(async (name) => (await stat(join(path, name))).size));
    return sizes.reduce((sum, size) => sum + size, 0);
  } catch {
    // ENOENT, EACCES.
    return 0;
  }
}
