import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What a configuration is read from, at one moment. */
export interface Fingerprint {
  /** Another one whenever a file has another content, is there or can be read no longer, or has another name. */
  readonly digest: string;
  /** The files, those that `${file:…}` names included, whether they are there or not. */
  readonly files: readonly string[];
  /** There is a configuration file, and none of them says anything: what a file looks like while it is being written. */
  readonly blank: boolean;
}

const INCLUDES = /\$\{file:([^}]+)\}/g;
/** No file of a configuration may be larger (`loadConfig`). */
const MOST_BYTES = 8 * 1024 ** 2;

/** Looks at everything that `loadConfig(path)` would read, one file after the other. Never rejects: what can't be read is part of what it is. */
export async function fingerprintOf(path: string): Promise<Fingerprint> {
  const hash = createHash('sha256');
  const files = await filesAt(path);
  const included = new Set<string>();
  let blank = files.length > 0;
  for (const file of files) {
    const content = await contentOf(file);
    hash.update(JSON.stringify([file, typeof content === 'string' ? content : content.length]));
    if (typeof content === 'string') {
      blank = false;
      continue;
    }
    hash.update(content);
    const text = content.toString('utf8');
    blank &&= text.trim() === '';
    for (const [, name] of text.matchAll(INCLUDES)) if (name !== undefined) included.add(name);
  }
  for (const file of included) {
    const content = await contentOf(file);
    hash.update(JSON.stringify([file, typeof content === 'string' ? content : content.length]));
    if (typeof content !== 'string') hash.update(content);
  }
  return { digest: hash.digest('base64'), files: [...files, ...included], blank };
}

/** As `loadConfig` finds them. */
async function filesAt(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path);
    return names
      .filter(isRead)
      .map((name) => join(path, name))
      .sort();
  } catch {
    // ENOENT, EACCES: the one file that is not there.
    return [path];
  }
}

/** A file of a configuration directory that is part of the configuration, by its name. */
export function isRead(name: string): boolean {
  return /\.ya?ml$/.test(name) && !/^\.|\.test\.ya?ml$/.test(name);
}

/** What it holds, or why that can't be told. */
async function contentOf(file: string): Promise<Buffer | string> {
  try {
    const stats = await stat(file);
    // A FIFO would be waited for.
    if (!stats.isFile() || stats.size > MOST_BYTES) return `${stats.mode} ${stats.size}`;
    return await readFile(file);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
}
