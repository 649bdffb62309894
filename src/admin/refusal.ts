/** What a request to the admin listener can't have, as its answer says: `{ error, message, field?, parameter? }`. */
export interface Refusal {
  readonly status: number;
  /** Enumerated kebab-case. */
  readonly error: string;
  /** For a person. */
  readonly message: string;
  /** What of the body is meant: a JSON pointer (RFC 6901), empty for all of it. */
  readonly field?: string;
  /** Which name in the path or the query is meant. */
  readonly parameter?: string;
  /** More that a program can use. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function isRefusal(outcome: object): outcome is Refusal {
  return 'error' in outcome;
}

/** The body that says it. */
export function refusalBody({ error, message, field, parameter, details }: Refusal): object {
  return {
    error,
    message,
    ...(field === undefined ? {} : { field }),
    ...(parameter === undefined ? {} : { parameter }),
    ...details,
  };
}

export function badBody(field: string, message: string): Refusal {
  return { status: 400, error: 'bad-request', message, field };
}

export function badParameter(parameter: string, message: string): Refusal {
  return { status: 400, error: 'bad-request', message, parameter };
}

export const BUG: Refusal = { status: 500, error: 'bug', message: 'The gateway met a bug: its log has more' };
