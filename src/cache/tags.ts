import { type HeaderDraft, type HeaderList, removeHeader } from '../http/headers.ts';

/** Which response fields name what a response is made of, so that it can be purged by that. */
export interface TagPolicy {
  /** Lower case. */
  readonly fields: readonly string[];
  /** Clients get them too. */
  readonly pass: boolean;
}

/** Of one tag, in characters. */
const LONGEST_TAG = 1024;

/** Of all tags of a response, with the blanks between them: as much as the CDNs that know such fields take. */
const MOST_LENGTH = 16 * 1024;

/**
 * The tags of a response in one string, each between blanks: ` a b `; empty for none, `null` for more than can be kept. Members
 * of a list are separated by commas (`Cache-Tag`), blanks (`Surrogate-Key`) or both, whatever the field; case matters.
 */
export function packTags(headers: HeaderList, { fields }: TagPolicy): string | null {
  let packed = '';
  for (let i = 0; i < headers.length; i += 2) {
    if (!fields.includes((headers[i] as string).toLowerCase())) continue;
    for (const tag of (headers[i + 1] as string).split(/[,\s]+/)) {
      if (tag === '') continue;
      if (tag.length > LONGEST_TAG || packed.length + tag.length > MOST_LENGTH) return null;
      if (packed === '') packed = ` ${tag} `;
      else if (!packed.includes(` ${tag} `)) packed += `${tag} `;
    }
  }
  return packed;
}

/** Removes what clients don't get. */
export function stripTags(draft: HeaderDraft, { fields, pass }: TagPolicy): void {
  if (!pass) for (const field of fields) removeHeader(draft, field);
}

/** The list that `packTags` packed. */
export function listTags(packed: string): readonly string[] {
  return packed === '' ? [] : packed.slice(1, -1).split(' ');
}

/** Could a response have it? Visible characters without a comma. */
export function isTag(text: string): boolean {
  return text.length <= LONGEST_TAG && /^[^,\s]+$/.test(text);
}
