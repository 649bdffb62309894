import { type HeaderDraft, isNamed } from '../http/headers.ts';

/** Says that the response depends on these request fields too (RFC 9110 §12.5.5): what is named already, by whomever, is not named again. */
export function addVary(draft: HeaderDraft, names: readonly string[]): void {
  let missing = names;
  let at = -1;
  for (let i = 0; i < draft.length; i += 2) {
    if (!isNamed(draft[i] as string, 'vary')) continue;
    at = i + 1;
    const named = (draft[at] as string).split(',').map((name) => name.trim().toLowerCase());
    if (named.includes('*')) return;
    missing = missing.filter((name) => !named.includes(name.toLowerCase()));
  }
  if (missing.length === 0) return;
  const text = missing.join(', ');
  if (at === -1) draft.push('Vary', text);
  else draft[at] = (draft[at] as string).trim() === '' ? text : `${draft[at]}, ${text}`;
}
