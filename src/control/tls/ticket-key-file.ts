import { SECRET_BYTES } from './ticket-secrets.ts';

/** More keys than any rotation leaves behind; every ticket is compared with each. */
const MAX_KEYS = 16;

export type TicketKeyFile =
  | { readonly ok: true; readonly secrets: readonly Uint8Array[] }
  | { readonly ok: false; readonly message: string };

/**
 * Reads a file of ticket keys: one per line, 48 octets in base64 (`openssl rand -base64 48`), newest first; empty lines and
 * lines that begin with `#` say nothing. Nothing of a key is ever part of a message.
 */
export function parseTicketKeys(text: string): TicketKeyFile {
  const secrets: Uint8Array[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const secret = decoded(line);
    if (secret === null) return { ok: false, message: `line ${index + 1} is not ${SECRET_BYTES} octets in base64` };
    secrets.push(secret);
  }
  if (secrets.length === 0)
    return { ok: false, message: 'the file holds no key; make one with openssl rand -base64 48' };
  if (secrets.length > MAX_KEYS) return { ok: false, message: `the file holds more than ${MAX_KEYS} keys` };
  return { ok: true, secrets };
}

function decoded(line: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(line)) return null;
  const secret = Buffer.from(line, 'base64');
  return secret.byteLength === SECRET_BYTES ? secret : null;
}
