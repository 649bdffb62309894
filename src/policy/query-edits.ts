import { type Compiled, compiled, compiledUnless, type PolicyProblem } from './compiled.ts';
import { COMPONENT, toOctets, translate } from './octets.ts';
import { isParameter, nameEnd, parameterEnd } from './query-parameter.ts';
import { compileTemplate, render, type Template } from './template.ts';
import type { Variables } from './variables.ts';

/** The same shape as `query` of the configuration. */
export interface QueryEditsConfig {
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly add?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
}

/** The query towards the endpoint; `null` for none. */
export type QueryEdits = (query: string | null, variables: Variables) => string | null;

interface Parameter {
  /** Decoded octets. */
  readonly name: string;
  /** Encoded, with its "=". */
  readonly start: string;
  readonly value: Template;
}

/**
 * Compiles query edits; `null` when there are none. Order: remove, set, add. Names are compared decoded; a parameter that
 * no edit names keeps its bytes and its place. `set` writes where the first of that name was, else at the end, and removes
 * the others. A value whose variables are all empty is not sent: `set` then removes the parameter.
 */
export function compileQueryEdits(config: QueryEditsConfig, captures: readonly string[]): Compiled<QueryEdits | null> {
  const problems: PolicyProblem[] = [];
  const removed = removals(config.remove ?? [], problems);
  const set = parameters('set', config.set ?? {}, captures, problems);
  const added = parameters('add', config.add ?? {}, captures, problems);
  if (problems.length === 0 && removed.length + set.length + added.length === 0) return compiled(null);
  return compiledUnless<QueryEdits | null>(problems, () => (query, variables) => {
    let edited = query;
    for (const name of removed) edited = replaceParameter(edited, name, null);
    for (const parameter of set) {
      const written = writtenParameter(parameter, variables);
      edited = replaceParameter(edited, parameter.name, written);
    }
    for (const parameter of added) edited = appendParameter(edited, writtenParameter(parameter, variables));
    return edited;
  });
}

function removals(names: readonly string[], problems: PolicyProblem[]): readonly string[] {
  for (const [index, name] of names.entries()) {
    if (name === '') problems.push({ path: ['remove', index], message: EMPTY_NAME });
  }
  return names.map(toOctets);
}

function parameters(
  key: 'set' | 'add',
  entries: Readonly<Record<string, string>>,
  captures: readonly string[],
  problems: PolicyProblem[],
): readonly Parameter[] {
  return Object.entries(entries).flatMap(([text, value]) => {
    const template = compileTemplate(value, captures, 'query');
    if (text === '') problems.push({ path: [key, text], message: EMPTY_NAME });
    if (!template.ok) problems.push({ path: [key, text], message: template.message });
    const name = toOctets(text);
    return template.ok ? [{ name, start: `${translate(name, COMPONENT)}=`, value: template.template }] : [];
  });
}

const EMPTY_NAME = 'a query parameter needs a name';

/** `name=value`, or `null` when the variables in the value are empty. */
function writtenParameter(parameter: Parameter, variables: Variables): string | null {
  const value = render(parameter.value, variables);
  return value === '' && parameter.value.constant === null ? null : parameter.start + value;
}

function appendParameter(query: string | null, written: string | null): string | null {
  if (written === null) return query;
  return query === null || query === '' ? written : `${query}&${written}`;
}

/**
 * `query` with `written` in the place of the first parameter `name`, or at the end, and without the others; with `null`,
 * without any. What is left of it is copied in slices, never decoded and encoded again. `null` when nothing is left.
 */
function replaceParameter(query: string | null, name: string, written: string | null): string | null {
  if (query === null || query === '') return written ?? query;
  let out: string | null = null;
  let pending = written;
  let copied = 0; // start of what is kept since the last parameter of that name
  for (let start = 0; start <= query.length; ) {
    const end = parameterEnd(query, start);
    if (isParameter(query, start, nameEnd(query, start, end), name)) {
      if (start > copied) out = appended(out, query.slice(copied, start - 1));
      if (pending !== null) out = appended(out, pending);
      pending = null;
      copied = end + 1;
    }
    start = end + 1;
  }
  if (copied === 0) return appendParameter(query, written);
  return copied <= query.length ? appended(out, query.slice(copied)) : out;
}

function appended(query: string | null, piece: string): string {
  return query === null ? piece : `${query}&${piece}`;
}
