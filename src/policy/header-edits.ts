import { type HeaderDraft, removeHeader, setHeader } from '../http/headers.ts';
import { type Compiled, compiled, compiledUnless, type PolicyProblem } from './compiled.ts';
import { compileField, type Field, type FieldPlace, fieldRefusal, fieldValue } from './field.ts';
import type { Variables } from './variables.ts';

/** The same shape as `requestHeaders` and `responseHeaders` of the configuration. */
export interface HeaderEditsConfig {
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly add?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
}

/** Edits a header list in place. */
export type HeaderEdits = (draft: HeaderDraft, variables: Variables) => void;

/**
 * Compiles header edits; `null` when there are none. Order: remove, set, add. `set` leaves one line, in the place of the
 * first; `add` leaves what is there. A value whose variables are all empty is not sent: `set` then removes the field, so
 * that a client's own version of it never gets through. `captures` are the names that the path of the route captures.
 */
export function compileHeaderEdits(
  config: HeaderEditsConfig,
  captures: readonly string[],
  place: FieldPlace,
): Compiled<HeaderEdits | null> {
  const problems: PolicyProblem[] = [];
  const removed = removals(config.remove ?? [], place, problems);
  const compile = (key: 'set' | 'add'): readonly Field[] =>
    fields(key, config[key] ?? {}, (name, text) => compileField(name, text, captures, place), problems);
  const set = compile('set');
  const added = compile('add');
  if (problems.length === 0 && removed.length + set.length + added.length === 0) return compiled(null);
  return compiledUnless<HeaderEdits | null>(problems, () => (draft, variables) => {
    for (const name of removed) removeHeader(draft, name);
    for (const field of set) setField(draft, field, variables);
    for (const field of added) addField(draft, field, variables);
  });
}

function setField(draft: HeaderDraft, field: Field, variables: Variables): void {
  const value = fieldValue(field, variables);
  if (value === null) removeHeader(draft, field.lower);
  else setHeader(draft, field.name, value);
}

function addField(draft: HeaderDraft, field: Field, variables: Variables): void {
  const value = fieldValue(field, variables);
  if (value !== null) draft.push(field.name, value);
}

function removals(names: readonly string[], place: FieldPlace, problems: PolicyProblem[]): readonly string[] {
  for (const [index, name] of names.entries()) {
    const refusal = fieldRefusal(name, place);
    if (refusal !== null) problems.push({ path: ['remove', index], message: refusal });
    // A legal character of names, but nobody has one: whoever writes it means a wildcard, which would fail open.
    else if (name.includes('*'))
      problems.push({ path: ['remove', index], message: `"${name}": names have no wildcards` });
  }
  return names.map((name) => name.toLowerCase());
}

function fields(
  key: 'set' | 'add',
  entries: Readonly<Record<string, string>>,
  compile: (name: string, text: string) => Compiled<Field>,
  problems: PolicyProblem[],
): readonly Field[] {
  const found: Field[] = [];
  for (const [name, text] of Object.entries(entries)) {
    const field = compile(name, text);
    if (!field.ok) problems.push({ path: [key, name], message: field.message });
    else if (key === 'set' && found.some((other) => other.lower === field.value.lower)) {
      problems.push({ path: [key, name], message: `${name} is set twice: names are the same in any case` });
    } else found.push(field.value);
  }
  return found;
}
