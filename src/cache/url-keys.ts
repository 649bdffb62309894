import { canonicalizeTarget, type PathPolicy } from '../http/target.ts';
import { uriKey } from './key.ts';
import type { KeyRules, KeyTarget } from './key-rules.ts';

/** Every way in which listeners may be told to read the doubtful parts of a path. */
const policies: readonly PathPolicy[] = (['merge', 'keep'] as const).flatMap((duplicateSlashes) =>
  (['keep', 'decode'] as const).flatMap((encodedSlash) =>
    (['keep', 'slash'] as const).map((backslash) => ({
      ...{ dotSegments: 'resolve' as const, duplicateSlashes, encodedSlash, backslash },
    })),
  ),
);

/**
 * The primary keys that what is stored for a URL may have, by the rules of all routes; `null` for what is no URL of http or https. What no
 * request can have as it is (blanks, letters beyond ASCII) is taken as browsers send it.
 */
export function keysOfUrl(text: string, rules: KeyRules): readonly string[] | null {
  const targets = targetsOf(text);
  return targets.length === 0 ? null : [...new Set(targets.flatMap((target) => rules.keysOf(target)))];
}

/** What the keys of everything below a URL begin with; `null` for what is no URL. */
export function prefixOfUrl(text: string): string | null {
  const [target] = targetsOf(text);
  return target === undefined ? null : uriKey(target.scheme, target.host, target.path, target.query);
}

function targetsOf(text: string): readonly KeyTarget[] {
  const targets: KeyTarget[] = [];
  for (const sent of [sentAs(text), sentAs(URL.parse(text)?.href ?? '')]) {
    if (sent === null) continue;
    const { scheme, host } = sent;
    for (const policy of policies) {
      const accepted = canonicalizeTarget(sent.target, policy);
      if (accepted.ok) targets.push({ scheme, host, path: accepted.path, query: accepted.query });
    }
  }
  return targets;
}

/** A host as it stands in keys, with its port where one is given; `null` for what is none. The default ports are those of no port. */
export function hostInKeys(text: string): string | null {
  const url = /^[^\s/?#@\\]+$/.test(text) ? URL.parse(`http://${text}`) : null;
  if (url === null || url.hostname === '') return null;
  return url.port === '443' ? url.hostname : url.host;
}

interface Sent {
  readonly scheme: string;
  readonly host: string;
  /** In origin form. */
  readonly target: string;
}

function sentAs(text: string): Sent | null {
  const [, scheme, authority, rest = ''] = /^(https?):\/\/([^/?#\s@\\]+)((?:[/?][^#]*)?)(?:#|$)/i.exec(text) ?? [];
  if (scheme === undefined || authority === undefined) return null;
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  return { scheme: scheme.toLowerCase(), host: authority.toLowerCase(), target };
}
