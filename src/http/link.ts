import type { HeaderList } from './headers.ts';
import { sliceTrimmed } from './octets.ts';

/** One link of a `Link` field (RFC 8288 §3). */
export interface LinkValue {
  /** As it was sent, target and parameters. */
  readonly text: string;
  /** Relation types in lower case. */
  readonly rels: readonly string[];
  /** It says that it is about another resource than the one it came with (§3.2). */
  readonly hasAnchor: boolean;
}

/** Every link of all `Link` fields, in order. What is no link is left out. */
export function linkValues(headers: HeaderList): LinkValue[] {
  const links: LinkValue[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() !== 'link') continue;
    for (const text of members(headers[i + 1] as string, ',')) {
      const link = linkValue(text);
      if (link !== null) links.push(link);
    }
  }
  return links;
}

function linkValue(text: string): LinkValue | null {
  const close = text.indexOf('>');
  if (!text.startsWith('<') || close === -1) return null;
  let rels: readonly string[] | null = null;
  let hasAnchor = false;
  for (const parameter of members(text.slice(close + 1), ';')) {
    const equals = parameter.indexOf('=');
    const name = sliceTrimmed(parameter, 0, equals === -1 ? parameter.length : equals).toLowerCase();
    // §3.3: of several, the first counts.
    if (name === 'rel' && equals !== -1) rels ??= relsOf(sliceTrimmed(parameter, equals + 1, parameter.length));
    hasAnchor ||= name === 'anchor';
  }
  return { text, rels: rels ?? [], hasAnchor };
}

function relsOf(value: string): readonly string[] {
  const bare = value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  return bare
    .toLowerCase()
    .split(/[ \t]+/)
    .filter((rel) => rel !== '');
}

/** What lies between separators that are neither in `<>` nor in quotes, trimmed; empty ones left out. */
function members(text: string, separator: ',' | ';'): string[] {
  const found: string[] = [];
  let from = 0;
  let closing = '';
  for (let i = 0; i <= text.length; i += 1) {
    const character = text[i];
    if (closing !== '' && character !== undefined) {
      if (character === '\\' && closing === '"') i += 1;
      else if (character === closing) closing = '';
    } else if (character === '<') closing = '>';
    else if (character === '"') closing = '"';
    else if (character === separator || character === undefined) {
      const member = sliceTrimmed(text, from, i);
      if (member !== '') found.push(member);
      from = i + 1;
    }
  }
  return found;
}
