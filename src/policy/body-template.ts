import { fromOctets, toOctets } from './octets.ts';
import type { Binding, Bound } from './place.ts';

/** What a body is made of, which decides what a variable must not be able to break out of. */
export type BodyPlace = 'body' | 'json' | 'html';

const escapes: Readonly<Record<BodyPlace, (text: string) => string>> = {
  body: (text) => text,
  json: jsonText,
  html: htmlText,
};

/** A response body in UTF-8: plain text, a JSON or script string, or HTML and XML. */
export function bindBody(tokens: readonly Bound[], place: BodyPlace): Binding {
  const escapeText = escapes[place];
  const parts = tokens.map((token) => {
    if (token.kind === 'text') return toOctets(token.text);
    const { read } = token.variable;
    // The reply says charset=utf-8, so that is what bytes of unknown origin have to become.
    return (variables: Parameters<typeof read>[0]) => toOctets(escapeText(fromOctets(read(variables))));
  });
  return { ok: true, parts, finish: null };
}

/** `text` as it may stand there. */
export function escapeBody(text: string, place: BodyPlace): string {
  return escapes[place](text);
}

/** Between the quotes of a JSON or script string, inside HTML or not: nothing that ends the string, template or element. */
function jsonText(text: string): string {
  return text.replaceAll(
    /[\0-\x1f\x7f"'`\\<>&$\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** In an element or a quoted attribute of HTML or XML, neither of which allows control characters. */
function htmlText(text: string): string {
  return text.replaceAll(/[&<>"'`\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, (character) => entities[character] ?? ' ');
}
