import { type CacheDirectives, directivesFrom, parseCacheControl } from './cache-control.ts';
import { getCombined, type HeaderList } from './headers.ts';
import { type BareItem, type DictionaryMember, parseDictionary } from './structured-fields.ts';

/** The directives that a response has for this cache, and whether they came by a field of its own. */
export interface ResponseDirectives {
  readonly directives: CacheDirectives;
  /** Lower-case name of the targeted field they are from, beside which `Cache-Control` and `Expires` don't count; else `null`. */
  readonly target: string | null;
}

/**
 * Reads what a response says to a cache that listens to `targets`, lower-case field names in order of preference (RFC 9213 §2.2): the
 * first of these fields that is valid and not empty, else `Cache-Control`. A field with one syntax error counts as absent.
 */
export function responseDirectives(headers: HeaderList, targets: readonly string[]): ResponseDirectives {
  for (const target of targets) {
    const combined = getCombined(headers, target);
    const members = combined === null ? null : parseDictionary(combined);
    if (members === null || members.size === 0) continue;
    return { directives: directivesFrom(argumentsOf(members)), target };
  }
  return { directives: parseCacheControl(getCombined(headers, 'cache-control')), target: null };
}

const TIMES = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error']);

/** Directives that allow something. Of a type that is not theirs they allow nothing. */
const PERMISSIONS = new Set(['public', 'must-understand', 'immutable']);

/** No `delta-seconds`: what `Cache-Control` says of such an argument holds here too. */
const NO_NUMBER = '-';

/**
 * Members as directives (RFC 9213 §2.1). Of a wrong type, a time is no number, a permission is not given, and a restriction holds
 * all the same, unless it says that it does not (`?0`): what is not understood makes the cache more careful, never less.
 */
function* argumentsOf(members: ReadonlyMap<string, DictionaryMember>): Generator<readonly [string, string | null]> {
  for (const [name, member] of members) {
    if (TIMES.has(name)) {
      yield [name, 'type' in member && member.type === 'integer' ? String(member.value) : NO_NUMBER];
    } else if (name === 'no-cache' || name === 'private') {
      if (!isFalse(member)) yield [name, fieldNames(member)];
    } else if (PERMISSIONS.has(name) ? isTrue(member) : !isFalse(member)) {
      yield [name, null];
    }
  }
}

function isTrue(member: DictionaryMember): boolean {
  return 'type' in member && member.type === 'boolean' && member.value;
}

function isFalse(member: DictionaryMember): boolean {
  return 'type' in member && member.type === 'boolean' && !member.value;
}

/** `no-cache="a, b"`, `no-cache=a` or `no-cache=(a b)`; `null`, for the whole response, when it is something else. */
function fieldNames(member: DictionaryMember): string | null {
  const items: readonly BareItem[] = 'type' in member ? [member] : member;
  const names: string[] = [];
  for (const item of items) {
    if (item.type !== 'string' && item.type !== 'token') return null;
    names.push(item.value);
  }
  return names.length === 0 ? null : names.join(',');
}
