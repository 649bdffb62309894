import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Config } from '../config/schema/config.ts';
import type { Complaints } from './complaints.ts';

/** The directory of the cache must be there, or one that it can be made in. Touches nothing. */
export function vetCacheDisk({ cache }: Config, complaints: Complaints): void {
  if (cache.disk === undefined) return;
  const message = problemOf(cache.disk.path);
  if (message !== null) complaints.add(['cache', 'disk', 'path'], { code: 'HG0101', message });
}

function problemOf(path: string): string | null {
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      if (!statSync(at).isDirectory()) return `cannot keep responses in “${path}”: “${at}” is no directory`;
      accessSync(at, constants.W_OK | constants.X_OK);
      return null;
    } catch (error) {
      const { code = 'unusable' } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' || at === dirname(at)) return `cannot keep responses in “${path}”: ${code} for “${at}”`;
    }
  }
}
