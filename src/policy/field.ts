import { type Compiled, compiled, problem } from './compiled.ts';
import { compileTemplate, render, type Template } from './template.ts';
import type { Variables } from './variables.ts';

/** Which message a field is written into. */
export type FieldPlace = 'request' | 'response';

/** A field line that configuration writes. */
export interface Field {
  /** In the case that was written. */
  readonly name: string;
  readonly lower: string;
  readonly template: Template;
}

/** Fields that belong to one connection or frame the message (RFC 9110 §7.6.1, RFC 9112 §6): Headgate's own business. */
const connectionFields: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Written after the edits on every request, so that an edit would have no effect. */
const forwardingFields: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
]);

/** Why configuration may not touch the field `name`, or `null` when it may. */
export function fieldRefusal(name: string, place: FieldPlace): string | null {
  const lower = name.toLowerCase();
  if (connectionFields.has(lower)) return `${name} belongs to the connection or frames the message; it can't be edited`;
  if (lower === 'via') return "Via records who forwarded the message (RFC 9110 §7.6.3); it can't be edited";
  if (place === 'response') return null;
  if (lower === 'host') return 'Host is chosen by the pool: give host: preserve, endpoint, or a name there';
  return forwardingFields.has(lower) ? `Headgate writes ${name} itself, after the edits` : null;
}

/**
 * A field that configuration writes, from a template. `Location` and `Content-Location` of a response are URLs, so that
 * no client can choose where they lead, and its `Content-Type` is constant.
 */
export function compileField(
  name: string,
  text: string,
  captures: readonly string[],
  place: FieldPlace,
): Compiled<Field> {
  const refusal = fieldRefusal(name, place);
  if (refusal !== null) return problem([name], refusal);
  const lower = name.toLowerCase();
  const isUrl = place === 'response' && (lower === 'location' || lower === 'content-location');
  const result = compileTemplate(text, captures, isUrl ? 'url' : 'header');
  if (!result.ok) return problem([name], result.message);
  if (place === 'response' && lower === 'content-type' && result.template.constant === null) {
    return problem([name], `${name} takes no variables: a client could turn text into a page with a script`);
  }
  return compiled({ name, lower, template: result.template });
}

/**
 * The value for one exchange, or `null` when it comes out empty because the variables in it have no value: then the
 * field is not sent. An empty value that was written as such is one.
 */
export function fieldValue(field: Field, variables: Variables): string | null {
  const { template } = field;
  if (template.constant !== null) return template.constant;
  const value = render(template, variables);
  return value === '' ? null : value;
}
