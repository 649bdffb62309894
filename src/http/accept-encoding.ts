import { sliceTrimmed } from './octets.ts';

/** What `Accept-Encoding` says of one coding, or of `*`. */
interface Preference {
  readonly coding: string;
  /** 0 to 1; 0: not acceptable. */
  readonly q: number;
}

/** RFC 9110 §8.4.1.1, §8.4.1.3: recipients should take these for the same. */
const ALIASES: Readonly<Record<string, string>> = { 'x-gzip': 'gzip', 'x-compress': 'compress' };

/**
 * The first of `offered` (lower case) that an `Accept-Encoding` of this combined value accepts (RFC 9110 §12.5.3), whatever its weight
 * above 0: the order is the server's. `identity` when there is none, or nothing that can be read. A request without the field would
 * take any coding by the letter; those who send none are simple clients, so that they get `identity` too.
 */
export function firstAccepted(offered: readonly string[], value: string | null): string {
  const preferences = value === null ? null : parse(value);
  if (preferences === null) return 'identity';
  for (let i = 0; i < offered.length; i += 1) {
    if (weightOf(preferences, offered[i] as string) > 0) return offered[i] as string;
  }
  return 'identity';
}

/**
 * The one of `offered` (lower case) that an `Accept-Encoding` of this combined value likes best (RFC 9110 §12.5.3): by weight, then in the
 * order of `offered`. `identity` where it is liked better than all of them, where none is accepted, and as with `firstAccepted` for who sends
 * no such field or none that can be read. Not encoding is liked least by who does not name it: whoever names a coding wants that.
 */
export function bestAccepted(offered: readonly string[], value: string | null): string {
  const preferences = value === null ? null : parse(value);
  if (preferences === null) return 'identity';
  let best = 'identity';
  let bestWeight = preferences.find(({ coding }) => coding === 'identity')?.q ?? 0;
  for (let i = 0; i < offered.length; i += 1) {
    const coding = offered[i] as string;
    const weight = weightOf(preferences, coding);
    // At the same weight, the smaller body: the client has said that it does not mind.
    if (weight > bestWeight || (weight === bestWeight && weight > 0 && best === 'identity')) {
      best = coding;
      bestWeight = weight;
    }
  }
  return best;
}

/**
 * One text for all values of `Accept-Encoding` that accept the same codings in the same order of preference, whatever their exact
 * weights (RFC 9110 §12.5.3): `gzip;q=0.8, br` and `br, x-gzip;q=0.5` are `br>gzip`. Codings that are not accepted are not named,
 * unless `*` would accept them. `null` for what is malformed or names a coding twice: nobody can say what that means.
 */
export function encodingPreference(value: string): string | null {
  const preferences = parse(value);
  if (preferences === null) return null;
  const any = preferences.find(({ coding }) => coding === '*')?.q ?? 0;
  const accepted = preferences.filter(({ coding, q }) => q > 0 && !isLastResort(preferences, coding));
  const byWeight = Map.groupBy(accepted, ({ q }) => q);
  const ranks = [...byWeight].sort(([a], [b]) => b - a).map(([, liked]) => namesOf(liked).join());
  const refused = namesOf(preferences.filter(({ coding, q }) => q === 0 && any > 0 && coding !== 'identity'));
  const identity = weightOf(preferences, 'identity') === 0 ? ';-identity' : '';
  return ranks.join('>') + refused.map((name) => `;-${name}`).join('') + identity;
}

/** What is not encoded is always acceptable, and less than everything that is named: saying so says nothing, but beside `*`. */
function isLastResort(preferences: readonly Preference[], coding: string): boolean {
  if (coding !== 'identity' || preferences.some((other) => other.coding === '*')) return false;
  const own = weightOf(preferences, coding);
  return preferences.every((other) => other.coding === coding || other.q === 0 || other.q > own);
}

function namesOf(preferences: readonly Preference[]): readonly string[] {
  return preferences.map(({ coding }) => coding).sort();
}

/** Of a coding that is not named: that of `*`; else 0, and 1 for `identity`, which only an explicit 0 excludes. */
function weightOf(preferences: readonly Preference[], coding: string): number {
  let any: number | null = null;
  for (const preference of preferences) {
    if (preference.coding === coding) return preference.q;
    if (preference.coding === '*') any = preference.q;
  }
  if (coding !== 'identity') return any ?? 0;
  return any === 0 ? 0 : 1;
}

const MEMBER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/;

/** `null` for a list with a malformed member, or with a coding twice. */
function parse(value: string): readonly Preference[] | null {
  const preferences: Preference[] = [];
  const named = new Set<string>();
  for (const part of value.split(',')) {
    const text = sliceTrimmed(part, 0, part.length);
    // RFC 9110 §5.6.1.2
    if (text === '') continue;
    const member = MEMBER.exec(text);
    if (member === null) return null;
    const name = (member[1] as string).toLowerCase();
    const coding = ALIASES[name] ?? name;
    if (named.has(coding)) return null;
    named.add(coding);
    preferences.push({ coding, q: member[2] === undefined ? 1 : Number(member[2]) });
  }
  return preferences;
}
