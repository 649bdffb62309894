import { type Diagnostic, diagnosticAt } from './config-error.ts';
import type { MapEntry } from './source-tree.ts';

/** What the cookie of our own is like. */
const COOKIE_KEYS = ['cookie', 'secret', 'path', 'domain', 'secure', 'httpOnly', 'sameSite', 'maxAge'];
const TABLE_KEYS = ['sessions', 'idle'];

/** Keys of a pool's `affinity` that say nothing beside the others. Works on the files as they are, like `checkListenerKeys`. */
export function checkAffinityKeys({ value }: MapEntry): Diagnostic[] {
  const affinity = value.kind === 'map' ? value.entries.get('affinity')?.value : undefined;
  if (affinity?.kind !== 'map') return [];
  const { entries } = affinity;
  const learned = ['learn', 'header'].filter((key) => entries.has(key));
  const [by, another] = learned;
  if (another !== undefined) {
    const message = 'a session is known by one thing: “learn” and “header” exclude each other';
    return complaints(entries, [another], { message, suggestion: 'keep one of them' });
  }
  if (by === undefined) {
    const message = 'it is about sessions that are remembered, and our cookie needs no memory';
    return complaints(entries, TABLE_KEYS, { message, suggestion: 'remove it, or add “learn” or “header”' });
  }
  const message = `it is about a cookie of our own, and with “${by}” there is none`;
  return complaints(entries, COOKIE_KEYS, { message, suggestion: `remove it, or “${by}”` });
}

function complaints(
  entries: ReadonlyMap<string, MapEntry>,
  keys: readonly string[],
  complaint: { readonly message: string; readonly suggestion: string },
): Diagnostic[] {
  return keys.flatMap((key) => {
    const found = entries.get(key);
    if (found === undefined) return [];
    const message = `“${key}” can’t stand here: ${complaint.message}`;
    return [diagnosticAt(found.key, { code: 'HG0106', message, suggestion: complaint.suggestion })];
  });
}
