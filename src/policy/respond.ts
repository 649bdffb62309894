import type { LocalReply } from '../exchange/local-reply.ts';
import type { HeaderDraft, HeaderList } from '../http/headers.ts';
import type { BodyPlace } from './body-template.ts';
import { type Compiled, compiledUnless, type PolicyProblem } from './compiled.ts';
import { compileField, type Field, fieldValue } from './field.ts';
import { compileTemplate, render, type Template } from './template.ts';
import { parseBodyTemplate } from './template-syntax.ts';
import type { Variables } from './variables.ts';

/** The same shape as `respond` of the configuration. */
export interface RespondConfig {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Compiles a fixed response. Unless `headers` has a Content-Type it is `application/json` for a body that is a JSON object
 * or array, else `text/plain; charset=utf-8`. It decides how variables in the body are escaped. Without variables the
 * whole reply is made once. 204, 205 and 304 have no body (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
 */
export function compileRespond(
  config: RespondConfig,
  captures: readonly string[],
): Compiled<(variables: Variables) => LocalReply> {
  const problems: PolicyProblem[] = [];
  const fields = compileFields(config.headers, captures, problems);
  const given = fields.find((field) => field.lower === 'content-type');
  const type = given === undefined ? defaultType(config.body) : given.template.constant;
  if (given !== undefined && !isMediaType(type)) {
    // What is no media type is guessed by browsers, and a guess may be HTML.
    problems.push({ path: ['headers', given.name], message: `"${type}" is not a media type` });
  }
  const body = compileTemplate(config.body, captures, bodyPlace(type ?? ''));
  if (!body.ok) problems.push({ path: ['body'], message: body.message });
  else if (isBodiless(config.status) && config.body !== '') {
    problems.push({ path: ['body'], message: `a response with status ${config.status} has no body` });
  }
  const typed = given === undefined && config.body !== '' && type !== null ? ['Content-Type', type] : [];
  return compiledUnless(problems, () =>
    replyMaker(config.status, { typed, fields, body: body.ok ? body.template : null }),
  );
}

interface ReplyParts {
  /** The Content-Type that nobody gave, or nothing. */
  readonly typed: HeaderList;
  readonly fields: readonly Field[];
  readonly body: Template | null;
}

function replyMaker(status: number, parts: ReplyParts): (variables: Variables) => LocalReply {
  const { body, fields } = parts;
  const isConstant = body?.constant !== null && fields.every((field) => field.template.constant !== null);
  if (!isConstant) return (variables) => makeReply(status, parts, variables);
  let reply: LocalReply | null = null; // made by the first request, the same for all
  return (variables) => {
    reply ??= makeReply(status, parts, variables);
    return reply;
  };
}

function makeReply(status: number, parts: ReplyParts, variables: Variables): LocalReply {
  const headers: HeaderDraft = [...parts.typed];
  for (const field of parts.fields) {
    const value = fieldValue(field, variables);
    if (value !== null) headers.push(field.name, value);
  }
  const octets = parts.body === null ? '' : render(parts.body, variables);
  const body = octets === '' ? null : Buffer.from(octets, 'latin1');
  // RFC 9110 §8.6: none in a 204; in a 304 it would speak of another response's body.
  if (status !== 204 && status !== 304) headers.push('Content-Length', String(octets.length));
  return { status, headers, body, reason: 'fixed-response', error: null };
}

function compileFields(
  entries: Readonly<Record<string, string>>,
  captures: readonly string[],
  problems: PolicyProblem[],
): readonly Field[] {
  return Object.entries(entries).flatMap(([name, text]) => {
    const field = compileField(name, text, captures, 'response');
    if (field.ok) return [field.value];
    problems.push({ path: ['headers', name], message: field.message });
    return [];
  });
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function isMediaType(type: string | null): boolean {
  return type !== null && /^[^\s/;]+\/[^\s/;]+\s*(;|$)/.test(type);
}

/** How variables are escaped in a body of this type: where a browser would run what a client wrote, it must not. */
export function bodyPlace(type: string): BodyPlace {
  const essence = (type.split(';')[0] as string).trim().toLowerCase();
  if (/json|javascript|ecmascript/.test(essence)) return 'json';
  return essence.includes('html') || /[/+]xml/.test(essence) ? 'html' : 'body';
}

function defaultType(body: string): string {
  return isJson(body) ? 'application/json' : 'text/plain; charset=utf-8';
}

/** An object or an array, whatever its variables will be. A lone number or word is more likely meant as text. */
function isJson(body: string): boolean {
  const parsed = parseBodyTemplate(body);
  const sample = parsed.ok ? parsed.tokens.map((token) => (token.kind === 'text' ? token.text : '0')).join('') : '';
  if (!/^\s*[[{]/.test(sample)) return false;
  try {
    JSON.parse(sample);
    return true;
  } catch {
    return false; // SyntaxError: text that starts with a bracket
  }
}
