import { Buffer } from 'node:buffer';
import type { GatewayError } from '../errors.ts';
import { statusTitle } from '../http/status-titles.ts';
import { escapeBody } from './body-template.ts';
import { nearest } from './suggestion.ts';
import { parseBodyTemplate } from './template-syntax.ts';

export type ErrorFormat = 'html' | 'json' | 'text';

/** What a page may say: nothing of the request but the id that it was given. */
export interface ErrorFacts {
  readonly error: GatewayError;
  readonly requestId: string;
}

/** A page with gaps. */
export interface ErrorTemplate {
  render(facts: ErrorFacts): Uint8Array;
}

export type ErrorTemplateResult =
  | { readonly ok: true; readonly template: ErrorTemplate }
  | { readonly ok: false; readonly message: string };

/** Of a page: larger than any, and sent for each error. */
export const MAX_PAGE_BYTES = 256 * 1024;

const READERS: Readonly<Record<string, (facts: ErrorFacts) => string>> = {
  status: ({ error }) => String(error.status),
  title: ({ error }) => statusTitle(error.status),
  code: ({ error }) => error.code,
  reason: ({ error }) => error.reason,
  id: ({ requestId }) => requestId,
};

const PLACES = { html: 'html', json: 'json', text: 'body' } as const;

/**
 * Compiles a page with `{status}`, `{title}`, `{code}`, `{reason}` and `{id}`, escaped for what the page is written in. Only `{name}` with
 * nothing else between the braces is a gap, and one by another name is a mistake; `{{name}}` is that text with one pair of braces.
 */
export function compileErrorTemplate(text: string, format: ErrorFormat): ErrorTemplateResult {
  if (Buffer.byteLength(text) > MAX_PAGE_BYTES) return wrong(`a page has ${MAX_PAGE_BYTES / 1024} KiB at most`);
  const parsed = parseBodyTemplate(text);
  if (!parsed.ok) return wrong(parsed.message);
  const parts: (string | ((facts: ErrorFacts) => string))[] = [];
  for (const token of parsed.tokens) {
    if (token.kind === 'text') parts.push(token.text);
    else {
      const read = Object.hasOwn(READERS, token.name) ? READERS[token.name] : undefined;
      if (read === undefined) return wrong(unknown(token.name));
      const place = PLACES[format];
      parts.push((facts) => escapeBody(read(facts), place));
    }
  }
  const render = (facts: ErrorFacts): string =>
    parts.map((part) => (typeof part === 'string' ? part : part(facts))).join('');
  if (format === 'json') {
    const mistake = jsonMistake(render(EXAMPLE));
    if (mistake !== null) return wrong(mistake);
  }
  return { ok: true, template: { render: (facts) => Buffer.from(render(facts)) } };
}

const EXAMPLE: ErrorFacts = {
  error: { status: 503, code: 'destination_unavailable', reason: 'example' } as GatewayError,
  requestId: '0',
};

function jsonMistake(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return `not JSON once it is filled in: ${(error as Error).message}`;
  }
}

function wrong(message: string): ErrorTemplateResult {
  return { ok: false, message };
}

function unknown(name: string): string {
  const names = Object.keys(READERS);
  const near = nearest(name, names);
  const hint = near === null ? `there are {${names.join('}, {')}}` : `did you mean {${near}}?`;
  return `unknown variable {${name}} (${hint}); for the text itself double the braces: {{${name}}}`;
}
