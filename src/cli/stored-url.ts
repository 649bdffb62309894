import type { Given } from './options.ts';
import { UsageError } from './usage-error.ts';

/**
 * The URL of a stored response that `command` was given; `null` without one.
 * @throws UsageError
 */
export function storedUrlOf(command: 'purge' | 'cache', { positionals: [url] }: Given): string | null {
  if (url === undefined) return null;
  if (/^https?:\/\/./i.test(url)) return url;
  throw new UsageError(`“${url}” is not a URL`, `With its scheme: headgate ${command} https://shop.example/`);
}
