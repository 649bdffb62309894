import { compileRegex } from './regex.ts';
import type { ValueTest } from './route.ts';

/** A compiled `ValueTest`. What it is applied to decides where values come from: header lines, a cookie, parameters. */
export interface ValueCheck {
  /** True for a test that wants no value at all; `accepts` is then never asked. */
  readonly wantsAbsent: boolean;
  accepts(value: string): boolean;
  /** For people, after "wants": `"on"`, `one of "a", "b"`, `a value starting with "v1"`. */
  readonly wanted: string;
}

export type ValueCheckResult =
  | { readonly ok: true; readonly check: ValueCheck }
  | { readonly ok: false; readonly message: string };

const PRESENT: ValueCheck = { wantsAbsent: false, accepts: () => true, wanted: 'any value' };
const ABSENT: ValueCheck = { wantsAbsent: true, accepts: () => false, wanted: 'none' };

/** Fails on a regular expression that RE2 does not accept, and on nothing else. */
export function compileValueTest(test: ValueTest): ValueCheckResult {
  switch (test.kind) {
    case 'present':
      return { ok: true, check: PRESENT };
    case 'absent':
      return { ok: true, check: ABSENT };
    case 'exact':
      return accepted(quoted(test.value), (value) => value === test.value);
    case 'prefix':
      return accepted(`a value starting with ${quoted(test.value)}`, (value) => value.startsWith(test.value));
    case 'oneOf': {
      const values = new Set(test.values);
      return accepted(`one of ${test.values.map(quoted).join(', ')}`, (value) => values.has(value));
    }
    case 'regex': {
      const result = compileRegex(test.value);
      if (!result.ok) return result;
      const { regex } = result;
      return accepted(`a match of /${test.value}/`, (value) => regex.test(value));
    }
  }
}

function accepted(wanted: string, accepts: (value: string) => boolean): ValueCheckResult {
  return { ok: true, check: { wantsAbsent: false, accepts, wanted } };
}

/** In double quotes, with control characters escaped: goes to terminals and logs. */
export function quoted(value: string): string {
  return JSON.stringify(value);
}
