import { compileFilter } from '../filter/filter.ts';
import { UsageError } from './usage-error.ts';

/**
 * Looked at before a gateway is asked, so that a mistake is shown where it was made.
 * @throws UsageError
 */
export function vetFilter(text: string | null): void {
  const filter = text === null ? null : compileFilter(text);
  if (text === null || filter === null || filter.ok) return;
  const { message, column } = filter;
  throw new UsageError(`The filter is not understood: ${message}`, `${text}\n  ${' '.repeat(column - 1)}^`);
}
