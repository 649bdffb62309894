import type { EffectiveLeaf, EffectiveNode } from './effective.ts';
import type { SourceNode } from './source-tree.ts';

/** What a value that must not be shown is shown as. */
export const SECRET = '(secret)';

/** Keys that name a secret wherever they are; `tokenFile` names a file, `forwardToken` says which one. */
const SECRET_KEY = /(?<!^forward)(token|secret|passphrase|password|hmac|credentials)$/i;
/** Maps from names that users choose to values: header fields, cookies, query parameters. */
const NAMED = /headers$|^(set|add|cookies|query)$/i;
/** Names of those that carry one. */
const SECRET_NAME =
  /^(set-)?cookie$|auth|token|secret|session|password|passwd|credential|api[-_]?key|access[-_]?key|signature|jwt|bearer/i;
/** In URLs. */
const USER_INFORMATION = /(?<=:\/\/)[^/?#\s"'@]*@/g;
const TEMPLATE_VARIABLE = /\{[^{}]*\}/;
/** What holds where a variable is not set. */
const FALLBACK = /(?<=\$\{[^}]*:-)[^}]*/g;

/**
 * The same without what must not be shown: keys, passphrases, tokens, user information in URLs, header fields, cookies and
 * parameters by which somebody proves who he is.
 */
export function withoutSecrets(node: EffectiveNode, path: readonly string[] = []): EffectiveNode {
  if (node.kind === 'leaf') return shownLeaf(node, isSecret(path));
  if (node.kind === 'list') return { kind: 'list', items: node.items.map((item) => withoutSecrets(item, path)) };
  const entries = [...node.entries].map(([key, value]) => [key, withoutSecrets(value, [...path, key])] as const);
  return { kind: 'map', entries: new Map(entries) };
}

function shownLeaf(leaf: EffectiveLeaf, isHidden: boolean): EffectiveLeaf {
  const { value, origin } = leaf;
  if (typeof value !== 'string') return leaf;
  const isExpression = origin.kind === 'written' && origin.from.length > 0;
  if (isHidden && !isExpression) return { ...leaf, value: SECRET };
  const shown = isHidden ? value.replaceAll(FALLBACK, SECRET) : value.replaceAll(USER_INFORMATION, `${SECRET}@`);
  return shown === value ? leaf : { ...leaf, value: shown };
}

function isSecret(path: readonly string[]): boolean {
  if (SECRET_KEY.test(path.at(-1) ?? '')) return true;
  // Every vendor of traces has a field of its own for who may send them.
  if (path.includes('otlp') && path.includes('headers')) return true;
  // Hashes of passwords, which can be guessed at wherever they are seen.
  if (path.at(-3) === 'basic' && path.at(-2) === 'users') return true;
  return path.some((key, index) => index > 0 && NAMED.test(path[index - 1] ?? '') && SECRET_NAME.test(key));
}

/** The secrets that stand in `node`, at `path`, as they are written; without what `${…}` takes from elsewhere. */
export function secretsIn(node: SourceNode, path: readonly string[]): readonly string[] {
  if (node.kind === 'list') return node.items.flatMap((item) => secretsIn(item, path));
  if (node.kind === 'map') return [...node.entries].flatMap(([key, { value }]) => secretsIn(value, [...path, key]));
  if (node.from !== 'file' || typeof node.value !== 'string' || !isSecret(path)) return [];
  // What a template inserts is another thing each time.
  return [node.value, ...node.value.split(TEMPLATE_VARIABLE)];
}
