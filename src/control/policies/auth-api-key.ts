import { parseApiKeysFile } from '../../config/api-keys-file.ts';
import type { Diagnostic } from '../../config/config-error.ts';
import type { ApiKeyAuthConfig, ApiKeyConfig } from '../../config/schema/policy/auth-api-key.ts';
import { apiKeyAuthenticator } from '../../policy/auth/api-key.ts';
import { type ApiKey, type ApiKeyTable, apiKeyTable } from '../../policy/auth/api-key-table.ts';
import type { Authenticator } from '../../policy/auth/authenticator.ts';
import { fieldRefusal } from '../../policy/field.ts';
import type { PolicyContext } from './policy-kind.ts';

/** `auth.apiKey`. */
export function apiKeyWay(config: ApiKeyAuthConfig, context: PolicyContext): Authenticator | null {
  const { header, scheme = null, query = null, realm, forwardCredentials } = config;
  const refusal = fieldRefusal(header, 'request');
  if (refusal !== null) {
    context.complain(['header'], { message: refusal });
    return null;
  }
  const keys = config.file === undefined ? inlineKeys(config.keys ?? [], context) : keysOf(config.file, context);
  if (keys === null) return null;
  const { clock } = context.world;
  return apiKeyAuthenticator({ realm, keys, header, scheme, query, forwardCredentials, now: () => clock.now() });
}

function keysOf(file: string, context: PolicyContext): (() => ApiKeyTable) | null {
  const kept = context.file(file, ['file'], (content) => {
    const parsed = parseApiKeysFile(file, content.toString());
    if (!parsed.ok) {
      const [first] = parsed.diagnostics;
      throw new Error(first === undefined ? 'it is broken' : told(first));
    }
    return tableOf(parsed.keys, (index, message) => {
      throw new Error(`key ${index + 1}: ${message}`);
    });
  });
  return kept === null ? null : () => kept.current;
}

function told({ line, column, message, suggestion }: Diagnostic): string {
  return `${line}:${column}: ${message}${suggestion === null ? '' : ` (${suggestion})`}`;
}

function inlineKeys(list: readonly ApiKeyConfig[], context: PolicyContext): (() => ApiKeyTable) | null {
  let isSound = true;
  const table = tableOf(list, (index, message) => {
    isSound = false;
    context.complain(['keys', index], { message });
  });
  return isSound ? () => table : null;
}

function tableOf(list: readonly ApiKeyConfig[], complain: (index: number, message: string) => void): ApiKeyTable {
  const keys = new Map<string, ApiKey>();
  const names = new Set<string>();
  for (const [index, { name, key, expires, disabled, claims }] of list.entries()) {
    if (keys.has(key)) complain(index, `key “${name}” is the same as another one’s`);
    // Two keys of one owner have two names: which of them was used, the log shall tell.
    if (names.has(name)) complain(index, `key “${name}” stands in it twice`);
    names.add(name);
    keys.set(key, { name, expiresAt: expires ?? null, disabled, claims });
  }
  return apiKeyTable(keys);
}
