/** A command line that can't be understood: exit code 2. The message says what is wrong, the hint what to write. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly hint: string | null;

  constructor(message: string, hint: string | null = null) {
    super(message);
    this.hint = hint;
  }

  /** For a person, on standard error. Ends with a line end. */
  render(): string {
    return `headgate: ${this.message}\n  ${this.hint ?? 'headgate --help shows what there is'}\n`;
  }
}
