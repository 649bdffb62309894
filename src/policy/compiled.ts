/** What is wrong with a policy, and where. */
export interface PolicyProblem {
  /** Keys from the policy's own section to the offending value: `['set', 'X-User']`. Empty for the section itself. */
  readonly path: readonly (string | number)[];
  /** Lower case, no full stop, ready to stand behind `file:line:column:`. */
  readonly message: string;
}

/** A policy that can't be compiled. `path` and `message` are those of the first of `problems`, which is never empty. */
export interface PolicyError extends PolicyProblem {
  readonly ok: false;
  /** Every problem, in the order of the configuration. */
  readonly problems: readonly PolicyProblem[];
}

export type Compiled<T> = { readonly ok: true; readonly value: T } | PolicyError;

export function compiled<T>(value: T): Compiled<T> {
  return { ok: true, value };
}

/** One problem as a failed compilation. */
export function problem(path: readonly (string | number)[], message: string): PolicyError {
  return { ok: false, path, message, problems: [{ path, message }] };
}

/** `value` if nothing is wrong, else all of `problems` as one failure. */
export function compiledUnless<T>(problems: readonly PolicyProblem[], value: () => T): Compiled<T> {
  const first = problems[0];
  if (first === undefined) return { ok: true, value: value() };
  return { ok: false, path: first.path, message: first.message, problems };
}
