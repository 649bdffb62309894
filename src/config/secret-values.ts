import type { EffectiveNode } from './effective.ts';

/** What a value that must not be shown is shown as. */
export const SECRET = '(secret)';

/** Keys that name a secret wherever they are; `tokenFile` names a file. */
const SECRET_KEY = /(token|secret|passphrase|password|hmac|credentials)$/i;
/** Header fields that carry one. */
const SECRET_FIELD = /authorization|cookie|token|secret|api-?key/i;

/** The same without what must not be shown: keys, passphrases, tokens, header fields that authenticate. */
export function withoutSecrets(node: EffectiveNode, path: readonly string[] = []): EffectiveNode {
  if (node.kind === 'leaf') {
    const isExpression = node.origin.kind === 'written' && node.origin.from.length > 0;
    return isExpression || typeof node.value !== 'string' || !isSecret(path) ? node : { ...node, value: SECRET };
  }
  if (node.kind === 'list') return { kind: 'list', items: node.items.map((item) => withoutSecrets(item, path)) };
  const entries = [...node.entries].map(([key, value]) => [key, withoutSecrets(value, [...path, key])] as const);
  return { kind: 'map', entries: new Map(entries) };
}

function isSecret(path: readonly string[]): boolean {
  const key = path.at(-1) ?? '';
  if (SECRET_KEY.test(key)) return true;
  // Every vendor of traces has a field of its own for who may send them.
  if (path.includes('otlp') && path.includes('headers')) return true;
  return path.slice(0, -1).some((part) => /headers$/i.test(part)) && SECRET_FIELD.test(key);
}
