import type { HeaderDraft } from '../../http/headers.ts';
import { type Compiled, compiledUnless, type PolicyProblem } from '../compiled.ts';
import { compileField, type Field, fieldValue } from '../field.ts';
import type { Variables } from '../variables.ts';

/** Adds the fields that tell the endpoint who it is. Expects `identity` to be set; what comes out empty is not sent. */
export type WriteIdentity = (draft: HeaderDraft, variables: Variables) => void;

/** By these a client proves who it is, on every route: taking them away everywhere would lock out all but one. */
const NOT_FOR_IDENTITY: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'accept',
  'content-type',
  'origin',
  'range',
]);

/** Is `lower` a field that clients need on some route or other? */
export function isClientField(lower: string): boolean {
  return NOT_FOR_IDENTITY.has(lower);
}

/**
 * Compiles `auth.headers`, names to templates; `null` for none. What a client sends under any of these names is removed on every route,
 * so that names which clients need are refused.
 */
export function compileIdentityFields(
  config: Readonly<Record<string, string>>,
  captures: readonly string[],
): Compiled<WriteIdentity | null> {
  const problems: PolicyProblem[] = [];
  const fields: Field[] = [];
  for (const [name, text] of Object.entries(config)) {
    const field = compileField(name, text, captures, 'request');
    if (!field.ok) problems.push({ path: [name], message: field.message });
    else if (isClientField(field.value.lower)) problems.push({ path: [name], message: lockedOut(name) });
    else if (fields.some(({ lower }) => lower === field.value.lower)) {
      problems.push({ path: [name], message: `${name} is set twice: names are the same in any case` });
    } else fields.push(field.value);
  }
  return compiledUnless<WriteIdentity | null>(problems, () =>
    fields.length === 0 ? null : (draft, variables) => write(fields, draft, variables),
  );
}

function write(fields: readonly Field[], draft: HeaderDraft, variables: Variables): void {
  for (const field of fields) {
    const value = fieldValue(field, variables);
    if (value !== null) draft.push(field.name, value);
  }
}

function lockedOut(name: string): string {
  return `${name} would be taken from every client on every route: set it under requestHeaders`;
}
