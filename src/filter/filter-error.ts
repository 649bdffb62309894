/** A filter that is not understood. Never leaves this room: `compileFilter` makes a result of it. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
  /** Counted from 1. */
  readonly column: number;

  /** `at` counts from 0. */
  constructor(message: string, at: number) {
    super(message);
    this.column = at + 1;
  }
}
