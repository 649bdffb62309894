import { sliceTrimmed } from '../http/octets.ts';
import {
  COMPONENT,
  ESCAPED_COMPONENT,
  FIELD_VALUE,
  type OctetTable,
  SEGMENT,
  toOctets,
  translate,
  UPSTREAM_PATH,
} from './octets.ts';
import { hasDotSegment, upstreamPath } from './upstream-path.ts';
import type { Variable, Variables } from './variables.ts';

/** Octets that stay as they are, or a variable's, escaped for the place of the template. */
export type Part = string | ((variables: Variables) => string);

/** A token of a template whose variable has been found. */
export type Bound =
  | { readonly kind: 'text'; readonly text: string; readonly index: number }
  | { readonly kind: 'variable'; readonly name: string; readonly index: number; readonly variable: Variable };

export interface TemplateMistake {
  readonly ok: false;
  /** Lower case, no full stop; names the variable that was probably meant. */
  readonly message: string;
  /** Where in the text the mistake is, in characters. */
  readonly index: number;
}

/** The parts of a template for one place, or why the text can't stand there. */
export type Binding =
  | {
      readonly ok: true;
      readonly parts: readonly Part[];
      /** The last word over the whole result, for what no part can know alone. */
      readonly finish: ((text: string) => string) | null;
    }
  | TemplateMistake;

/** A field value (RFC 9110 §5.5): one line, no blanks around it. */
export function bindHeader(tokens: readonly Bound[]): Binding {
  for (const token of tokens) {
    if (token.kind === 'text' && /[\0-\x08\n-\x1f\x7f]/.test(token.text)) {
      return { ok: false, message: 'a header value has no line breaks or control characters', index: token.index };
    }
  }
  const parts = tokens.map((token) => (token.kind === 'text' ? toOctets(token.text) : escaped(token, FIELD_VALUE)));
  // A value with blanks around it is malformed in HTTP/2 (RFC 9113 §8.2.1), and variables may bring some.
  return { ok: true, parts, finish: trimmed };
}

/** One query value: text becomes one component whatever is in it; a capture keeps the escapes it has. */
export function bindQuery(tokens: readonly Bound[]): Binding {
  const parts = tokens.map((token) => {
    if (token.kind === 'text') return translate(toOctets(token.text), COMPONENT);
    return escaped(token, token.variable.kind === 'capture' ? ESCAPED_COMPONENT : COMPONENT);
  });
  return { ok: true, parts, finish: null };
}

/** A path towards an endpoint. */
export function bindPath(tokens: readonly Bound[]): Binding {
  const parts: Part[] = [];
  for (const token of tokens) {
    const part = token.kind === 'text' ? pathText(token.text, token.index) : pathVariable(token);
    if (typeof part === 'object') return part;
    parts.push(part);
  }
  const outline = tokens.map((token) => (token.kind === 'text' ? token.text : 'x')).join('');
  if (hasDotSegment(outline)) return { ok: false, message: 'a path has no "." or ".." segments', index: 0 };
  return { ok: true, parts, finish: upstreamPath };
}

/** Literal text of a path, percent-encoded where it must be. */
export function pathText(text: string, index: number): string | TemplateMistake {
  if (/[?#]/.test(text)) {
    return { ok: false, message: 'a path has no "?" or "#"; the query is edited under "query"', index };
  }
  if (/[\0-\x1f\x7f]/.test(text)) return { ok: false, message: 'a path has no control characters', index };
  return translate(toOctets(text), UPSTREAM_PATH);
}

/** A variable in a path: pieces of a path stay pieces of a path, anything else becomes (part of) one segment. */
export function pathVariable(token: Bound & { readonly kind: 'variable' }): Part | TemplateMistake {
  const { kind } = token.variable;
  if (kind === 'uri') {
    return { ok: false, message: `{${token.name}} has the query in it; a path takes {path}`, index: token.index };
  }
  return escaped(token, kind === 'capture' || kind === 'path' ? UPSTREAM_PATH : SEGMENT);
}

function escaped(token: Bound & { readonly kind: 'variable' }, table: OctetTable): Part {
  const { read } = token.variable;
  return (variables) => translate(read(variables), table);
}

function trimmed(value: string): string {
  return sliceTrimmed(value, 0, value.length);
}
