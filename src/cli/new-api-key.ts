import { createHash, randomBytes } from 'node:crypto';
import { stringifyKeys } from '../config/api-keys-file.ts';
import type { Io } from './command.ts';
import type { NewApiKeyOptions } from './commands/new-api-key.ts';
import { exitCodes } from './exit-codes.ts';

/** More than can be guessed, which is why a fast digest is enough for what is kept. */
const OCTETS = 32;

/** `headgate new-api-key`: a random key and its digest. */
export function newApiKey({ owner, json }: NewApiKeyOptions, { stdout, stderr }: Io): number {
  const key = `hg_${randomBytes(OCTETS).toString('base64url')}`;
  const digest = `sha256:${createHash('sha256').update(key).digest('hex')}`;
  if (json) stdout.write(`${JSON.stringify({ name: owner, key, digest })}\n`);
  else {
    stderr.write(`${key}\n`);
    stdout.write(stringifyKeys([{ name: owner, key: digest }]));
  }
  return exitCodes.ok;
}
