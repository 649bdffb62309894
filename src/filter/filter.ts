import type { ExchangeLine } from '../exchange/line.ts';
import { compileRegex } from '../routing/regex.ts';
import { FilterError } from './filter-error.ts';
import { type Condition, parseFilter } from './parse.ts';
import type { Value } from './values.ts';

/** A filter of exchanges that can be asked: a function made once, that no line makes throw. */
export type Filter =
  | { readonly ok: true; readonly matches: Matches }
  /** `column` counts characters of the filter from 1. */
  | { readonly ok: false; readonly message: string; readonly column: number };

export type Matches = (line: ExchangeLine) => boolean;

/**
 * Compiles a filter like `status>=500 and path~^/api` (docs/logs.md). Bounded in length, comparisons and depth; regular expressions
 * are RE2's, searched in linear time. What is not known of an exchange is equal to nothing but `null`, and neither more nor less than anything.
 */
export function compileFilter(text: string): Filter {
  try {
    return { ok: true, matches: compile(parseFilter(text)) };
  } catch (error) {
    if (error instanceof FilterError) return { ok: false, message: error.message, column: error.column };
    throw error;
  }
}

function compile(condition: Condition): Matches {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.parts.map(compile);
      return (line) => parts.every((matches) => matches(line));
    }
    case 'or': {
      const parts = condition.parts.map(compile);
      return (line) => parts.some((matches) => matches(line));
    }
    case 'not': {
      const matches = compile(condition.part);
      return (line) => !matches(line);
    }
    case 'given':
      return given(condition.field.name);
    case 'compare':
      return compare(condition);
    case 'equal':
      return equal(condition.field.name, condition.values);
    case 'match':
      return match(condition);
  }
}

function given(name: keyof ExchangeLine): Matches {
  return (line) => {
    const value = line[name];
    return Array.isArray(value) ? value.length > 0 : value !== null && value !== false;
  };
}

function compare({ field: { name }, operator, value }: Condition & { readonly kind: 'compare' }): Matches {
  const number = (line: ExchangeLine): number => (line[name] as number | null) ?? Number.NaN;
  switch (operator) {
    case '<':
      return (line) => number(line) < value;
    case '<=':
      return (line) => number(line) <= value;
    case '>':
      return (line) => number(line) > value;
    case '>=':
      return (line) => number(line) >= value;
  }
}

function equal(name: keyof ExchangeLine, values: readonly Value[]): Matches {
  const plain = new Set<unknown>(values.filter((value) => typeof value !== 'object' || value === null));
  const classes = new Set(
    values.flatMap((value) => (typeof value === 'object' && value !== null ? [value.class] : [])),
  );
  return (line) => {
    const value = line[name];
    if (Array.isArray(value)) return value.length === 0 ? plain.has(null) : value.some((each) => plain.has(each));
    return plain.has(value) || (classes.size > 0 && classes.has(Math.floor((value as number) / 100)));
  };
}

function match({ field: { name }, pattern, at }: Condition & { readonly kind: 'match' }): Matches {
  const result = compileRegex(pattern);
  if (!result.ok) throw new FilterError(`“${pattern}” is no regular expression (RE2): ${result.message}`, at);
  const { regex } = result;
  return (line) => {
    const value = line[name];
    if (Array.isArray(value)) return value.some((each) => regex.test(each));
    return typeof value === 'string' && regex.test(value);
  };
}
