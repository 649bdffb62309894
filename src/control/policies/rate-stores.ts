import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { RateStore } from '../../policy/rate-limit/rate-store.ts';
import type { KeyPath } from '../complaints.ts';
import { readNamedFile } from '../named-file.ts';
import type { PolicyContext } from './policy-kind.ts';
import { SharedStore } from './redis/shared-store.ts';

/**
 * The store called `name`, one for all limits that name it; another one, with its own connection, for other settings. `refused` after a
 * complaint at `path`.
 */
export function rateStoreOf(name: string, path: KeyPath, context: PolicyContext): RateStore | 'refused' {
  const { stores } = context.config;
  const config = Object.hasOwn(stores, name) ? stores[name] : undefined;
  if (config === undefined) {
    const names = Object.keys(stores);
    const suggestion =
      names.length === 0 ? 'write it under “stores”, or mend it there' : `there are: ${names.join(', ')}`;
    context.complain(path, { code: 'HG0103', message: `store “${name}” does not exist`, suggestion });
    return 'refused';
  }
  if (!hasClient()) {
    const suggestion = 'npm install iovalkey';
    context.complain(path, { message: `store “${name}” needs the package iovalkey`, suggestion, outside: true });
    return 'refused';
  }
  const { redis } = config;
  if (redis.ca !== undefined) {
    try {
      readNamedFile(redis.ca);
    } catch (error) {
      const { code = 'it can’t be read' } = error as NodeJS.ErrnoException;
      context.complain(path, { code: 'HG0101', message: `cannot use ${redis.ca}: ${code}`, outside: true });
      return 'refused';
    }
  }
  const digest = createHash('sha256').update(JSON.stringify(redis)).digest('base64url').slice(0, 12);
  const id = `store ${name} ${digest}`;
  return context.state(id, () => new SharedStore(id, { name, redis, world: context.world }));
}

/** It is a peer that may be left out: only whoever has a store needs it. */
function hasClient(): boolean {
  try {
    createRequire(import.meta.url).resolve('iovalkey');
    return true;
  } catch {
    // MODULE_NOT_FOUND.
    return false;
  }
}
