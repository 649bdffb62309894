import { encodingPreference } from '../http/accept-encoding.ts';
import { withoutBlanks } from '../http/blanks.ts';

/** Preference lists, without regard to order: the weights rank, not the position (RFC 9110 §12.4.2). */
const PREFERENCES = new Set(['accept', 'accept-charset', 'accept-language']);

/** Fields with one value, in which a comma separates nothing. */
const SINGLE_VALUES = new Set(['authorization', 'cookie', 'from', 'referer', 'user-agent']);

/**
 * One form for values that mean the same (RFC 9111 §4.1): what the field's own definition says of it for preferences; for every other
 * field that may be a list, and be combined of several lines, how much blank there is around its commas (RFC 9110 §5.6.1).
 */
export function normaliseField(name: string, value: string): string {
  // A malformed list is told from every preference by a character that none begins with.
  if (name === 'accept-encoding') return encodingPreference(value) ?? `?${value.trim()}`;
  // A quoted string may hold commas; it occurs only in parameters of Accept, and rarely.
  if (SINGLE_VALUES.has(name) || value.includes('"')) return value.trim();
  if (!PREFERENCES.has(name))
    return value.includes(',') ? value.split(',').map(withoutBlanks).join(',').trim() : value.trim();
  // Charsets and language tags are case-insensitive; parameters of a media type need not be.
  const text = name === 'accept' ? value : value.toLowerCase();
  const members: string[] = [];
  for (const part of text.split(',')) {
    const member = part
      .split(';')
      .map((piece) => piece.trim())
      .join(';');
    if (member !== '') members.push(member);
  }
  return members.sort().join(',');
}
